"""Q2, Q9, Q10, Q12, Q14: what mastering does to loudness and dynamics, judged on real music."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
from judges import Judged
from sounds import analysed

from quality.criteria import Finding
from quality.cutting import apart
from quality.peaks import over_ceiling
from quality.playing import by_hand, decided, mastered
from tonearm.dsp.biquad import response_db
from tonearm.dsp.loudness import k_weighting
from tonearm.mastering.corridor import HALF_WIDTHS_DB, MEDIANS_DB
from tonearm.model.audio import Block
from tonearm.model.measures import THIRD_OCTAVES_HZ, Analysis
from tonearm.model.plan import MasteringPlan
from tonearm.rendering.offline import master_file

_LEAST_S = 4.0
_STABLE_S = 60.0
"""EBU Tech 3341 has meters say that the loudness range is not stable before."""

_FLOOR = 1e-20


@dataclass(frozen=True)
class Mastered:
    """A sound of one or two channels, its adaptive plan at intensity 1, and what came of it."""

    name: str
    material: str
    rate: int
    x: Block
    analysis: Analysis
    plan: MasteringPlan
    y: Block

    @classmethod
    def of(cls, name: str, material: str, x: Block, rate: int) -> "Mastered":
        analysis = analysed(x, rate)
        plan = decided(analysis)
        return cls(name, material, rate, x, analysis, plan, mastered(x, plan, rate))

    @cached_property
    def before(self) -> Judged:
        return Judged(self.x, self.rate)

    @cached_property
    def after(self) -> Judged:
        return Judged(self.y, self.rate)

    @property
    def reaches_target(self) -> bool:
        """Whether the target decided the gain, and not the ceiling."""
        assert self.plan.predicted is not None
        return abs(self.plan.predicted.lufs - self.plan.target_lufs) < 1e-9

    @property
    def peak_read(self) -> float:
        """The source's true peak as the plan of *master* reads it, dBTP."""
        peak = self.before.true_peak_dbtp
        return max(min(peak, 0.0), peak - 3.0)

    @property
    def case(self) -> str:
        assert self.plan.lwrp is not None
        return f"{self.name} ({self.plan.lwrp.policy})"


def levels(made: Mastered) -> Iterator[Finding]:
    """Everything that is claimed of loudness and dynamics of this one."""
    yield over_ceiling(made.y, made.plan.ceiling_dbtp, made.material, made.case)
    yield from loudness(made)
    assert made.plan.lwrp is not None
    weights = made.plan.lwrp.weights
    if weights.preserve == 1:
        yield from preserved(made)
    if weights.restore == 1:
        yield from restored(made)
    if weights.master == 1:
        yield from still_alive(made)
    if weights.restore == 0 and made.before.frames >= _LEAST_S * made.rate:
        yield from loudness_range(made)
    growth = _corridor_distance(made.y, made.rate) - _corridor_distance(made.x, made.rate)
    yield Finding("corridor", made.material, growth, made.case)


def loudness(made: Mastered) -> Iterator[Finding]:
    """Loudness beside the target, where the target decides."""
    if made.reaches_target:
        yield Finding("target", made.material, abs(made.after.lufs - made.plan.target_lufs), made.case)


def loudness_range(made: Mastered) -> Iterator[Finding]:
    """How far the loudness range moved; claimed of what is long enough for it."""
    check = "range" if made.before.frames >= _STABLE_S * made.rate else "range-short"
    yield Finding(check, made.material, abs(made.after.lra_lu - made.before.lra_lu), made.case)


def in_two_passes(made: Mastered, path: Path, folder: Path) -> Iterator[Finding]:
    """Loudness of a master that is written in two passes, where the target decides."""
    if made.reaches_target:
        destination = folder / "twice.wav"
        master_file(path, destination, bit_depth="32f")
        y, rate = soundfile.read(destination, dtype="float32", always_2d=True)
        destination.unlink()
        away = abs(Judged(y, rate).lufs - made.plan.target_lufs)
        yield Finding("target-file", made.material, away, made.case)


def preserved(made: Mastered) -> Iterator[Finding]:
    """Nothing but a constant gain happened."""
    wanted = made.x.astype(np.float64) * 10.0 ** (made.plan.gain_db / 20.0)
    yield apart("null", made.y, wanted.astype(np.float32), made.material, made.case)
    yield Finding("kept", made.material, abs(made.after.plr_db - made.before.plr_db), made.case)


def restored(made: Mastered) -> Iterator[Finding]:
    """What *restore* gives back: never less than it found, half of what was planned, and not too much."""
    gained = made.after.plr_db - made.before.plr_db
    yield Finding("restored", made.material, -gained, made.case)
    yield Finding("regained", made.material, made.plan.restoration.boost_db / 2 - gained, made.case)
    yield Finding("overdone", made.material, gained, made.case)


def still_alive(made: Mastered) -> Iterator[Finding]:
    """What *master* costs: PLR beside that of the equaliser alone, and PSR."""
    plr = made.peak_read - made.before.lufs
    by_equaliser = 0.0
    if any(made.plan.eq_db):
        quiet = by_hand(-40.0, made.plan.eq_db, 0.0)
        alone = Judged(mastered(made.x, quiet, made.rate), made.rate)
        by_equaliser = made.before.plr_db - alone.plr_db
    yield Finding("lost", made.material, plr - made.after.plr_db - max(0.0, by_equaliser), made.case)
    if made.before.frames >= _LEAST_S * made.rate and made.before.psr_under(made.peak_read) >= 8.0:
        yield Finding("crushed", made.material, 8.0 - made.after.psr_p10_db, made.case)


def again(made: Mastered) -> Iterator[Finding]:
    """Master the master: where the first pass reached the target, the second changes next to nothing."""
    if abs(made.after.lufs - made.plan.target_lufs) <= 0.1:
        second = Judged(mastered(made.y, decided(analysed(made.y, made.rate)), made.rate), made.rate)
        yield Finding("again", made.material, abs(second.lufs - made.after.lufs), made.case)
        yield Finding("again-plr", made.material, abs(second.plr_db - made.after.plr_db), made.case)


def _corridor_distance(x: Block, rate: int) -> float:
    """Mean distance of the third-octaves under 0.45 of the rate to the corridor, dB, by Welch's method."""
    size = min(len(x), 1 << int(np.ceil(np.log2(0.2 * rate))))
    hertz, density = scipy.signal.welch(x, rate, nperseg=size, axis=0, detrend=False)
    centres = np.asarray(THIRD_OCTAVES_HZ)
    edges = np.append(centres * 2 ** (-1 / 6), centres[-1] * 2 ** (1 / 6))
    running = np.concatenate([[0.0], np.cumsum(density.mean(axis=1, dtype=np.float64))])
    at = np.interp(edges, np.append(hertz - hertz[1] / 2, hertz[-1] + hertz[1] / 2), running)
    power = np.array([high - low for low, high in pairwise(at)])
    db = 10 * np.log10(np.maximum(power, _FLOOR))
    weighted = 10 ** ((db + response_db(k_weighting(48_000), centres, 48_000)) / 10)
    away = np.abs(db - (-0.691 + 10 * np.log10(2 * weighted.sum())) - np.asarray(MEDIANS_DB))
    outside = np.maximum(away - np.asarray(HALF_WIDTHS_DB), 0.0)
    return float(outside[centres <= 0.45 * rate].mean())
