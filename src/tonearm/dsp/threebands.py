"""The inner loops of ``dsp/dynamics.py``: three bands are split, heard, and put together with a gain each.

    low = LP200(x)     rest = HP200(x)     high = HP4000(rest)     middle heard = LP4000(rest)
    y = g_m (x - low - high) + g_l low + g_h high

State-variable filters give low-pass and high-pass at once. What is heard of the middle has a slope on
both sides; what is turned is what the others leave, so that gains of 1 give ``x`` back.

Everything that moves is worked out once every step of frames (``step``), at multiples of it from frame 0
of the file, for all channels together; within a step gains are linear. What is heard is ``ahead`` frames
before what is turned.

Source: V. Zavalishin, "The Art of VA Filter Design", chapter 4 (state-variable filter with trapezoidal
integration).
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block, Samples64

BANDS: Final = 3

SPAN_DB: Final = 16.0
"""Over so many dB of level compression goes from nothing to the whole reduction."""

BELOW_DB: Final = 1.0
"""A peak this far under the level of the track's peaks opens nothing."""

ABOVE_DB: Final = 1.0
"""A peak this far over it needs the least rise to count as an attack."""

WIDTH_DB: Final = 2.0
"""From the rise at which an attack begins to count to that at which it counts whole."""

LEAKS_DB: Final = 18.0
SOUNDS_DB: Final = 6.0
"""The middle band so far under the lowest has no attack of its own; so much nearer to it, it may have."""

# Columns of ``values``, one row for each step; OPENS is PEAKS less BELOW_DB, linear.
REDUCTION, FULL, BOOST, PEAKS, TRUE_PEAK, OPENS = 0, 1, 4, 5, 6, 7
VALUES: Final = 8
# Columns of ``bands``, one row for each band: what is remembered of it.
FAST, SLOW, MEAN, HELD, LEFT, BUDGET = 0, 1, 2, 3, 4, 5
BAND_MEMORY: Final = 6
# Columns of ``speeds``, one row for each band, constant; the first three as in ``bands``.
KEEP, FAR_RISE, NEAR_RISE = 3, 4, 5
# Of ``peak``: its envelope, how far the budget is passed by, for how many steps more.
ENVELOPE, TOP, TOP_LEFT = 0, 1, 2
PEAK_MEMORY: Final = 3
# Of what is heard in a step: the sum of squares of each band, of two channels half of it, and the peak.
PEAK: Final = 3
HEARD: Final = 4
# Of ``pace``: the peak's decay, what the budget gains and what an attack takes of it, each per step.
DECAY, GAINED, SPENT = 0, 1, 2

_SILENT_POWER = 1e-10
_FADED = 1e-12
_NOTHING = 1e-5
_NEPERS = math.log(10.0) / 20.0
_DECIBELS = 10.0 / math.log(10.0)
_HALF_DAMPING = math.sqrt(0.5)


@kernel
def _part(value: float) -> float:
    return min(1.0, max(0.0, value))


@kernel
def _smooth(value: float) -> float:
    t = _part(value)
    return t * t * (3.0 - 2.0 * t)


@kernel
def _faded(value: float) -> float:
    """What has died away is zero, lest silence run on in slow subnormal numbers."""
    return 0.0 if abs(value) < _FADED else value


@kernel
def _level_db(power: float) -> float:
    return _DECIBELS * math.log(max(power, 1e-30))


@kernel
def _split(
    x: Block,
    c: int,
    d: int,
    begin: int,
    step: int,
    filters: Samples64,
    state: Samples64,
    low: Block,
    high: Block,
    heard: Samples64,
) -> None:
    """Split channels ``c`` and ``d`` into ``low`` and ``high``, and add what is heard to each step's row.

    Two at a time keep a processor busy; an odd last one is its own partner. Row 0 of ``x`` is
    ``begin`` frames into the first step.
    """
    one, two = filters[0], filters[1]
    aa, ab, av, ba, bb, bv = one[0], one[1], one[2], one[3], one[4], one[5]
    cc, cd, cv, dc, dd, dv = two[0], two[1], two[2], two[3], two[4], two[5]
    p, q, r, s = state[c, 0], state[c, 1], state[c, 2], state[c, 3]
    p2, q2, r2, s2 = state[d, 0], state[d, 1], state[d, 2], state[d, 3]
    share = 0.5 if c != d or x.shape[1] == 1 else 0.25
    start = 0
    for row in range(heard.shape[0]):
        stop = min((row + 1) * step - begin, x.shape[0])
        lows, mids, highs, lows2, mids2, highs2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        highest, highest2 = 0.0, 0.0
        for n in range(start, stop):
            v, v2 = np.float64(x[n, c]), np.float64(x[n, d])
            highest, highest2 = max(highest, abs(v)), max(highest2, abs(v2))
            t, t2 = aa * p + (ab * q + av * v), aa * p2 + (ab * q2 + av * v2)
            u, u2 = bb * q + (ba * p + bv * v), bb * q2 + (ba * p2 + bv * v2)
            under, under2 = 0.5 * (u + q), 0.5 * (u2 + q2)
            v, v2 = v - under - _HALF_DAMPING * (t + p), v2 - under2 - _HALF_DAMPING * (t2 + p2)
            p, q, p2, q2 = t, u, t2, u2
            t, t2 = cc * r + (cd * s + cv * v), cc * r2 + (cd * s2 + cv * v2)
            u, u2 = dd * s + (dc * r + dv * v), dd * s2 + (dc * r2 + dv * v2)
            mid, mid2 = 0.5 * (u + s), 0.5 * (u2 + s2)
            over, over2 = v - mid - _HALF_DAMPING * (t + r), v2 - mid2 - _HALF_DAMPING * (t2 + r2)
            r, s, r2, s2 = t, u, t2, u2
            low[n, c], low[n, d], high[n, c], high[n, d] = under, under2, over, over2
            lows, lows2 = lows + under * under, lows2 + under2 * under2
            mids, mids2 = mids + mid * mid, mids2 + mid2 * mid2
            highs, highs2 = highs + over * over, highs2 + over2 * over2
        heard[row, 0] += share * (lows + lows2)
        heard[row, 1] += share * (mids + mids2)
        heard[row, 2] += share * (highs + highs2)
        heard[row, PEAK] = max(heard[row, PEAK], highest, highest2)
        start = stop
        if begin + stop == (row + 1) * step:
            p, q, r, s = _faded(p), _faded(q), _faded(r), _faded(s)
            p2, q2, r2, s2 = _faded(p2), _faded(q2), _faded(r2), _faded(s2)
    state[c, 0], state[c, 1], state[c, 2], state[c, 3] = p, q, r, s
    state[d, 0], state[d, 1], state[d, 2], state[d, 3] = p2, q2, r2, s2


@kernel
def _hear_peak(now: float, values: Samples64, pace: Samples64, hold: int, peak: Samples64) -> float:
    """How near the peak is to where the track's peaks are, dB; sets how far the budget is passed by."""
    peak[ENVELOPE] = max(now, peak[ENVELOPE] * pace[DECAY])
    near, top = -BELOW_DB, 0.0
    if peak[ENVELOPE] > values[OPENS]:
        level = 2.0 * _level_db(peak[ENVELOPE])
        near = max(near, level - values[PEAKS])
        # The rare highest peaks do not wait: over the others, and within 1 dB of the true peak.
        top = _part(2.0 * near) * _part(3.0 * (0.6 + level - values[TRUE_PEAK]))
    if top >= peak[TOP]:
        peak[TOP], peak[TOP_LEFT] = top, hold
    elif peak[TOP_LEFT] > 0.0:
        peak[TOP_LEFT] -= 1.0
    else:
        peak[TOP] = top
    return near


@kernel
def _attack(
    band: Samples64,
    speeds: Samples64,
    pace: Samples64,
    most: float,
    near: float,
    top: float,
    ring: Samples64,
    at: int,
) -> float:
    """How much of the boost one band gets, 0..``most``; ``ring`` holds what the last steps were given."""
    found = 0.0
    if most > 0.0:
        rise = _DECIBELS * math.log((band[FAST] + _SILENT_POWER) / (band[SLOW] + _SILENT_POWER))
        close = _part((near + BELOW_DB) / (BELOW_DB + ABOVE_DB))
        needed = speeds[FAR_RISE] + close * (speeds[NEAR_RISE] - speeds[FAR_RISE])
        found = most * _smooth((rise - needed) / WIDTH_DB)
    if found >= band[HELD] and found > 0.0:
        band[HELD], band[LEFT] = found, len(ring)
    elif band[LEFT] > 0.0:
        band[LEFT] -= 1.0
    else:
        band[HELD] = max(band[HELD] * speeds[KEEP], found)
        if band[HELD] < _NOTHING:
            band[HELD] = 0.0
    band[BUDGET] = (band[BUDGET] + pace[GAINED]) / (1.0 + pace[GAINED] + pace[SPENT] * band[HELD])
    ring[at] = band[HELD] * (band[BUDGET] + (1.0 - band[BUDGET]) * top)
    given = 0.0
    for k in range(len(ring)):
        given += ring[k]
    return given / len(ring)


@kernel
def _decide(
    heard: Samples64,
    step: int,
    values: Samples64,
    speeds: Samples64,
    pace: Samples64,
    bands: Samples64,
    peak: Samples64,
    rings: Samples64,
    at: int,
    gains: Samples64,
    told: Samples64,
) -> None:
    """From what was heard in the last step to the ``gains`` of the three bands at the end of the next."""
    near = 0.0
    if values[BOOST] > 0.0:
        near = _hear_peak(heard[PEAK], values, pace, rings.shape[1], peak)
    for b in range(BANDS):
        for k in range(3):
            bands[b, k] += speeds[b, k] * (heard[b] / step - bands[b, k])
    for b in range(BANDS):
        band, speed = bands[b], speeds[b]
        gain_db = 0.0
        if values[REDUCTION] > 0.0:
            part = _smooth(1.0 + (_level_db(band[MEAN]) - values[FULL + b]) / SPAN_DB)
            told[0] = max(told[0], values[REDUCTION] * part)
            gain_db -= values[REDUCTION] * part
        if values[BOOST] > 0.0:
            # What a drum of the lowest band leaves in the middle, 20 dB under itself, is no attack there.
            own = (
                _part((_level_db(band[FAST]) - _level_db(bands[0, FAST]) + LEAKS_DB) / SOUNDS_DB)
                if b == 1
                else 1.0
            )
            part = _attack(band, speed, pace, own * _part(near + BELOW_DB), near, peak[TOP], rings[b], at)
            told[1] = max(told[1], values[BOOST] * part)
            gain_db += values[BOOST] * part
        gains[b] = 1.0 if gain_db == 0.0 else math.exp(_NEPERS * gain_db)


@kernel
def _turn(x: Block, low: Block, high: Block, begin: int, step: int, gains: Samples64, y: Block) -> None:
    """Put the bands together; within a step the gains go from one row of ``gains`` to the next."""
    start = 0
    for row in range(gains.shape[0] - 1):
        stop = min((row + 1) * step - begin, y.shape[0])
        low0, mid0, high0 = gains[row, 0], gains[row, 1], gains[row, 2]
        low1 = (gains[row + 1, 0] - low0) / step
        mid1 = (gains[row + 1, 1] - mid0) / step
        high1 = (gains[row + 1, 2] - high0) / step
        if low0 == mid0 == high0 == 1.0 and low1 == mid1 == high1 == 0.0:
            for n in range(start, stop):
                for c in range(x.shape[1]):
                    y[n, c] = x[n, c]
            start = stop
            continue
        for n in range(start, stop):
            within = begin + n - row * step + 1
            mid = mid0 + within * mid1
            lower, upper = low0 + within * low1 - mid, high0 + within * high1 - mid
            for c in range(x.shape[1]):
                y[n, c] = mid * x[n, c] + lower * low[n, c] + upper * high[n, c]
        start = stop


@kernel
def run(
    x: Block,
    first: int,
    step: int,
    steps: Samples64,
    filters: Samples64,
    speeds: Samples64,
    pace: Samples64,
    state: Samples64,
    carried: Samples64,
    bands: Samples64,
    peak: Samples64,
    rings: Samples64,
    gains: Samples64,
    waiting: Block,
    told: Samples64,
    y: Block,
) -> None:
    """Take ``x`` in, whose row 0 is frame ``first`` of the file, and give what lies ``ahead`` frames before.

    Args:
        steps: ``[n, VALUES]``, the values at each start of a step in ``x``, the last holding on.
        waiting: ``[3, ahead + frames, channels]``: sound, low and high; the first ``ahead`` frames were heard
            and are not turned yet, the others hold the sound that comes in.
        state, carried, bands, peak, rings, gains: what is remembered, ``[channels, 4]``, ``[HEARD]`` of the
            step that has begun, ``[3, BAND_MEMORY]``, ``[PEAK_MEMORY]``, ``[3, ahead / step]``, ``[2, 3]``.
        told: ``[2]``, raised to the most that was taken and given, dB.
        y: ``[frames, channels]``.
    """
    channels, ahead = x.shape[1], waiting.shape[1] - x.shape[0]
    begin = first % step
    rows = (begin + x.shape[0] - 1) // step + 1
    heard = np.zeros((rows, HEARD))
    lines = np.ones((rows + 1, BANDS))
    lines[:2] = gains
    if begin > 0:
        heard[0] = carried
    for c in range(0, channels, 2):
        d = min(c + 1, channels - 1)
        _split(x, c, d, begin, step, filters, state, waiting[1, ahead:], waiting[2, ahead:], heard)
    used = 0
    for row in range(rows):
        if row > 0 or begin == 0:
            last = heard[row - 1] if row > 0 else carried
            values = steps[min(used, len(steps) - 1)]
            at = (first // step + row) % rings.shape[1]
            if row == 0:
                lines[0] = lines[1]
            _decide(last, step, values, speeds, pace, bands, peak, rings, at, lines[row + 1], told)
            used += 1
    _turn(waiting[0], waiting[1], waiting[2], begin, step, lines, y)
    carried[:] = heard[rows - 1]
    gains[:] = lines[rows - 1 :]
