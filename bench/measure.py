"""Many measurements: the contenders take turns, so that what else the machine does falls on all alike."""

import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from bench.contender import Contender, Findings

_THREADS: Final = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"),
)
_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of several runs."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    def over(self, other: "Cost") -> "Cost":
        """How many times the other's, round by round."""
        return Cost(tuple(ours / theirs for ours, theirs in zip(self.runs, other.runs, strict=True)))

    def __str__(self) -> str:
        return f"{self.median:.3f} ({min(self.runs):.3f}..{max(self.runs):.3f})"


class Measured:
    """What the runs of one contender came to."""

    def __init__(self, contender: Contender, outcomes: Sequence[dict[str, dict[str, float]]]) -> None:
        self.contender = contender
        self._runs = [outcome["seconds"] for outcome in outcomes]
        self._findings = [outcome["findings"] for outcome in outcomes]

    @property
    def version(self) -> str:
        return version(self.contender.package)

    @property
    def findings(self) -> Findings:
        """The median of the runs, by name."""
        return {name: statistics.median(run[name] for run in self._findings) for name in self._findings[0]}

    @property
    def parts(self) -> list[str]:
        return list(self._runs[0])

    def cost(self, *parts: str) -> Cost:
        """CPU seconds of these parts together, of all without any."""
        return Cost(tuple(sum(run[part] for part in parts or run) for run in self._runs))


def measure(section: str, contenders: Sequence[Contender], folder: Path, runs: int) -> list[Measured]:
    """Measure all that are installed, in as many rounds as there shall be runs.

    Raises:
        CalledProcessError: a contender failed; its own message is on standard error.
    """
    outcomes = defaultdict(list)
    for number in range(runs):
        for contender in present(contenders):
            sys.stderr.write(f"{section}, round {number + 1} of {runs}: {contender.name}\n")
            outcomes[contender].append(_run(section, contender, folder))
    return [Measured(contender, found) for contender, found in outcomes.items()]


def present(contenders: Sequence[Contender]) -> list[Contender]:
    """Those whose package is installed."""
    return [contender for contender in contenders if _installed(contender.package)]


def absent(contenders: Sequence[Contender]) -> list[Contender]:
    """Those whose package is not."""
    return [contender for contender in contenders if not _installed(contender.package)]


def core() -> int:
    """The core that every measurement is bound to: the last one that may be used."""
    return max(os.sched_getaffinity(0))


def _run(section: str, contender: Contender, folder: Path) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-m", "bench.one", section, contender.name, str(core()), str(folder)]
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    printed = subprocess.run(
        command, cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
    ).stdout
    outcome: dict[str, dict[str, float]] = json.loads(printed.splitlines()[-1])
    return outcome


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
