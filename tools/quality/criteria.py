"""What must be true, each with its bound; and what was found."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is measured; every finding must be at most ``bound``.

    Attributes:
        number: the criterion it belongs to.
        words: what is measured.
        bound, unit: the largest value allowed; infinite where nothing is claimed and it is only told.
        judge: by what it is measured.
        least_share: so much of the cases must be inside, 0..1.
    """

    number: str
    words: str
    bound: float
    unit: str
    judge: str
    least_share: float = 1.0

    @property
    def claimed(self) -> bool:
        return self.bound < math.inf


_PEAK = "resample_poly, 16x"
_EBU = "pyebur128"
_PLR = f"{_PEAK}; {_EBU}"
_NUMPY = "numpy"
_VISQOL = "visqol-python, audio mode"
_ZIMTOHRLI = "zimtohrli"

CHECKS: Final = {
    "peak": Check("Q1", "true peak over the ceiling", 0.02, "dB", _PEAK),
    "target": Check("Q2", "streamed loudness beside the target, where the target decides", 0.5, "LU", _EBU),
    "target-file": Check("Q2", "loudness of `tonearm master`, two passes, the same", 0.1, "LU", _EBU),
    "ebu": Check("Q3", "deviation over what EBU Tech 3341 and 3342 allow", 0.0, "", "closed form"),
    "cut": Check("Q4", "samples that another cut changes", 0.0, "samples", _NUMPY),
    "position": Check("Q5", "render from a position beside the whole render", -90.0, "dBFS", _NUMPY),
    "length": Check("Q5", "frames too few or too many from a position", 0.0, "frames", _NUMPY),
    "join": Check("Q6", "tracks joined beside the album, but for 50 ms before a join", -90.0, "dBFS", _NUMPY),
    "join-length": Check("Q6", "frames too few or too many", 0.0, "frames", "libsndfile, numpy"),
    "join-step": Check("Q6", "step of the gain in the 50 ms before a join", 0.1, "dB per ms", _NUMPY),
    "join-short": Check("Q6", "after a track of 2 s: beside the album", math.inf, "dBFS", _NUMPY),
    "bypass": Check("Q7", "samples that are not the source's", 0.0, "samples", "libsndfile, numpy"),
    "idle": Check("Q8", "samples changed by a limiter under its threshold", 0.0, "samples", _NUMPY),
    "null": Check("Q9", "*preserve*: difference from the source times one gain", -130.0, "dBFS", _NUMPY),
    "kept": Check("Q9", "*preserve*: change of PLR", 0.1, "dB", _PLR),
    "restored": Check("Q9", "*restore*: loss of PLR", 0.05, "dB", _PLR),
    "regained": Check("Q9", "*restore*: half of the planned boost, less the PLR gained", 0.001, "dB", _PLR),
    "overdone": Check("Q9", "*restore*: PLR gained", 3.5, "dB", _PLR),
    "lost": Check("Q9", "*master*: loss of PLR beyond what the equaliser alone does", 2.5, "dB", _PLR),
    "crushed": Check("Q9", "*master*: PSR P10 under 8 dB where it was above", 0.0, "dB", _PLR),
    "range": Check("Q10", "change of the loudness range, of 60 s or more", 1.5, "LU", _EBU),
    "range-short": Check("Q10", "the same, of less than 60 s, where it is not stable", math.inf, "LU", _EBU),
    "back": Check("Q11", "PLR still missing of 30% of the loss, or of half of the boost", 0.001, "dB", _PLR),
    "closer": Check("Q11", "SI-SDR lost beside the original", 0.5, "dB", _NUMPY),
    "corridor": Check("Q12", "growth of the mean distance to the corridor", 0.01, "dB", "scipy", 0.95),
    "moved": Check("Q13", "move of a parameter by 0.1 dB of one input", 0.3, "dB", "closed form"),
    "again": Check("Q14", "loudness changed by mastering the master", 0.2, "LU", _EBU),
    "again-plr": Check("Q14", "PLR changed by mastering the master", 0.5, "dB", _PLR),
    "symmetric": Check("Q15", "polarity, channel order, mono and its copy: difference", 1e-6, "FS", _NUMPY),
    "same-plan": Check("Q15", "parameters of their plans: difference", 1e-6, "dB", _NUMPY),
    "sidebands": Check("Q16", "strongest sideband of 1 kHz over bass at full scale", -40.0, "dBc", _NUMPY),
    "image": Check("Q17", "gain between linked channels", 0.01, "dB", _NUMPY),
    "visqol": Check("Q18", "*preserve*: MOS under 4.3", 0.0, "", _VISQOL),
    "zimtohrli": Check("Q18", "*preserve*: MOS under 4.5", 0.0, "", _ZIMTOHRLI),
    "visqol-fall": Check("Q18", "MOS under the recorded", 0.2, "", _VISQOL),
    "zimtohrli-fall": Check("Q18", "MOS under the recorded", 0.2, "", _ZIMTOHRLI),
    "visqol-noise": Check("Q18", "MOS of music under noise as strong", 3.0, "", _VISQOL),
    "zimtohrli-noise": Check("Q18", "MOS of music under noise as strong", 3.0, "", _ZIMTOHRLI),
    "dither-peak": Check("Q19", "true peak of 16-bit masters over the ceiling", 0.02, "dB", _PEAK),
    "dither-noise": Check("Q19", "power of the error beside 1/4 step squared", 0.1, "dB", _NUMPY),
    "dither-white": Check("Q19", "unevenness of the error's spectrum", 1.0, "dB", "scipy"),
    "dither-free": Check("Q19", "correlation of the error with the sound", 0.02, "", _NUMPY),
    "dither-tone": Check("Q19", "error of a tone of half a step; its harmonics", 1.0, "dB", _NUMPY),
    "dither-cut": Check("Q19", "samples that depend on the cut", 0.0, "samples", _NUMPY),
    "undithered": Check("Q19", "samples changed where no dither is due", 0.0, "samples", "libsndfile"),
    "finite": Check("Q21", "samples that are no number, or errors without a type", 0.0, "", _NUMPY),
    "bytes": Check("Q22", "bytes that differ between two fresh processes", 0.0, "bytes", _NUMPY),
    "outputs": Check(
        "outputs", "samples that differ from those of `tonearm master`", 0.0, "samples", "libsndfile"
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured case of a check: on which group of material, which case of it, and the value."""

    check: str
    material: str
    value: float
    case: str

    @property
    def inside(self) -> bool:
        """Whether it is within the bound; what is no number is not."""
        return self.value <= CHECKS[self.check].bound


@dataclass(frozen=True, slots=True)
class Told:
    """A row of one of the tables that only tell.

    Attributes:
        table: the key of the table in ``quality.document``.
        cells: its row.
    """

    table: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A check that could not be made here, and why; its row says so and is not inside."""

    check: str
    reason: str


Result = Finding | Told | Unmeasured
"""What a job gives."""


def worst(findings: Iterable[Finding]) -> Finding:
    """The one that is nearest to its bound or furthest over it; no number is worse than any."""
    return max(findings, key=lambda finding: (finding.value != finding.value, finding.value))


def hold(check: str, findings: Iterable[Finding]) -> bool:
    """Whether enough of one check's findings are inside; none at all are not."""
    inside = [finding.inside for finding in findings]
    return bool(inside) and sum(inside) >= CHECKS[check].least_share * len(inside)
