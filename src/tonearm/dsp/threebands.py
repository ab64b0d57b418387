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

# Columns of ``values``, one row for each step.
REDUCTION, FULL, BOOST, PEAKS, TRUE_PEAK = 0, 1, 4, 5, 6
VALUES: Final = 7
# Columns of ``bands``, one row for each band: what is remembered of it.
FAST, SLOW, MEAN, HELD, LEFT, BUDGET, POWER = 0, 1, 2, 3, 4, 5, 6
BAND_MEMORY: Final = 7
# Columns of ``speeds``, one row for each band, constant.
FAST_SPEED, SLOW_SPEED, MEAN_SPEED, KEEP, FAR_RISE, NEAR_RISE = 0, 1, 2, 3, 4, 5
# Of ``peak``: the highest sample of this step, its envelope, how far the budget is passed by, for how long.
NOW, ENVELOPE, TOP, TOP_LEFT = 0, 1, 2, 3
PEAK_MEMORY: Final = 4
# Of ``pace``: the peak's decay, what the budget gains and what an attack takes of it, each per step.
DECAY, GAINED, SPENT = 0, 1, 2

_SILENT_POWER = 1e-10
_FADED = 1e-12
_DAMPING = math.sqrt(2.0)


@kernel
def _part(value: float) -> float:
    return min(1.0, max(0.0, value))


@kernel
def _smooth(value: float) -> float:
    t = _part(value)
    return t * t * (3.0 - 2.0 * t)


@kernel
def _level_db(power: float) -> float:
    return 10.0 * math.log10(max(power, 1e-30))


@kernel
def _split(
    x: Block,
    start: int,
    filters: Samples64,
    state: Samples64,
    c: int,
    low: Samples64,
    high: Samples64,
    bands: Samples64,
) -> float:
    """Split channels ``c`` and ``c + 1`` of the rows of ``low``; returns their highest sample.

    Two channels at a time keep a processor busy; where they are odd, the last is its own partner.
    """
    d = min(c + 1, x.shape[1] - 1)
    a1, a2, a3, b1, b2, b3 = filters[0], filters[1], filters[2], filters[3], filters[4], filters[5]
    p, q, r, s = state[c, 0], state[c, 1], state[c, 2], state[c, 3]
    p2, q2, r2, s2 = state[d, 0], state[d, 1], state[d, 2], state[d, 3]
    lows, mids, highs, lows2, mids2, highs2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    highest = 0.0
    for n in range(low.shape[0]):
        v, v2 = np.float64(x[start + n, c]), np.float64(x[start + n, d])
        highest = max(highest, abs(v), abs(v2))
        u, u2 = v - q, v2 - q2
        band, band2 = a1 * p + a2 * u, a1 * p2 + a2 * u2
        under, under2 = q + a2 * p + a3 * u, q2 + a2 * p2 + a3 * u2
        p, q, p2, q2 = 2.0 * band - p, 2.0 * under - q, 2.0 * band2 - p2, 2.0 * under2 - q2
        v, v2 = v - _DAMPING * band - under, v2 - _DAMPING * band2 - under2
        u, u2 = v - s, v2 - s2
        band, band2 = b1 * r + b2 * u, b1 * r2 + b2 * u2
        mid, mid2 = s + b2 * r + b3 * u, s2 + b2 * r2 + b3 * u2
        r, s, r2, s2 = 2.0 * band - r, 2.0 * mid - s, 2.0 * band2 - r2, 2.0 * mid2 - s2
        over, over2 = v - _DAMPING * band - mid, v2 - _DAMPING * band2 - mid2
        low[n, c], low[n, d], high[n, c], high[n, d] = under, under2, over, over2
        lows, mids, highs = lows + under * under, mids + mid * mid, highs + over * over
        lows2, mids2, highs2 = lows2 + under2 * under2, mids2 + mid2 * mid2, highs2 + over2 * over2
    state[c, 0], state[c, 1], state[c, 2], state[c, 3] = p, q, r, s
    state[d, 0], state[d, 1], state[d, 2], state[d, 3] = p2, q2, r2, s2
    share = 0.0 if d == c else 1.0
    bands[0, POWER] += lows + share * lows2
    bands[1, POWER] += mids + share * mids2
    bands[2, POWER] += highs + share * highs2
    return highest


@kernel
def _hear_peak(values: Samples64, pace: Samples64, hold: int, peak: Samples64) -> float:
    """How near the step's peak is to where the track's peaks are, dB; sets how far the budget is passed by."""
    peak[ENVELOPE] = max(peak[NOW], peak[ENVELOPE] * pace[DECAY])
    level = 2.0 * _level_db(peak[ENVELOPE])
    near = level - values[PEAKS]
    # The rare highest peaks of a track do not wait: above the others, and within 1 dB of the true peak.
    top = _part(2.0 * near) * _part(1.5 * (1.0 + level - values[TRUE_PEAK]))
    if top >= peak[TOP]:
        peak[TOP], peak[TOP_LEFT] = top, hold
    elif peak[TOP_LEFT] > 0.0:
        peak[TOP_LEFT] -= 1.0
    else:
        peak[TOP] = top
    return near


@kernel
def _attack(
    band: Samples64, speeds: Samples64, pace: Samples64, near: float, top: float, ring: Samples64, at: int
) -> float:
    """How much of the boost one band gets, 0..1; ``ring`` holds what the last steps were given."""
    rise = _level_db(band[FAST] + _SILENT_POWER) - _level_db(band[SLOW] + _SILENT_POWER)
    close = _part((near + BELOW_DB) / (BELOW_DB + ABOVE_DB))
    needed = speeds[FAR_RISE] + close * (speeds[NEAR_RISE] - speeds[FAR_RISE])
    found = _part(near + BELOW_DB) * _smooth((rise - needed) / WIDTH_DB)
    if found >= band[HELD]:
        band[HELD], band[LEFT] = found, len(ring)
    elif band[LEFT] > 0.0:
        band[LEFT] -= 1.0
    else:
        band[HELD] = max(band[HELD] * speeds[KEEP], found)
    band[BUDGET] = (band[BUDGET] + pace[GAINED]) / (1.0 + pace[GAINED] + pace[SPENT] * band[HELD])
    ring[at] = band[HELD] * (band[BUDGET] + (1.0 - band[BUDGET]) * top)
    given = 0.0
    for k in range(len(ring)):
        given += ring[k]
    return given / len(ring)


@kernel
def _forget(state: Samples64) -> None:
    """Let what has died away be zero, lest silence run on in slow subnormal numbers."""
    for c in range(state.shape[0]):
        for k in range(4):
            if abs(state[c, k]) < _FADED:
                state[c, k] = 0.0


@kernel
def _decide(
    values: Samples64,
    speeds: Samples64,
    pace: Samples64,
    share: float,
    bands: Samples64,
    peak: Samples64,
    rings: Samples64,
    at: int,
    gains: Samples64,
    told: Samples64,
) -> None:
    """From what was heard in the last step (mean square = ``share`` of the sum) to the next gains."""
    near = 0.0
    if values[BOOST] > 0.0:
        near = _hear_peak(values, pace, rings.shape[1], peak)
    peak[NOW] = 0.0
    for b in range(BANDS):
        band, speed = bands[b], speeds[b]
        power = band[POWER] * share
        band[POWER] = 0.0
        band[FAST] += speed[FAST_SPEED] * (power - band[FAST])
        band[SLOW] += speed[SLOW_SPEED] * (power - band[SLOW])
        band[MEAN] += speed[MEAN_SPEED] * (power - band[MEAN])
        gain_db = 0.0
        if values[REDUCTION] > 0.0:
            part = _smooth(1.0 + (_level_db(band[MEAN]) - values[FULL + b]) / SPAN_DB)
            told[0] = max(told[0], values[REDUCTION] * part)
            gain_db -= values[REDUCTION] * part
        if values[BOOST] > 0.0:
            part = _attack(band, speed, pace, near, peak[TOP], rings[b], at)
            told[1] = max(told[1], values[BOOST] * part)
            gain_db += values[BOOST] * part
        gains[0, b] = gains[1, b]
        gains[1, b] = 1.0 if gain_db == 0.0 else math.pow(10.0, gain_db / 20.0)


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
    bands: Samples64,
    peak: Samples64,
    rings: Samples64,
    gains: Samples64,
    waiting: Samples64,
    told: Samples64,
    y: Block,
) -> None:
    """Take ``x`` in, whose row 0 is frame ``first`` of the file, and give what lies ``ahead`` frames before.

    Args:
        steps: ``[n, VALUES]``, the values at each start of a step in ``x``, the last holding on.
        waiting: ``[3, ahead, channels]``: sound, low and high that were heard and are not turned yet.
        state, bands, peak, rings, gains: what is remembered, ``[channels, 4]``, ``[3, BAND_MEMORY]``,
            ``[PEAK_MEMORY]``, ``[3, ahead / step]`` and ``[2, 3]``.
        told: ``[2]``, raised to the most that was taken and given, dB.
    """
    channels, ahead = x.shape[1], waiting.shape[1]
    low, high = np.empty((step, channels)), np.empty((step, channels))
    start, row = 0, 0
    while start < x.shape[0]:
        frame = first + start
        j = frame % step
        if j == 0:
            values = steps[min(row, steps.shape[0] - 1)]
            # Of one channel as of two alike: mono is heard as dual mono.
            share = 1.0 / (step * min(channels, 2))
            _decide(
                values, speeds, pace, share, bands, peak, rings, frame // step % rings.shape[1], gains, told
            )
            _forget(state)
            row += 1
        count = min(step - j, x.shape[0] - start)
        for c in range(0, channels, 2):
            highest = _split(x, start, filters, state, c, low[:count], high[:count], bands)
            peak[NOW] = max(peak[NOW], highest)
        _turn(x, start, gains, step, j, waiting, frame % ahead, low[:count], high, y)
        start += count


@kernel
def _turn(
    x: Block,
    start: int,
    gains: Samples64,
    step: int,
    j: int,
    waiting: Samples64,
    at: int,
    low: Samples64,
    high: Samples64,
    y: Block,
) -> None:
    """Put together what has waited from ``at`` on, with gains from ``j`` frames into the step on."""
    low0, mid0, high0 = gains[0, 0], gains[0, 1], gains[0, 2]
    low1, mid1, high1 = (gains[1, 0] - low0) / step, (gains[1, 1] - mid0) / step, (gains[1, 2] - high0) / step
    for n in range(low.shape[0]):
        within = j + n + 1
        mid = mid0 + within * mid1
        lower, upper = low0 + within * low1 - mid, high0 + within * high1 - mid
        for c in range(x.shape[1]):
            sound = waiting[0, at + n, c]
            y[start + n, c] = mid * sound + lower * waiting[1, at + n, c] + upper * waiting[2, at + n, c]
            waiting[0, at + n, c] = x[start + n, c]
            waiting[1, at + n, c] = low[n, c]
            waiting[2, at + n, c] = high[n, c]


