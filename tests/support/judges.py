"""Independent meters that are fast enough for whole tracks; nothing here comes from the program under test.

True peak is what ``scipy.signal.resample_poly(x, 16, 1, window=("kaiser", 12.0))`` gives in float64, with
zeros outside the signal: the same filter, got from its answer to one impulse and applied as a product of
matrices, which gives the same values 18 times as fast.

Where only the highest value is asked for, three of four are worked out only where they may be it. They lie
between two of the fourth, and differ from the straight line between these by no more than the highest sample
near by times a constant of the filter; also, no value exceeds that sample times another such constant.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import numpy as np
from level_truth import LevelTruth, Samples, Series
from numpy.typing import NDArray
from scipy.signal import resample_poly

OVERSAMPLING = 16
REACH = 10
_PIECE = 1 << 12
_COARSENESS = 4
_SILENT = 1e-15


def _weights() -> NDArray[np.float64]:
    """``[16, 21]``: what the frame ``k - 10`` after an interval's first counts in the interval's values."""
    impulse = np.zeros(2 * REACH + 1)
    impulse[REACH] = 1.0
    answer = resample_poly(impulse, OVERSAMPLING, 1, window=("kaiser", 12.0))
    padded = np.concatenate([answer, np.zeros(OVERSAMPLING)])[: (2 * REACH + 1) * OVERSAMPLING]
    return np.ascontiguousarray(padded.reshape(2 * REACH + 1, OVERSAMPLING)[::-1].T)


_WEIGHTS = _weights()
_COARSE = np.ascontiguousarray(_WEIGHTS[::_COARSENESS])
_COARSE_32 = _COARSE.astype(np.float32)
_LARGEST_SUM = float(np.abs(_WEIGHTS).sum(axis=1).max()) * (1 + 1e-9)


def _largest_bend() -> float:
    """The largest sum of magnitudes of what the filter has beside straight lines between every fourth."""
    ends = np.concatenate([np.pad(_COARSE, ((0, 0), (0, 1))), np.pad(_COARSE[:1], ((0, 0), (1, 0)))])
    bends = [
        np.abs(
            np.pad(_WEIGHTS[number], (0, 1))
            - (1 - part) * ends[number // _COARSENESS]
            - part * ends[number // _COARSENESS + 1]
        ).sum()
        for number in range(OVERSAMPLING)
        for part in [number % _COARSENESS / _COARSENESS]
    ]
    return float(max(bends)) * (1 + 1e-9)


_LARGEST_BEND = _largest_bend()


def _values(x: Samples) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Where each piece begins among the intervals, and its values ``[16, intervals]`` in each channel."""
    padded = np.zeros((x.shape[1], len(x) + 4 * REACH))
    padded[:, 2 * REACH : len(x) + 2 * REACH] = x.T
    count = len(x) + 2 * REACH
    for start in range(0, count, _PIECE):
        stop = min(count, start + _PIECE)
        for channel in padded:
            windows = np.lib.stride_tricks.sliding_window_view(
                channel[start : stop + 2 * REACH], stop - start
            )
            yield start, _WEIGHTS @ windows


def interval_peaks(x: Samples) -> Series:
    """Linear; entry ``n`` is the highest magnitude from frame ``n - 10`` up to the next frame."""
    peaks = np.zeros(len(x) + 2 * REACH)
    for start, values in _values(x):
        part = peaks[start : start + values.shape[1]]
        np.maximum(part, np.maximum(values.max(axis=0), -values.min(axis=0)), out=part)
    return peaks


class _Sought:
    """The highest value among the intervals of a sound, and no other."""

    def __init__(self, x: Samples) -> None:
        self.count = len(x) + 2 * REACH
        self._padded = np.zeros((x.shape[1], len(x) + 4 * REACH + 1), x.dtype)
        self._padded[:, 2 * REACH : len(x) + 2 * REACH] = x.T

    def highest(self, start: int, stop: int, least: float) -> float:
        """The highest magnitude in the intervals ``start`` to ``stop``, linear; or ``least``, if none is."""
        for first in range(start, stop, _PIECE):
            last = min(stop, first + _PIECE)
            for channel in self._padded:
                part = channel[first : last + 2 * REACH + 1]
                near = float(np.abs(part).max())
                if near * _LARGEST_SUM > least:
                    least = _highest_of(part, near, least)
        return least


def _highest_of(part: NDArray[np.float64], near: float, least: float) -> float:
    """Of one channel's intervals, as ``[intervals + 21]`` with what they are made of."""
    windows = np.lib.stride_tricks.sliding_window_view(part.astype(np.float32), len(part) - 2 * REACH)
    coarse = np.abs(_COARSE_32 @ windows).max(axis=0)
    # What float32 rounds is some 1e-6 of the highest sample at most.
    rounding = 1e-5 * near
    least_here = max(least, float(coarse[:-1].max()) - rounding)
    bound = np.maximum(coarse[:-1], coarse[1:]) + (_LARGEST_BEND * near + rounding)
    possible = np.flatnonzero(bound > least_here)
    for at in range(0, len(possible), _PIECE):
        chosen = possible[at : at + _PIECE]
        values = _WEIGHTS @ part[chosen + np.arange(2 * REACH + 1)[:, None]].astype(np.float64)
        least = max(least, float(values.max()), -float(values.min()))
    return least


def true_peak_dbtp(x: Samples) -> float:
    """Highest true peak of ``[frames, channels]``, also of what rings outside of it."""
    sought = _Sought(x)
    return float(20.0 * np.log10(max(sought.highest(0, sought.count, 0.0), _SILENT)))


class Judged(LevelTruth):
    """Levels of one or two channels; one counts as dual mono."""

    @cached_property
    def second_peaks(self) -> Series:
        """True peak of each started second, linear."""
        sought = _Sought(self.x)
        starts = [0, *range(self.rate + REACH, self.frames + REACH, self.rate), sought.count]
        return np.array([sought.highest(start, stop, 0.0) for start, stop in pairwise(starts)])

    def psr_under(self, most_dbtp: float) -> float:
        """PSR P10 where no peak is read higher than ``most_dbtp``, dB; of at least 3 s."""
        other = Judged(self.x, self.rate)
        other.__dict__["_ebur"] = self._ebur
        other.__dict__["second_peaks"] = np.minimum(self.second_peaks, 10.0 ** (most_dbtp / 20.0))
        return other.psr_p10_db
