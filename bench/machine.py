"""What the figures were measured on."""

import os
import platform
import subprocess
from pathlib import Path

from bench.measure import core

_ROOT = Path(__file__).parents[1]


def description(*, bound: bool = False) -> str:
    """Processor, cores, memory and system, in one line; and that every process was bound to one core."""
    where = f"; every process bound to core {core()}" if bound else ""
    return (
        f"{_field('/proc/cpuinfo', 'model name')} (family {_field('/proc/cpuinfo', 'cpu family')},"
        f" model {_field('/proc/cpuinfo', 'model')}), {os.cpu_count()} cores, {_memory_gib():.0f} GiB,"
        f" {platform.system()} {platform.machine()}, {platform.python_implementation()}"
        f" {platform.python_version()}{where}"
    )


def load() -> float:
    """Processes that wanted a core, on the average of the last minute."""
    return os.getloadavg()[0]


def revision() -> str:
    """The commit that is measured; "with changes" if the source differs from it."""
    named = _git("rev-parse", "--short", "HEAD")
    return f"{named} with changes" if _git("status", "--porcelain", "src") else named


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=_ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _memory_gib() -> float:
    return int(_field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
