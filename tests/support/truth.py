"""Independent meters: nothing here comes from the program under test."""

import numpy as np
import pyebur128
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

Samples = NDArray[np.float32]


def true_peak_dbtp(samples: Samples, oversampling: int = 16) -> float:
    """True peak of ``[frames, channels]`` by 16x resampling, zeros outside the signal."""
    highest = 0.0
    step, margin = 1 << 18, 64
    padded = np.pad(samples.astype(np.float64), ((2 * margin, 2 * margin), (0, 0)))
    for start in range(0, len(padded) - 2 * margin, step):
        part = padded[start : start + step + 2 * margin]
        up = resample_poly(part, oversampling, 1, axis=0, window=("kaiser", 12.0))
        # What rings where the part was cut is not the signal's.
        inner = up[margin * oversampling : len(up) - margin * oversampling]
        highest = max(highest, float(np.max(np.abs(inner), initial=0.0)))
    return float(20.0 * np.log10(max(highest, 1e-12)))


def lufs(samples: Samples, rate: int) -> float:
    """Integrated loudness of ``[frames, channels]``; one channel counts as dual mono."""
    if samples.shape[1] == 1:
        samples = np.repeat(samples, 2, axis=1)
    state = pyebur128.R128State(samples.shape[1], rate, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(samples, dtype=np.float32).reshape(-1), len(samples))
    return float(pyebur128.get_loudness_global(state))


def decoded(path: str) -> tuple[Samples, int]:
    """A file decoded by libsndfile: float32 ``[frames, channels]`` and its rate."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate
