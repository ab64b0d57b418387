"""True peak: the highest value of the waveform between the samples, found at 16 times the rate.

    y[16 n + p] = sum over k of h[16 k + p] x[n + 10 - k],   p = 0..15,   x = 0 outside the file

``h`` is the filter of ``scipy.signal.resample_poly(x, 16, 1, window=("kaiser", 12.0))``, so that the
measure, the limiter and an independent check agree on what a true peak is. The 16 values that start
at frame ``n`` are called interval ``n``; its peak is their largest magnitude over all channels.

Most intervals need no filter. With ``m`` the largest sample within reach of an interval, its peak is
at most ``L1 m``, and at most ``max(|y[16 n]|, |y[16 n + 8]|, |y[16 n + 16]|) + E m``, where ``E`` is the
L1 norm of what linear interpolation from those three values leaves. Both bounds are exact inequalities,
so skipping changes no result.

Source: ITU-R BS.1770-5, Annex 2 (which asks for a factor of at least 4).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block, Samples64

OVERSAMPLING: Final = 16
REACH: Final = 10
"""Frames before and after an interval's first frame that its values depend on."""

_TAPS = 2 * REACH + 1
_HALF = OVERSAMPLING // 2
_RUN = 32
_MAGNITUDE = 0x7FFFFFFF
_ROUNDING = 1.0 + 1e-9
_Bits = NDArray[np.int32]


def _phases() -> Samples64:
    """Row ``k``, column ``p``: the weight of frame ``n - 10 + k`` in value ``p`` of interval ``n``."""
    prototype = firwin(2 * REACH * OVERSAMPLING + 1, 1 / OVERSAMPLING, window=("kaiser", 12.0))
    padded = np.zeros(_TAPS * OVERSAMPLING)
    padded[: len(prototype)] = OVERSAMPLING * prototype
    return np.ascontiguousarray(padded.reshape(_TAPS, OVERSAMPLING)[::-1])


def _interpolation_error(phases: Samples64) -> float:
    """``E``: how far a value can lie from the line through its neighbours at 0, 8 and 16, per unit."""
    taps = np.zeros((_TAPS + 1, OVERSAMPLING + 1))
    taps[:_TAPS, :OVERSAMPLING] = phases
    taps[1:, OVERSAMPLING] = phases[:, 0]
    worst = 0.0
    for low in (0, _HALF):
        for p in range(low + 1, low + _HALF):
            w = (p - low) / _HALF
            line = (1 - w) * taps[:, low] + w * taps[:, low + _HALF]
            worst = max(worst, float(np.abs(taps[:, p] - line).sum()))
    return worst


_PHASES: Final = _phases()
_L1: Final = float(np.abs(_PHASES).sum(axis=0).max()) * _ROUNDING
_ERROR: Final = _interpolation_error(_PHASES) * _ROUNDING
_AT_SAMPLE: Final = float(_PHASES[REACH, 0])


@kernel
def _largest(bits: _Bits, start: int, stop: int, word: _Bits) -> float:
    """Largest magnitude in the rows. Read as integers, because only those are compared in vectors."""
    largest = np.int32(0)
    for n in range(start, stop):
        for c in range(bits.shape[1]):
            largest = max(largest, np.int32(bits[n, c] & _MAGNITUDE))
    word[0] = largest
    return float(word.view(np.float32)[0])


@kernel
def _exact(x: Block, n: int, c: int, phases: Samples64) -> float:
    peak = 0.0
    for p in range(OVERSAMPLING):
        value = 0.0
        for k in range(_TAPS):
            value += phases[k, p] * x[n - REACH + k, c]
        peak = max(peak, abs(value))
    return peak


@kernel
def _run_peaks(
    x: Block, start: int, local: float, floor: float, phases: Samples64, near: Samples64, peaks: Samples64
) -> None:
    """Set ``peaks`` to those of the intervals from row ``start`` on; what is not above ``floor`` may read 0.

    ``local`` is the largest sample within reach of the run, ``near [2, run + 20]`` is scratch.
    """
    count = len(peaks)
    sample, halfway = near[0], near[1]
    peaks[:] = 0.0
    for c in range(x.shape[1]):
        for j in range(count + 2 * REACH):
            sample[j] = x[start - REACH + j, c]
        for j in range(count):
            halfway[j] = 0.0
        for k in range(1, REACH + 1):
            weight = phases[k, _HALF]
            for j in range(count):
                halfway[j] += weight * (sample[j + k] + sample[j + _TAPS - k])
        for j in range(count):
            at = max(abs(sample[j + REACH]), abs(halfway[j]), abs(sample[j + REACH + 1]))
            if at + _ERROR * local > max(floor, peaks[j]):
                peaks[j] = max(peaks[j], _exact(x, start + j, c, phases))


@kernel
def _measure(x: Block, bits: _Bits, stop: int, phases: Samples64, highest: float) -> float:
    """The highest of ``highest`` and the peaks of the intervals at rows 10 to ``stop`` of ``x``."""
    word = np.empty(1, np.int32)
    near = np.empty((2, _RUN + 2 * REACH))
    peaks = np.empty(_RUN)
    # A sample is itself a value of its interval, so the loudest one is where to start from.
    highest = max(highest, _AT_SAMPLE * _largest(bits, REACH, stop, word))
    for start in range(REACH, stop, _RUN):
        count = min(_RUN, stop - start)
        local = _largest(bits, start - REACH, start + count + REACH, word)
        if _L1 * local > highest:
            _run_peaks(x, start, local, highest, phases, near, peaks[:count])
            for j in range(count):
                highest = max(highest, peaks[j])
    return highest


class TruePeakMeter:
    """Measure the true peak of a stream of blocks: of each segment, and of everything.

    Shape:
        in: [frames, channels], finite samples; any number of frames, including 0.
    Delay:
        10 frames; ``flush`` measures the last ones, with zeros after the file's end.

    Attributes:
        peak: highest true peak so far, linear (1.0 = full scale), over all channels.
        segment_peaks: the same for each started segment of ``segment_frames`` frames.
    """

    def __init__(self, channels: int, segment_frames: int) -> None:
        if channels < 1 or segment_frames < 1:
            raise ValueError(f"wanted at least 1 channel and 1 frame, got {channels} and {segment_frames}")
        self._segment_frames = segment_frames
        self._measured = 0
        self._context = np.zeros((REACH, channels), np.float32)
        self.segment_peaks: list[float] = []

    @property
    def peak(self) -> float:
        return max(self.segment_peaks, default=0.0)

    def process(self, block: Block) -> None:
        x = np.concatenate([self._context, block])
        start, stop = REACH, len(x) - REACH
        while start < stop:
            segment, offset = divmod(self._measured, self._segment_frames)
            count = min(stop - start, self._segment_frames - offset)
            self._measure_segment(x[start - REACH : start + count + REACH], segment, count)
            self._measured += count
            start += count
        self._context = x[max(0, start - REACH) :].copy()

    def flush(self) -> None:
        """Measure the last 10 frames. Nothing may be processed after it."""
        self.process(np.zeros((REACH, self._context.shape[1]), np.float32))

    def _measure_segment(self, x: Block, segment: int, count: int) -> None:
        if segment == len(self.segment_peaks):
            self.segment_peaks.append(0.0)
        highest = self.segment_peaks[segment]
        self.segment_peaks[segment] = _measure(x, x.view(np.int32), REACH + count, _PHASES, highest)
