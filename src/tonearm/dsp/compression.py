"""The inner loops of compression: by how much each of three bands is turned down, frame by frame.

    part_b  = smooth(1 + (level of the band's mean power - full_b) / SPAN_DB)
    eased_b = max(part_b, eased_b + (part_b - eased_b) taken)
    gain of band b, dB = - reduction eased_b

``smooth(t) = t^2 (3 - 2 t)``, t held to 0..1. A frame is decided by what was heard up to it, and by nothing
else: where a file begins or a block is cut does not matter.
"""

from typing import Final

import numpy as np

from tonearm.dsp.crossover import BANDS, CHUNK, HEARD
from tonearm.dsp.kernels import kernel
from tonearm.dsp.lanes import LANES, load, spread, store
from tonearm.dsp.logarithms import Exponents, decibels
from tonearm.dsp.stft import Signal
from tonearm.model.audio import Samples64

SPAN_DB: Final = 16.0
"""Over so many dB of level compression goes from nothing to the whole reduction."""

# Columns of ``values``, one row for each frame, or one for all; FULL is the first of three.
REDUCTION, FULL = 0, 1
# Rows of four, in ``means`` and in ``keeps``, where what is taken in follows what is kept.
MEAN, EASED = 0, 1
MEANS: Final = 2

_LEAST_POWER = 1e-30
_FADED = 1e-20
_SPAN = np.float32(1 / SPAN_DB)
_NONE, _ONE, _TWO, _THREE = np.float32(0.0), np.float32(1.0), np.float32(2.0), np.float32(3.0)


@kernel
def _curve(levels_db: Signal, full_db: float) -> None:
    """Which part of the reduction a level asks for, 0..1, in its place."""
    full = np.float32(full_db)
    for n in range(len(levels_db)):
        t = min(_ONE, max(_NONE, _ONE + (levels_db[n] - full) * _SPAN))
        levels_db[n] = t * t * (_THREE - _TWO * t)


@kernel
def _ease(
    values: Samples64,
    keeps: Samples64,
    means: Samples64,
    lows: Signal,
    mids: Signal,
    highs: Signal,
    gains_db: Signal,
) -> float:
    """Set gains to what the parts of the three bands come to over time; returns the most of it, dB."""
    kept, taken = keeps[LANES * EASED], keeps[LANES * (MEANS + EASED)]
    low, mid, high = means[LANES * EASED], means[LANES * EASED + 1], means[LANES * EASED + 2]
    most, steady = 0.0, len(values) == 1
    low_db, mid_db, high_db = gains_db[0], gains_db[1], gains_db[2]
    for n in range(len(lows)):
        low = max(lows[n], kept * low + taken * lows[n])
        mid = max(mids[n], kept * mid + taken * mids[n])
        high = max(highs[n], kept * high + taken * highs[n])
        whole = values[0 if steady else n, REDUCTION]
        most = max(most, whole * max(low, mid, high))
        low_db[n], mid_db[n], high_db[n] = -whole * low, -whole * mid, -whole * high
    means[LANES * EASED], means[LANES * EASED + 1], means[LANES * EASED + 2] = low, mid, high
    return most


@kernel
def _chunk(
    heard: Samples64,
    values: Samples64,
    keeps: Samples64,
    means: Samples64,
    levels: Signal,
    exponents: Exponents,
    gains_db: Signal,
) -> float:
    """Set the gains of a chunk to what compression takes; returns the most of it, dB."""
    count, steady = gains_db.shape[1], len(values) == 1
    mean, kept, taken = load(means, MEAN), load(keeps, MEAN), load(keeps, MEANS + MEAN)
    lows, mids, highs = levels[0], levels[1], levels[2]
    for n in range(count):
        mean = kept * mean + taken * load(heard, n)
        low, mid, high, _ = spread(mean)
        lows[n], mids[n], highs[n] = max(low, _LEAST_POWER), max(mid, _LEAST_POWER), max(high, _LEAST_POWER)
    store(means, MEAN, mean)
    for b in range(BANDS):
        row = levels[b]
        decibels(row, exponents)
        if steady:
            _curve(row, values[0, FULL + b])
        else:
            for n in range(count):
                _curve(row[n : n + 1], values[n, FULL + b])
    return _ease(values, keeps, means, lows, mids, highs, gains_db)


@kernel
def compress(
    heard: Samples64, first: int, values: Samples64, keeps: Samples64, means: Samples64, gains_db: Signal
) -> float:
    """Set the gain of each band for each frame that was heard; returns the most that is taken, dB.

    Args:
        heard: ``[frames * HEARD]``, of ``dsp/crossover.py``; the first is of frame ``first`` of the file.
        values: ``[frames or 1, ...]``, of which the columns named here are read.
        keeps: ``[2 * MEANS * LANES]``, per frame.
        means: ``[MEANS * LANES]``, go on.
        gains_db: ``[BANDS, frames]``, written.
    """
    room, exponents = np.empty(2 * BANDS * CHUNK, np.float32), np.empty(CHUNK, np.int32)
    frames, start, most = gains_db.shape[1], 0, 0.0
    while start < frames:
        stop = min(frames, start + CHUNK - (first + start) % CHUNK)
        now = values if len(values) == 1 else values[start:stop]
        rows = room[: 2 * BANDS * (stop - start)].reshape(2 * BANDS, stop - start)
        part = heard[HEARD * start : HEARD * stop]
        most = max(
            most, _chunk(part, now, keeps, means, rows[:BANDS], exponents[: stop - start], rows[BANDS:])
        )
        gains_db[:, start:stop] = rows[BANDS:]
        if (first + stop) % CHUNK == 0:
            for k in range(len(means)):
                means[k] = 0.0 if means[k] < _FADED else means[k]
        start = stop
    return most
