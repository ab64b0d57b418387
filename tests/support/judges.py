"""Independent meters that are fast enough for whole tracks; nothing here comes from the program under test.

True peak is what ``scipy.signal.resample_poly(x, 16, 1, window=("kaiser", 12.0))`` gives in float64, with
zeros outside the signal: the same filter, got from its answer to one impulse and applied as a product of
matrices, which gives the same values 18 times as fast.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from level_truth import LevelTruth, Samples, Series
from numpy.typing import NDArray
from scipy.signal import resample_poly

OVERSAMPLING = 16
REACH = 10
_PIECE = 1 << 12
_SILENT = 1e-15


def _weights() -> NDArray[np.float64]:
    """``[16, 21]``: what the frame ``k - 10`` after an interval's first counts in the interval's values."""
    impulse = np.zeros(2 * REACH + 1)
    impulse[REACH] = 1.0
    answer = resample_poly(impulse, OVERSAMPLING, 1, window=("kaiser", 12.0))
    padded = np.concatenate([answer, np.zeros(OVERSAMPLING)])[: (2 * REACH + 1) * OVERSAMPLING]
    return np.ascontiguousarray(padded.reshape(2 * REACH + 1, OVERSAMPLING)[::-1].T)


_WEIGHTS = _weights()


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


def true_peak_dbtp(x: Samples) -> float:
    """Highest true peak of ``[frames, channels]``, also of what rings outside of it."""
    highest = max((float(max(values.max(), -values.min())) for _, values in _values(x)), default=0.0)
    return float(20.0 * np.log10(max(highest, _SILENT)))


class Judged(LevelTruth):
    """Levels of one or two channels; one counts as dual mono."""

    @cached_property
    def second_peaks(self) -> Series:
        """True peak of each started second, linear."""
        peaks = interval_peaks(self.x)
        starts = np.arange(0, self.frames, self.rate) + REACH
        starts[0] = 0
        return np.asarray(np.maximum.reduceat(peaks, starts))

    def psr_under(self, most_dbtp: float) -> float:
        """PSR P10 where no peak is read higher than ``most_dbtp``, dB; of at least 3 s."""
        other = Judged(self.x, self.rate)
        other.__dict__["_ebur"] = self._ebur
        other.__dict__["second_peaks"] = np.minimum(self.second_peaks, 10.0 ** (most_dbtp / 20.0))
        return other.psr_p10_db
