"""True-peak limiter: look ahead, reduce smoothly, never exceed the threshold between the samples.

    d[n] = max(0, 1 - threshold / peak of interval n)      over all channels: they share one gain
    M[n] = max of d over n - 10 - hold .. n + 10 + L       look-ahead and hold
    f[n] = max(M[n], f[n-1] exp(-1 / fast))                release after a single peak
    s[n] = s[n-1] + (f[n] - s[n-1]) (1 - exp(-1 / slow))   what has been needed lately
    r[n] = (B1 * B2 * B3 * max(f, s))[n]                   three moving averages, L + 1 frames long
    y[n] = (1 - r[n]) x[n]

``M`` is a plateau that covers a peak, the 10 frames on either side that its interpolation reads, and
the whole length of the averages; so over these frames ``r`` is never under ``d`` and, for the peak that
sets it, constant: what the interpolation makes of the reduced samples is the reduced peak. A slope of
``r`` over a lesser peak comes with more reduction than the slope can undo (L is long against 10).

Three averages in a row have the shape of a Hann window, at the cost of three sums a frame. They run over
integers (units of 2^-30), so their sums are exact: no drift, no dependence on what was long ago, and
nothing is left once the reduction is over. Then ``y`` is ``x`` bit for bit.

Source: U. Zoelzer (ed.), "DAFX: Digital Audio Effects", 2nd ed., chapter 4 (limiter); what is detected
is the interpolated waveform of ``dsp/truepeak.py``.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.kernels import kernel
from tonearm.dsp.truepeak import REACH, required_reductions
from tonearm.model.audio import Block, Samples64

MARGIN_DB: Final = 0.05
"""How far under a ceiling the threshold lies: what a finer meter than ours could still find."""

LOOK_AHEAD_S: Final = 0.006
MIN_LOOK_AHEAD: Final = 160
HOLD_S: Final = 0.008
FAST_S: Final = 0.06
SLOW_S: Final = 0.3

_Counts = NDArray[np.int64]
_NOW, _FIRST, _WAITING = 0, 1, 2
_SHARES = (0.5, 0.3, 0.2)
_UNIT = 2.0**30
_NEGLIGIBLE = 1e-5
"""Reductions under this (0.0001 dB) are none: the limiter idles on peaks that just touch the threshold."""


def _averages(rate: int) -> tuple[int, int, int]:
    """Lengths of the three moving averages, frames."""
    look_ahead = max(math.ceil(LOOK_AHEAD_S * rate), MIN_LOOK_AHEAD)
    first, second, third = (max(2, round(share * look_ahead)) for share in _SHARES)
    return first, second, third


@kernel
def _envelope(
    required: Samples64,
    window: int,
    fast: float,
    slow: float,
    levels: Samples64,
    counts: _Counts,
    frames: _Counts,
    peaks: Samples64,
    envelope: Samples64,
) -> None:
    """Hold the largest of ``required`` over ``window`` frames, then release.

    The candidates for the largest wait in a ring, falling in value: ``frames`` and ``peaks [window]``.
    ``counts``: frames so far, index of the first candidate, number of them. ``levels``: f and s.
    """
    for n in range(len(required)):
        now, first, size = counts[_NOW], counts[_FIRST], counts[_WAITING]
        if size > 0 and frames[first] <= now - window:
            first, size = (first + 1) % window, size - 1
        if required[n] > _NEGLIGIBLE:
            while size > 0 and peaks[(first + size - 1) % window] <= required[n]:
                size -= 1
            frames[(first + size) % window] = now
            peaks[(first + size) % window] = required[n]
            size += 1
        largest = peaks[first] if size > 0 else 0.0
        levels[0] = max(largest, fast * levels[0])
        levels[1] = levels[0] + slow * (levels[1] - levels[0])
        if max(levels[0], levels[1]) < _NEGLIGIBLE:
            levels[0], levels[1] = 0.0, 0.0
        envelope[n] = max(levels[0], levels[1])
        counts[_NOW], counts[_FIRST], counts[_WAITING] = now + 1, first, size


@kernel
def _average(
    envelope: Samples64,
    rings: _Counts,
    lengths: _Counts,
    at: _Counts,
    sums: _Counts,
) -> None:
    """Run the moving averages over ``envelope``, in place. ``rings [3, longest]``, the others ``[3]``."""
    scale = 1.0 / (_UNIT * lengths[0] * lengths[1] * lengths[2])
    for n in range(len(envelope)):
        value = np.int64(math.ceil(envelope[n] * _UNIT))
        if value == 0 and sums[0] == 0 and sums[1] == 0 and sums[2] == 0:
            continue
        for k in range(3):
            sums[k] += value - rings[k, at[k]]
            rings[k, at[k]] = value
            at[k] = at[k] + 1 if at[k] + 1 < lengths[k] else 0
            value = sums[k]
        envelope[n] = value * scale


@kernel
def _reduce(x: Block, reductions: Samples64, y: Block) -> float:
    """``y = (1 - reductions) x``; returns the largest reduction."""
    given, out, channels = x.reshape(-1), y.reshape(-1), x.shape[1]
    if channels == 2:  # a fixed number, which compiles to few instructions
        for n in range(len(reductions)):
            gain = 1.0 - reductions[n]
            out[2 * n], out[2 * n + 1] = given[2 * n] * gain, given[2 * n + 1] * gain
    else:
        for n in range(len(reductions)):
            gain = 1.0 - reductions[n]
            for c in range(channels):
                out[channels * n + c] = given[channels * n + c] * gain
    largest = 0.0
    for n in range(len(reductions)):
        largest = max(largest, reductions[n])
    return largest


def _linear(threshold_dbtp: float) -> float:
    if math.isnan(threshold_dbtp):
        raise ValueError("the threshold must be a number")
    return math.inf if threshold_dbtp == math.inf else float(10.0 ** (threshold_dbtp / 20.0))


class TruePeakLimiter:
    """Keep the true peak of a stream of blocks at or under a threshold.

    Shape:
        in and out: [frames, channels], under +120 dBFS; any number of frames, including 0. ``process``
        returns fewer frames than it got until ``delay`` frames have come in; ``flush`` returns the rest,
        so that in total as many come out as went in, aligned.
    Delay:
        ``delay`` frames (6.5 ms at 44.1 kHz), already taken off.

    Outside the stream there are zeros. Under the threshold the output is the input bit for bit.

    Args:
        threshold_dbtp: dBTP; infinite for no limit.
        rate: frames a second.
        channels: linked: one gain for all of them.
    """

    def __init__(self, threshold_dbtp: float, rate: int, channels: int) -> None:
        lengths = _averages(rate)
        look_ahead = sum(lengths) - len(lengths)
        window = look_ahead + 2 * REACH + 1 + round(HOLD_S * rate)
        self.delay = look_ahead + 2 * REACH
        self.reduction_db = 0.0
        self._thresholds = [(0, _linear(threshold_dbtp))]
        self._received = 0
        self._tail = np.zeros((self.delay, channels), np.float32)
        self._fast = math.exp(-1.0 / (FAST_S * rate))
        self._slow = math.exp(-1.0 / (SLOW_S * rate))
        self._window = window
        self._held = 0.0
        self._levels = np.zeros(2)
        self._counts = np.zeros(3, np.int64)
        self._frames = np.zeros(window, np.int64)
        self._peaks = np.zeros(window)
        self._lengths = np.array(lengths, np.int64)
        self._rings = np.zeros((len(lengths), max(lengths)), np.int64)
        self._at = np.zeros(len(lengths), np.int64)
        self._sums = np.zeros(len(lengths), np.int64)

    def set_threshold(self, threshold_dbtp: float) -> None:
        """Hold another threshold from the next frame that comes in; the gain moves there smoothly."""
        self._thresholds.append((self._received, _linear(threshold_dbtp)))

    def process(self, block: Block) -> Block:
        return self._advance(block, self._received + len(block) - REACH)

    def flush(self) -> Block:
        """The last ``delay`` frames, zeros being assumed after them. Nothing may be processed after it."""
        return self._advance(np.zeros_like(self._tail), self._received)

    def _advance(self, block: Block, stop: int) -> Block:
        """Take ``block`` in, look for peaks up to frame ``stop``, and give the frames that are due."""
        x = np.concatenate([self._tail, block])
        reductions = np.zeros(len(block))
        self._detect(x, reductions, stop)
        self._received += len(block)
        out = self._reduced(x[: len(block)], reductions)
        self._tail = x[len(block) :].copy()
        return out[max(0, len(block) - max(0, self._received - self.delay)) :]

    def _reduced(self, x: Block, reductions: Samples64) -> Block:
        """Make the required ``reductions`` smooth and apply them to ``x``, the frames that are due."""
        if not (reductions.any() or self._counts[_WAITING] or self._levels.any() or self._sums.any()):
            self._counts[_NOW] += len(x)
            self.reduction_db = 0.0
            return x
        _envelope(
            reductions,
            self._window,
            self._fast,
            self._slow,
            self._levels,
            self._counts,
            self._frames,
            self._peaks,
            reductions,
        )
        _average(reductions, self._rings, self._lengths, self._at, self._sums)
        out = np.empty_like(x)
        self.reduction_db = -20.0 * math.log10(max(1.0 - _reduce(x, reductions, out), 1.0 / _UNIT))
        return out

    def _detect(self, x: Block, reductions: Samples64, stop: int) -> None:
        """Fill in what the intervals need, by the threshold that held when their first frame came in.

        The intervals before frame 0 count too: sound that begins at its loudest rings before its first
        sample.
        """
        first = start = self._received - REACH
        while start < stop:
            while len(self._thresholds) > 1 and self._thresholds[1][0] <= start:
                self._thresholds.pop(0)
            end = min(stop, self._thresholds[1][0]) if len(self._thresholds) > 1 else stop
            row = self.delay + start - self._received
            self._held = required_reductions(
                x[row - REACH : row + end - start + REACH],
                self._thresholds[0][1],
                self._fast,
                self._held,
                reductions[start - first : end - first],
            )
            start = end
