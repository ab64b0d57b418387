"""What one file may cost a worker process. The kernel watches over it, so a stuck decoder cannot hide."""

import math
import resource
import signal
import time
from typing import Final

CPU_LIMIT_S: Final = 600
"""CPU time for one file, seconds; three hours of stereo at 44.1 kHz take 45."""

MEMORY_LIMIT: Final = 1 << 30
"""Bytes of private memory of a worker: 200 MB when it is warm, 270 MB at the end of a file of three hours.

Not the address space: numba and OpenBLAS reserve far more of it than they use.
"""

CPU_SIGNAL: Final = signal.SIGXCPU
"""What a process dies of when its CPU time is used up."""


def limit_memory(limit: int) -> None:
    """From now on this process gets a MemoryError instead of more memory than that."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))


def limit_cpu(seconds: int) -> None:
    """From now on this process has so much CPU time, whatever it has used before."""
    used = math.ceil(time.process_time())
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds if hard < 0 else min(used + seconds, hard), hard))
