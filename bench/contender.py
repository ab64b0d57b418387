"""What takes part in a measurement, and the clock it is timed with."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class Stopwatch:
    """CPU seconds of this process, all its threads together, by the part of the work."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.seconds[part] += time.process_time() - started


Findings = dict[str, float]
"""What the work came to, by name: evidence that it was done, and on the same sound."""

Work = Callable[[Path, Stopwatch], Findings]
"""Take the folder of the sound (``bench.sound``), time every part of the work, say what was found."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of a table.

    Attributes:
        name: names the row.
        package: what has to be installed, as the package registry calls it.
        does: what is computed, in a few words.
        work: the work itself; it imports what it needs, so that naming it costs nothing.
    """

    name: str
    package: str
    does: str
    work: Work
