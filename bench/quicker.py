"""Who needs less than Tonearm, and why."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bench.measure import Measured

_WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bliss": "reads one channel at 22.05 kHz and finds no loudness, true peak or stereo",
        "FFmpeg filters, PyAV": "has a limiter that looks at the samples and not between them",
        "tinytag": "reads tags and lengths, and stores nothing",
        "mutagen": "reads tags and lengths, and stores nothing",
    }
)


def quicker(measured: Mapping[str, Measured], ours: Measured) -> str:
    """One sentence on those that cost less than ``ours``; empty where there are none."""
    said = []
    for name, each in measured.items():
        times = each.cost().over(ours.cost()).median
        if each.contender.package != "tonearm" and times < 1:
            why = _WHY.get(name)
            said.append(f"{name} ({times:.2f} times its time{f'; it {why}' if why else ''})")
    return f"Quicker than Tonearm: {', '.join(said)}." if said else ""
