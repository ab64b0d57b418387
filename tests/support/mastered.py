"""What mastering did to a track, by meters that are not ours: pyebur128, and scipy at 16 times the rate."""

from dataclasses import dataclass

import numpy as np
import pyebur128
from numpy.typing import NDArray
from scipy.signal import resample_poly
from sounds import analysed
from truth import lufs

from tonearm.dsp.truepeak import TruePeakMeter
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.chain import Chain
from tonearm.mastering.correction import excess
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Preset, Target

Samples = NDArray[np.float32]

_BLOCK = 1 << 13
_MARGIN = 64
_EDGE = 16 * (_MARGIN - 20)
_LOUDEST = 40


@dataclass(frozen=True, slots=True)
class Levels:
    """Loudness, LUFS; true peak, dBTP; loudness range, LU."""

    lufs: float
    true_peak_dbtp: float
    lra_lu: float

    @property
    def plr_db(self) -> float:
        return self.true_peak_dbtp - self.lufs


def render(x: Samples, plan: MasteringPlan, rate: int) -> Samples:
    """The whole of ``x [frames, channels]``, mastered."""
    chain = Chain(plan, rate, x.shape[1])
    return np.concatenate([chain.process(x), chain.flush()])


def planned(
    analysis: Analysis, preset: Preset = Preset.ADAPTIVE, target: Target | None = None
) -> MasteringPlan:
    """The plan at intensity 1."""
    asked = target or Target()
    return AdaptiveMode().plan(analysis.fingerprint, analysis.measures, preset, 1.0, asked)


def only_equaliser(plan: MasteringPlan) -> MasteringPlan:
    """The equaliser of a plan and nothing else: far under any ceiling."""
    return MasteringPlan(state=plan.state, eq_db=plan.eq_db, ceiling_dbtp=60.0)


def levels(x: Samples, rate: int) -> Levels:
    return Levels(lufs(x, rate), true_peak_dbtp(x), loudness_range(x, rate))


def true_peak_dbtp(x: Samples) -> float:
    """Of the 40 stretches of 8192 frames with the highest samples, each with what lies around it."""
    padded = np.pad(x.astype(np.float64), ((_MARGIN, _MARGIN), (0, 0)))
    starts = np.arange(0, len(x), _BLOCK)
    highest = [np.abs(x[start : start + _BLOCK]).max() for start in starts]
    peak = 0.0
    for start in starts[np.argsort(highest)[::-1][:_LOUDEST]]:
        part = padded[start : start + _BLOCK + 2 * _MARGIN]
        fine = resample_poly(part, 16, 1, axis=0, window=("kaiser", 12.0))[_EDGE:-_EDGE]
        peak = max(peak, float(np.abs(fine).max()))
    return 20.0 * float(np.log10(max(peak, 1e-12)))


def loudness_range(x: Samples, rate: int) -> float:
    """EBU Tech 3342, LU; one channel counts as two."""
    state = pyebur128.R128State(
        2, rate, pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_LRA
    )
    stereo = x if x.shape[1] == 2 else np.repeat(x[:, :1], 2, axis=1)
    state.add_frames(np.ascontiguousarray(stereo, np.float32).reshape(-1), len(stereo))
    return float(pyebur128.get_loudness_range(state))


def psr_p10_db(x: Samples, rate: int, highest_dbtp: float) -> float:
    """10th percentile over windows of 3 s, one each second, of peak over short-term loudness, dB.

    A window's peak is read as ``highest_dbtp`` at most; windows under -70 LUFS, or more than 20 LU under the
    loudest, do not count.
    """
    peaks = TruePeakMeter(x.shape[1], rate)
    peaks.process(x)
    peaks.flush()
    state = pyebur128.R128State(2, rate, pyebur128.MeasurementMode.MODE_S)
    stereo = np.ascontiguousarray(x if x.shape[1] == 2 else np.repeat(x[:, :1], 2, axis=1), np.float32)
    rows = []
    for second in range(len(x) // rate):
        state.add_frames(stereo[second * rate : (second + 1) * rate].reshape(-1), rate)
        if second >= 2:
            peak = 20.0 * np.log10(max(*peaks.segment_peaks[second - 2 : second + 1], 1e-9))
            rows.append((min(peak, highest_dbtp), pyebur128.get_loudness_shortterm(state)))
    values = np.array([row for row in rows if row[1] > -70.0])
    loud = values[values[:, 1] > values[:, 1].max() - 20.0]
    return float(np.percentile(loud[:, 0] - loud[:, 1], 10))


def distance_db(analysis: Analysis) -> float:
    """How far the third-octaves lie outside the corridor, in the mean, dB."""
    measures = analysis.measures
    return float(np.mean(np.abs(excess(measures.third_octaves_db, measures.rate))))


def si_sdr_db(original: Samples, copy: Samples) -> float:
    """Scale-invariant signal to distortion ratio of a copy, dB."""
    clean, other = original.astype(np.float64).ravel(), copy.astype(np.float64).ravel()
    scaled = (other @ clean) / (clean @ clean) * clean
    return float(10.0 * np.log10((scaled @ scaled) / ((other - scaled) @ (other - scaled))))


def measured(x: Samples, rate: int) -> Analysis:
    """The program's own analysis, which plans are made from."""
    return analysed(x, rate, "stereo" if x.shape[1] == 2 else "mono")
