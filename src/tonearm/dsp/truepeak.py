"""True peak: the highest value of the waveform between the samples, found at 16 times the rate.

    y[16 n + p] = sum over k of h[16 k + p] x[n + 10 - k],   p = 0..15,   x = 0 outside the file

``h`` is the filter of ``scipy.signal.resample_poly(x, 16, 1, window=("kaiser", 12.0))``, so that the
measure, the limiter and an independent check agree on what a true peak is. The 16 values that start
at frame ``n`` are called interval ``n``; its peak is their largest magnitude over all channels.

Most intervals need no filter. With ``m`` the largest sample within reach of an interval, and ``b`` the
largest second difference ``|x[n] - 2 x[n + 1] + x[n + 2]|``, its peak is at most ``L1 m``; at most
``(1 + R) m + B b``, where ``B`` is the L1 norm, over second differences, of what linear interpolation
between the samples leaves (music bends little where it is loud); and at most the largest of the values
at 0, 8 and 16 plus ``E m``, where ``E`` is the L1 norm of what linear interpolation between those values
leaves; and so on with 0, 4, 8, 12 and 16. These are exact inequalities, so skipping by them changes no
result.

Source: ITU-R BS.1770-5, Annex 2 (which asks for a factor of at least 4).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.fir import low_pass
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal, channel_signals
from tonearm.model.audio import Block, Samples64

OVERSAMPLING: Final = 16
REACH: Final = 10
"""Frames before and after an interval's first frame that its values depend on."""

_TAPS = 2 * REACH + 1
_MIDDLE = OVERSAMPLING // 2
_RUN = 32
_RUNS = 8 * _RUN
_STRETCH = 64
_MAGNITUDE = 0x7FFFFFFF
_ROUNDING = 1.0 + 1e-9
_ROUNDING_32 = 1e-6
_UP = 1.0 + 1e-6
_Bits = NDArray[np.int32]


def _phases() -> Samples64:
    """Row ``k``, column ``p``: the weight of frame ``n - 10 + k`` in value ``p`` of interval ``n``."""
    prototype = low_pass(2 * REACH * OVERSAMPLING + 1, 1 / OVERSAMPLING, 12.0)
    padded = np.zeros(_TAPS * OVERSAMPLING)
    padded[: len(prototype)] = OVERSAMPLING * prototype
    return np.ascontiguousarray(padded.reshape(_TAPS, OVERSAMPLING)[::-1])


def _off_the_line(phases: Samples64, step: int) -> Samples64:
    """``[22, 16]``: the filters of what linear interpolation between the values at each ``step`` leaves."""
    taps = np.zeros((_TAPS + 1, OVERSAMPLING + 1))
    taps[:_TAPS, :OVERSAMPLING] = phases
    taps[1:, OVERSAMPLING] = phases[:, 0]
    p = np.arange(OVERSAMPLING)
    low, w = p - p % step, p % step / step
    return np.asarray(taps[:, p] - ((1 - w) * taps[:, low] + w * taps[:, low + step]))


def _interpolation_error(phases: Samples64, step: int) -> float:
    """``E``: how far a value can lie from the line between its neighbours on a grid of ``step``, per unit."""
    return float(np.abs(_off_the_line(phases, step)).sum(axis=0).max()) * _ROUNDING


def _bending_error(phases: Samples64) -> tuple[float, float]:
    """``B`` and ``R``: the same between samples, per unit of the second difference, and what remains.

    By summation by parts, twice: with C1 and C2 the running sums of the filter and of those, it is
    sum over k of C2[k] (second difference k), plus the last C1 times a sample, less the last C2 times
    a first difference.
    """
    first = np.cumsum(_off_the_line(phases, OVERSAMPLING), axis=0)
    second = np.cumsum(first[:-1], axis=0)
    bending = float(np.abs(second[:-1]).sum(axis=0).max()) * _ROUNDING
    rest = float((np.abs(first[-1]) + 2.0 * np.abs(second[-1])).max()) * _ROUNDING
    return bending, rest + _ROUNDING_32


def _pairs(phases: Samples64) -> Samples64:
    """``[2, 9, 10]``: even and odd part of the weights of value ``p``; those of ``16 - p`` mirror them."""
    near, far = phases[1 : REACH + 1, : _MIDDLE + 1], phases[:REACH:-1, : _MIDDLE + 1]
    return np.ascontiguousarray(np.stack([(near + far) / 2, (near - far) / 2]).transpose(0, 2, 1))


_PHASES: Final = _phases()
_PAIRS: Final = _pairs(_PHASES)
_AT_SAMPLE: Final = float(_PHASES[REACH, 0])
_L1: Final = float(np.abs(_PHASES).sum(axis=0).max()) * _ROUNDING
_BENDING_ERROR, _REST_ERROR = _bending_error(_PHASES)
_HALVES_ERROR: Final = _interpolation_error(_PHASES, _MIDDLE)
_QUARTERS_ERROR: Final = _interpolation_error(_PHASES, _MIDDLE // 2)


@kernel
def _largest(bits: _Bits, start: int, stop: int, word: _Bits) -> float:
    """Largest magnitude of the samples. Read as integers, because only those are compared in vectors."""
    largest = np.int32(0)
    for n in range(start, stop):
        largest = max(largest, np.int32(bits[n] & _MAGNITUDE))
    word[0] = largest
    return float(word.view(np.float32)[0])


@kernel
def _raise_to_pair(
    sample: Samples64, pairs: Samples64, p: int, first: int, stop: int, values: Samples64
) -> None:
    """Raise ``values`` to the magnitudes of the values ``p`` and ``16 - p`` of their intervals.

    With a and b the sums over the even and the odd part, those are |a + b| and |a - b|.
    """
    for j in range(first, stop):
        a, b = 0.0, 0.0
        for k in range(REACH):
            before, after = sample[j + 1 + k], sample[j + 2 * REACH - k]
            a += pairs[0, p, k] * (before + after)
            b += pairs[1, p, k] * (before - after)
        values[j] = max(values[j], abs(a) + abs(b))


@kernel
def _candidates(values: Samples64, first: int, stop: int, least: float) -> tuple[int, int]:
    """First and last-but-one of the intervals that have, or end at, a value above ``least``."""
    while first < stop and values[first] <= least and values[first + 1] <= least:
        first += 1
    while first < stop and values[stop - 1] <= least and values[stop] <= least:
        stop -= 1
    return first, stop


@kernel
def _run_peaks(
    x: Signal,
    start: int,
    step: int,
    local: float,
    floor: float,
    pairs: Samples64,
    scratch: Samples64,
    peaks: Samples64,
) -> None:
    """Set ``peaks`` to those of the intervals from sample ``start`` on; lower where not above ``floor``.

    ``x`` holds ``step`` channels, sample by sample; ``local`` is the largest sample within reach of the
    run; ``scratch [2, run + 21]``.
    """
    count = len(peaks)
    sample, values = scratch[0], scratch[1]
    peaks[:] = 0.0
    for c in range(step):
        for j in range(count + 2 * REACH):
            sample[j] = x[start + (j - REACH) * step + c]
        for j in range(count + 1):
            values[j] = _AT_SAMPLE * abs(sample[j + REACH])
        _raise_to_pair(sample, pairs, _MIDDLE, 0, count, values)
        first, stop = _candidates(values, 0, count, floor - _HALVES_ERROR * local)
        _raise_to_pair(sample, pairs, _MIDDLE // 2, first, stop, values)
        first, stop = _candidates(values, first, stop, floor - _QUARTERS_ERROR * local)
        if first < stop:
            for p in (1, 2, 3, 5, 6, 7):
                _raise_to_pair(sample, pairs, p, first, stop, values)
        for j in range(count):
            peaks[j] = max(peaks[j], values[j])


@kernel
def _survey(x: Signal, tops: Signal, possible: Signal) -> None:
    """Look once at each stretch of 64 samples, the last of which may be shorter.

    ``tops`` takes the largest magnitude of each stretch, ``possible`` what no peak exceeds whose interval
    reaches only samples of a stretch and the next one.
    """
    bends = np.zeros(_STRETCH, np.float32)
    bits, bend_bits = x.view(np.int32), bends.view(np.int32)
    top_bits, most_bits = tops.view(np.int32), possible.view(np.int32)
    whole = max(0, len(x) - 2) // _STRETCH
    for i in range(whole):
        largest, most, start = np.int32(0), np.int32(0), i * _STRETCH
        for n in range(_STRETCH):  # a fixed length, which compiles to a few instructions
            bends[n] = (x[start + n] + x[start + n + 2]) - np.float32(2.0) * x[start + n + 1]
            largest = max(largest, np.int32(bits[start + n] & _MAGNITUDE))
        for n in range(_STRETCH):
            most = max(most, np.int32(bend_bits[n] & _MAGNITUDE))
        top_bits[i], most_bits[i] = largest, most
    for i in range(whole, len(tops)):
        tops[i] = np.float32(0.0)
        for n in range(i * _STRETCH, min(len(x), (i + 1) * _STRETCH)):
            tops[i] = max(tops[i], abs(x[n]))
        possible[i] = np.float32(4.0) * tops[i]
    for i in range(len(tops)):
        after = min(i + 1, len(tops) - 1)
        top, bend = max(tops[i], tops[after]), max(possible[i], possible[after])
        possible[i] = min(_L1 * top, (1.0 + _REST_ERROR) * top + _BENDING_ERROR * bend) * _UP


@kernel
def _measure(
    x: Signal, tops: Signal, possible: Signal, start: int, stop: int, pairs: Samples64, highest: float
) -> float:
    """The highest of ``highest`` and the peaks of the intervals ``start`` to ``stop`` of one channel."""
    bits, word = x.view(np.int32), np.empty(1, np.int32)
    scratch, peaks = np.empty((2, _RUN + 2 * REACH + 1)), np.empty(_RUN)
    # A sample is itself a value of its interval, so the loudest one is where to start from.
    for i in range(-(-start // _STRETCH), stop // _STRETCH):
        highest = max(highest, _AT_SAMPLE * tops[i])
    first = start
    while first < stop:
        i = (first - REACH) // _STRETCH
        end = min(stop, first + _RUN, (i + 2) * _STRETCH - REACH)
        if possible[i] > highest:
            local = _largest(bits, first - REACH, end + REACH, word)
            _run_peaks(x, first, 1, local, highest, pairs, scratch, peaks[: end - first])
            for j in range(end - first):
                highest = max(highest, peaks[j])
        first = end
    return highest


@kernel
def _require(
    x: Signal,
    channels: int,
    threshold: float,
    decay: float,
    held: float,
    pairs: Samples64,
    reductions: Samples64,
) -> float:
    bits, word = x.view(np.int32), np.empty(1, np.int32)
    scratch, peaks = np.empty((2, _RUN + 2 * REACH + 1)), np.empty(_RUN)
    quiet_until = 0
    for first in range(0, len(reductions), _RUN):
        run = reductions[first : first + _RUN]
        run[:] = 0.0
        low, high = first * channels, (first + len(run) + 2 * REACH) * channels
        if first % _RUNS == 0:
            last = min(first + _RUNS, len(reductions))
            top = _largest(bits, low, (last + 2 * REACH) * channels, word)
            quiet_until = last if _L1 * top <= threshold else 0
        if first >= quiet_until:
            local = _largest(bits, low, high, word)
            floor = threshold / (1.0 - held * decay ** len(run))
            if _L1 * local > floor:
                start = (REACH + first) * channels
                _run_peaks(x, start, channels, local, floor, pairs, scratch, peaks[: len(run)])
                for j in range(len(run)):
                    if peaks[j] > floor:
                        run[j] = 1.0 - threshold / peaks[j]
        if held > 0.0 or first >= quiet_until:
            for j in range(len(run)):
                held = max(run[j], held * decay)
    return held


def required_reductions(
    x: Block, threshold: float, decay: float, held: float, reductions: Samples64
) -> float:
    """Set ``reductions`` to ``1 - threshold / peak`` of each interval, 0 where its peak is lower.

    A reduction that is smaller than an earlier one times ``decay`` for every frame since may read 0
    too: a limiter that releases no faster than that has no use for it, and need not pay for it.

    Args:
        x: ``[10 + intervals + 10, channels]``, C-contiguous: the intervals with what they depend on.
        threshold: linear, may be infinite.
        decay: 0..1, per frame.
        held: what the previous call returned; 0 to begin with.
        reductions: float64 ``[intervals]``, written.

    Returns:
        The largest decayed reduction after the last interval.
    """
    return _require(x.reshape(-1), x.shape[1], threshold, decay, held, _PAIRS, reductions)


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
        if len(block) > 2 * REACH:
            self._take(np.concatenate([self._context, block[: 2 * REACH]]))
            self._take(block)
            self._context = block[-2 * REACH :].copy()
        else:
            x = np.concatenate([self._context, block])
            self._take(x)
            self._context = x[-2 * REACH :]

    def restart(self) -> float:
        """The highest true peak since the last restart, linear; segments begin anew with the next frame.

        The 10 frames of delay are left to what comes next.
        """
        highest = self.peak
        self.segment_peaks, self._measured = [], 0
        return highest

    def flush(self) -> None:
        """Measure the last 10 frames. Nothing may be processed after it."""
        self.process(np.zeros((REACH, self._context.shape[1]), np.float32))

    def _take(self, x: Block) -> None:
        """The intervals that have all they depend on in ``x``."""
        start, stop = REACH, len(x) - REACH
        stretches = -(-len(x) // _STRETCH)
        channels = []
        for signal in channel_signals(x):
            tops, possible = np.empty((2, stretches), np.float32)
            _survey(signal, tops, possible)
            channels.append((signal, tops, possible))
        while start < stop:
            segment, offset = divmod(self._measured, self._segment_frames)
            end = min(stop, start + self._segment_frames - offset)
            if segment == len(self.segment_peaks):
                self.segment_peaks.append(0.0)
            for channel in channels:
                highest = self.segment_peaks[segment]
                self.segment_peaks[segment] = _measure(*channel, start, end, _PAIRS, highest)
            self._measured += end - start
            start = end
