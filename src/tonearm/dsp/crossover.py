"""The inner loops that take sound apart into three bands and put it together with a gain for each.

    low = LP200(x)     rest = HP200(x)     high = HP4000(rest)     middle heard = LP4000(rest)
    y = g_m (x - low - high) + g_l low + g_h high

Butterworth low-pass and high-pass of one frequency share their poles, and so what is remembered:

    w[n] = x[n] - a1 w[n-1] - a2 w[n-2]     s = w[n] + w[n-2],   t = 2 w[n-1]
    LP = b (s + t)                          HP = c (s - t)

What is heard of the middle has a slope on both sides; what is turned is what the others leave, so that
gains of 1 give ``x`` back.

The two filters of two channels are four lanes; the second filter is a chunk of frames behind the first.

Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients";
J. O. Smith, "Introduction to Digital Filters", section "Direct Form II".
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.kernels import kernel
from tonearm.dsp.lanes import LANES, load, store
from tonearm.dsp.logarithms import factor
from tonearm.dsp.stft import Signal
from tonearm.model.audio import Block, Samples64

BANDS: Final = 3

PEAK: Final = 3
"""Of what is heard in a frame, the first three numbers are the power of each band, of two channels half
the sum, and this is the largest magnitude."""

HEARD: Final = LANES

CHUNK: Final = 256
"""At each multiple of so many frames of the file, what has died away is made zero."""

FILTERS: Final = 5
"""Rows of four: a1, a2, b, c, and 2."""

STATES: Final = 2

_FADED = 1e-12


def filters(splits_hz: tuple[float, float], highest_hz: float, rate: int) -> Samples64:
    """Butterworth, at two frequencies, or at ``highest_hz`` where they lie higher: ``[FILTERS * LANES]``."""
    columns = []
    for split in splits_hz:
        w = 2.0 * math.pi * min(split, highest_hz) / rate
        cos, alpha = math.cos(w), math.sin(w) * math.sqrt(0.5)
        column = np.array(
            [-2.0 * cos, 1.0 - alpha, (1.0 - cos) / 2.0, (1.0 + cos) / 2.0, 2.0 * (1.0 + alpha)]
        )
        columns += [column / (1.0 + alpha)] * 2
    return np.ascontiguousarray(np.array(columns).T.reshape(-1))


@kernel
def _filter(into: Samples64, first: int, stop: int, by: Samples64, state: Samples64, outs: Samples64) -> None:
    """Rows ``first`` to ``stop`` of ``into`` to low-pass and high-pass, ``outs [2, CHUNK * LANES]``."""
    a1, a2, b, c, two = load(by, 0), load(by, 1), load(by, 2), load(by, 3), load(by, 4)
    under, over = outs[0], outs[1]
    p, q = load(state, 0), load(state, 1)
    for n in range(first, stop):
        now = (load(into, n) - a2 * q) - a1 * p
        outer, middle = now + q, two * p
        store(under, n, b * (outer + middle))
        store(over, n, c * (outer - middle))
        p, q = now, p
    store(state, 0, p)
    store(state, 1, q)


@kernel
def _advance(
    into: Samples64, count: int, late: int, by: Samples64, state: Samples64, outs: Samples64
) -> None:
    """Filter ``count`` rows of the first two lanes and ``late`` of the others, leaving the rest alone."""
    both = min(count, late)
    _filter(into, 0, both, by, state, outs)
    if count != late:
        kept = state.copy()
        _filter(into, both, max(count, late), by, state, outs)
        still = 2 if count > late else 0
        for k in range(STATES):
            for lane in range(still, still + 2):
                state[k * LANES + lane] = kept[k * LANES + lane]


@kernel
def _split_pair(
    x: Block,
    c: int,
    d: int,
    first: int,
    by: Samples64,
    state: Samples64,
    low: Block,
    high: Block,
    heard: Samples64,
) -> None:
    """Split channels ``c`` and ``d`` and add what is heard; an odd last one is its own partner."""
    share = 0.5 if c != d or x.shape[1] == 1 else 0.25
    into, outs = np.zeros(CHUNK * LANES), np.empty((2, CHUNK * LANES))
    under, over = outs[0], outs[1]
    start, late = 0, 0
    while start < len(x) or late > 0:
        count = min(len(x) - start, CHUNK - (first + start) % CHUNK)
        for n in range(count):
            v, w = np.float64(x[start + n, c]), np.float64(x[start + n, d])
            into[LANES * n], into[LANES * n + 1] = v, w
            at = HEARD * (start + n) + PEAK
            heard[at] = max(heard[at], abs(v), abs(w))
        _advance(into, count, late, by, state, outs)
        for n in range(late):
            i, m = LANES * n, start - late + n
            high[m, c], high[m, d] = over[i + 2], over[i + 3]
            heard[HEARD * m + 1] += share * (under[i + 2] * under[i + 2] + under[i + 3] * under[i + 3])
            heard[HEARD * m + 2] += share * (over[i + 2] * over[i + 2] + over[i + 3] * over[i + 3])
        for n in range(count):
            i, m = LANES * n, start + n
            low[m, c], low[m, d] = under[i], under[i + 1]
            heard[HEARD * m] += share * (under[i] * under[i] + under[i + 1] * under[i + 1])
            into[i + 2], into[i + 3] = over[i], over[i + 1]
        # The late lanes are those of the chunk before, so each is looked at where its own chunk ends.
        for k in range(STATES * LANES):
            ends = first + start + (count if k % LANES < 2 else 0)
            if ends % CHUNK == 0 and abs(state[k]) < _FADED:
                state[k] = 0.0
        start, late = start + count, count


@kernel
def split(
    x: Block, first: int, by: Samples64, state: Samples64, low: Block, high: Block, heard: Samples64
) -> None:
    """Take ``x`` apart.

    Args:
        x: ``[frames, channels]``; row 0 is frame ``first`` of the file.
        by: as ``filters`` gives them.
        state: ``[pairs of channels, STATES * LANES]``, goes on.
        low, high: as ``x``, written.
        heard: ``[frames * HEARD]``, written.
    """
    heard[:] = 0.0
    channels = x.shape[1]
    for c in range(0, channels, 2):
        _split_pair(x, c, min(c + 1, channels - 1), first, by, state[c // 2], low, high, heard)


@kernel
def put_together(x: Block, low: Block, high: Block, gains_db: Signal, y: Block) -> None:
    """Put ``y``, which has the shape of the three, together; ``gains_db [BANDS, frames]``, overwritten."""
    lows, mids, highs = gains_db[0], gains_db[1], gains_db[2]
    for n in range(len(y)):
        mid = factor(mids[n])
        lows[n], mids[n], highs[n] = factor(lows[n]) - mid, mid, factor(highs[n]) - mid
    channels = y.shape[1]
    if channels == 2:
        flat, bass, treble, out = x.reshape(-1), low.reshape(-1), high.reshape(-1), y.reshape(-1)
        for n in range(len(y)):
            i, j = 2 * n, 2 * n + 1
            out[i] = mids[n] * flat[i] + lows[n] * bass[i] + highs[n] * treble[i]
            out[j] = mids[n] * flat[j] + lows[n] * bass[j] + highs[n] * treble[j]
    else:
        for n in range(len(y)):
            for c in range(channels):
                y[n, c] = mids[n] * x[n, c] + lows[n] * low[n, c] + highs[n] * high[n, c]
