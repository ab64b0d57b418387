"""Work that lets others go first, in a process that may be in a hurry again with its next request.

Linux keeps a niceness for each thread, and an ordinary user cannot take one back. So the work is done
in a thread that is nice for all its short life, while the process stays as it was.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

NICENESS: Final = 5
"""A core that is wanted by a stream, too, gives this a quarter of its time (1024 against 335 shares)."""


def giving_way(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, done at a niceness of 5 more than that of the caller.

    Elsewhere than on Linux a niceness is the whole process's, so there it is done as it is.
    """
    if sys.platform != "linux":
        return work()
    with ThreadPoolExecutor(1, initializer=_be_nice) as thread:
        return thread.submit(work).result()


def _be_nice() -> None:
    own = 0
    os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + NICENESS)
