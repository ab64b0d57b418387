"""What the dimensions share: silence, windows over series of frames, evenness."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""One value per frame of some kind, float64 ``[frames]``."""

Mask = NDArray[np.bool_]

FRAMES_PER_SECOND: Final = 20
"""Frames of 50 ms, the grain in which a track is silent or not."""

_SILENCE_RATIO: Final = 1e-6


def joined(parts: list[NDArray[np.float64]]) -> Series:
    return np.concatenate(parts) if parts else np.zeros(0)


def silent_frames(mean_squares: Series) -> Mask:
    """Which 50 ms frames are silent: more than 60 dB under the loudest one, or exactly zero."""
    loudest = float(mean_squares.max(initial=0.0))
    return np.asarray((mean_squares < loudest * _SILENCE_RATIO) | (mean_squares == 0.0))


def at_time(mask: Mask, seconds: Series) -> Mask:
    """The value of a 50 ms series at the given times, ``[len(seconds)]``."""
    if len(mask) == 0:
        return np.zeros(len(seconds), dtype=np.bool_)
    index = np.clip((seconds * FRAMES_PER_SECOND).astype(np.int64), 0, len(mask) - 1)
    return mask[index]


def windows(series: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Neighbouring windows without overlap, ``[windows, length]``; a shorter track is one window."""
    length = min(length, max(1, len(series)))
    count = len(series) // length
    return series[: count * length].reshape(count, length)


def kept(series: Series, keep: Mask) -> Series:
    """The values that pass; all of them if none does."""
    return series[keep] if keep.any() else series


def deviation(series: Series) -> float:
    """Standard deviation (of the population), 0 for fewer than two values."""
    return float(np.std(series)) if len(series) >= 2 else 0.0


def evenness(series: Series) -> float:
    """1 / (1 + coefficient of variation), 0..1; 1 for fewer than two values."""
    mean = float(np.mean(series)) if len(series) else 0.0
    return 1.0 / (1.0 + deviation(series) / mean) if mean > 0.0 else 1.0


def median(series: Series) -> float:
    """The median, 0 of nothing."""
    return float(np.median(series)) if len(series) else 0.0
