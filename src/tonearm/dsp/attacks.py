"""The inner loops that find attacks, and say by how much each of three bands is turned up, frame by frame.

    gain of band b, dB = boost given_b

``given_b`` is the share that the attacks of a band are given, averaged over what is looked ahead;
``dsp/dynamics.py`` says what an attack is. A frame is decided by what was heard up to it, and by nothing
else: where a file begins or a block is cut does not matter.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.crossover import BANDS, CHUNK, HEARD
from tonearm.dsp.kernels import kernel
from tonearm.dsp.lanes import load, spread, store
from tonearm.dsp.logarithms import Exponents, decibels
from tonearm.dsp.stft import Signal
from tonearm.model.audio import Samples64

BELOW_DB: Final = 1.0
"""A peak this far under the level of the track's peaks opens nothing."""

ABOVE_DB: Final = 1.0
"""A peak this far over it needs the least rise to count as an attack."""

WIDTH_DB: Final = 2.0
"""From the rise at which an attack begins to count to that at which it counts whole."""

LEAKS: Final = 10.0 ** (-18.0 / 10.0)
SOUNDS: Final = 10.0 ** (-12.0 / 10.0)
"""With less of the lowest band's power the middle one has no attack of its own; with so much it may have."""

# Columns of ``values``, one row for each frame, or one for all; OPENS is PEAKS less BELOW_DB, linear.
BOOST, PEAKS, TRUE_PEAK, OPENS = 4, 5, 6, 7
# Rows of four, in ``means`` and in ``keeps``, where what is taken in follows what is kept; and then the power
# of what counts as silence.
FAST, SLOW = 0, 1
MEANS: Final = 2
# Columns of ``bands``: what is remembered of the attacks of each band.
HELD, LEFT, BUDGET = 0, 1, 2
BAND_MEMORY: Final = 3
# Columns of ``rises``, one row for each band: how far an attack has to rise, dB, and the most it is given.
FAR, NEAR, MOST = 0, 1, 2
# Of ``pace``, per frame: what is kept of the peak and of a held attack, what the budget gains, and what an
# attack takes of it.
PEAK_KEPT, HELD_KEPT, GAINED, SPENT = 0, 1, 2, 3
# Of ``peak``: its envelope, how far the budget is passed by, for how many frames more.
ENVELOPE, TOP, TOP_LEFT = 0, 1, 2
PEAK_MEMORY: Final = 3

_Counts = NDArray[np.int64]
_LEAST_POWER = 1e-30
_FADED = 1e-20
_NOTHING = 1e-5
_SURELY = 0.9999
"""A peak so far under the level of attacks is none, however logarithms are rounded."""

_UNIT = 2.0**30
"""What is given is counted in these, so that sums of it are exact."""

_LEVELS = 6
_HEIGHT, _LOW, _MIDDLE = 3, 4, 5
"""Rows of levels after the rises of the three bands: of the peak, and the powers of two bands."""

_NONE, _ONE, _TWO, _THREE = np.float32(0.0), np.float32(1.0), np.float32(2.0), np.float32(3.0)
_BELOW, _WIDTH, _CLOSER = (
    np.float32(BELOW_DB),
    np.float32(1 / WIDTH_DB),
    np.float32(1 / (BELOW_DB + ABOVE_DB)),
)
_NEARLY = np.float32(0.6)
_LEAKING, _SOUNDING = np.float32(LEAKS), np.float32(1 / (SOUNDS - LEAKS))


@kernel
def _part(value: np.float32) -> np.float32:
    return min(_ONE, max(_NONE, value))


@kernel
def _smooth(value: np.float32) -> np.float32:
    t = _part(value)
    return t * t * (_THREE - _TWO * t)


@kernel
def _hear(
    heard: Samples64, keeps: Samples64, means: Samples64, kept: float, peak: Samples64, levels: Signal
) -> float:
    """Go on with the fast and the slow mean and the peak's envelope; returns the highest of that."""
    fast_kept, fast_taken = load(keeps, FAST), load(keeps, MEANS + FAST)
    slow_kept, slow_taken = load(keeps, SLOW), load(keeps, MEANS + SLOW)
    fast, slow, silence = load(means, FAST), load(means, SLOW), load(keeps, 2 * MEANS)
    lows, mids, highs, heights = levels[0], levels[1], levels[2], levels[_HEIGHT]
    low_powers, mid_powers = levels[_LOW], levels[_MIDDLE]
    envelope, highest = peak[ENVELOPE], 0.0
    for n in range(levels.shape[1]):
        now = load(heard, n)
        fast = fast_kept * fast + fast_taken * now
        slow = slow_kept * slow + slow_taken * now
        sounding = fast + silence
        lows[n], mids[n], highs[n], _ = spread(sounding / (slow + silence))
        low_powers[n], mid_powers[n], _, _ = spread(sounding)
        _, _, _, magnitude = spread(now)
        envelope = max(magnitude, envelope * kept)
        heights[n] = max(envelope * envelope, _LEAST_POWER)
        highest = max(highest, envelope)
    store(means, FAST, fast)
    store(means, SLOW, slow)
    peak[ENVELOPE] = envelope
    return highest


@kernel
def _find(levels: Signal, rises: Samples64, values: Samples64, found: Signal, tops: Signal) -> None:
    """From levels ``[_LEVELS, frames]``, dB, to how much of an attack there is ``[BANDS, frames]``, 0..1.

    ``tops`` is how far the budget is passed by: the rare highest peaks do not wait, those over the others
    and within 1 dB of the true peak.
    """
    peaks_db, true_peak_db = np.float32(values[PEAKS]), np.float32(values[TRUE_PEAK])
    heights, low, middle = levels[_HEIGHT], levels[_LOW], levels[_MIDDLE]
    for n in range(len(tops)):
        near = max(-_BELOW, heights[n] - peaks_db)
        tops[n] = _part(_TWO * near) * _part(_THREE * (_NEARLY + heights[n] - true_peak_db))
    for b in range(BANDS):
        far_db, nearer_db = np.float32(rises[b, FAR]), np.float32(rises[b, NEAR] - rises[b, FAR])
        own, risen, most = found[b], levels[b], np.float32(rises[b, MOST])
        for n in range(len(tops)):
            near = max(-_BELOW, heights[n] - peaks_db) + _BELOW
            needed = far_db + _part(near * _CLOSER) * nearer_db
            own[n] = most * _part(near) * _smooth((risen[n] - needed) * _WIDTH)
    # What a drum of the lowest band leaves in the middle, 20 dB under itself, is no attack there.
    own = found[1]
    for n in range(len(tops)):
        own[n] *= _part((middle[n] / low[n] - _LEAKING) * _SOUNDING)


@kernel
def _hold_tops(tops: Signal, hold: float, peak: Samples64) -> None:
    """Hold each of ``tops`` for ``hold`` frames, in place."""
    top, left = peak[TOP], peak[TOP_LEFT]
    for n in range(len(tops)):
        now = np.float64(tops[n])
        rising = now >= top
        top = max(now, top if left > 0.0 else 0.0)
        left = hold if rising else max(left - 1.0, 0.0)
        tops[n] = top
    peak[TOP], peak[TOP_LEFT] = top, left


@kernel
def _held(now: float, held: float, left: float, hold: float, kept: float) -> tuple[float, float]:
    """The largest attack lately, and for how many frames more it is held; then it falls."""
    largest = max(now, held if left > 0.0 else held * kept)
    left = hold if now >= max(held, _NOTHING) else max(left - 1.0, 0.0)
    return (largest if largest >= _NOTHING else 0.0), left


@kernel
def _give(
    found: Signal, tops: Signal, hold: float, pace: Samples64, bands: Samples64, opened: Samples64
) -> None:
    """How much of the boost attacks are given, before it is averaged: ``opened [BANDS, frames]``, 0..1."""
    kept, whole, spent, gained = pace[HELD_KEPT], 1.0 - pace[GAINED], pace[SPENT], pace[GAINED]
    low, mid, high = bands[0, HELD], bands[1, HELD], bands[2, HELD]
    low_left, mid_left, high_left = bands[0, LEFT], bands[1, LEFT], bands[2, LEFT]
    p, q, r = bands[0, BUDGET], bands[1, BUDGET], bands[2, BUDGET]
    for n in range(len(tops)):
        top = np.float64(tops[n])
        low, low_left = _held(np.float64(found[0, n]), low, low_left, hold, kept)
        mid, mid_left = _held(np.float64(found[1, n]), mid, mid_left, hold, kept)
        high, high_left = _held(np.float64(found[2, n]), high, high_left, hold, kept)
        p, q, r = (
            p * (whole - spent * low) + gained,
            q * (whole - spent * mid) + gained,
            r * (whole - spent * high) + gained,
        )
        opened[0, n] = low * (p + (1.0 - p) * top)
        opened[1, n] = mid * (q + (1.0 - q) * top)
        opened[2, n] = high * (r + (1.0 - r) * top)
    bands[0, HELD], bands[1, HELD], bands[2, HELD] = low, mid, high
    bands[0, LEFT], bands[1, LEFT], bands[2, LEFT] = low_left, mid_left, high_left
    bands[0, BUDGET], bands[1, BUDGET], bands[2, BUDGET] = p, q, r


@kernel
def _refill(frames: int, hold: float, pace: Samples64, bands: Samples64, peak: Samples64) -> None:
    """As where nothing is found, and nothing is held."""
    peak[TOP_LEFT] = hold
    for b in range(BANDS):
        budget, gained = bands[b, BUDGET], pace[GAINED]
        for _ in range(frames):
            more = budget * (1.0 - gained) + gained
            if more == budget:
                break
            budget = more
        bands[b, BUDGET] = budget


@kernel
def _average(opened: Samples64, ring: _Counts, at: int) -> None:
    """The mean of ``opened`` over the ring, in place; it begins at ``at``, its last element is its sum."""
    length = len(ring) - 1
    scale, total = 1.0 / (_UNIT * length), ring[length]
    for n in range(len(opened)):
        now = np.int64(opened[n] * _UNIT)
        total += now - ring[at]
        ring[at] = now
        at = at + 1 if at + 1 < length else 0
        opened[n] = total * scale
    ring[length] = total


@kernel
def _resting(bands: Samples64, peak: Samples64, rings: _Counts) -> bool:
    """Whether nothing is given, nor will be unless something is found."""
    idle = bool(peak[TOP] == 0.0)
    for b in range(BANDS):
        idle = idle and bool(bands[b, HELD] == 0.0 and bands[b, LEFT] == 0.0 and rings[b, -1] == 0)
    return idle


@kernel
def _chunk(
    heard: Samples64,
    values: Samples64,
    keeps: Samples64,
    rises: Samples64,
    pace: Samples64,
    means: Samples64,
    bands: Samples64,
    peak: Samples64,
    rings: _Counts,
    at: int,
    levels: Signal,
    exponents: Exponents,
    gains_db: Signal,
) -> float:
    """Set the gains of a chunk to what attacks are given; returns the most of it, dB."""
    count, steady, hold = gains_db.shape[1], len(values) == 1, rings.shape[1] - 1.0
    highest = _hear(heard, keeps, means, pace[PEAK_KEPT], peak, levels)
    if steady and highest <= _SURELY * values[0, OPENS] and _resting(bands, peak, rings):
        _refill(count, hold, pace, bands, peak)
        return 0.0
    found, tops, opened = (
        np.empty((BANDS, count), np.float32),
        np.empty(count, np.float32),
        np.empty((BANDS, count)),
    )
    for row in range(_LOW):
        decibels(levels[row], exponents)
    if steady:
        _find(levels, rises, values[0], found, tops)
    else:
        for n in range(count):
            _find(levels[:, n : n + 1], rises, values[n], found[:, n : n + 1], tops[n : n + 1])
    _hold_tops(tops, hold, peak)
    _give(found, tops, hold, pace, bands, opened)
    most = 0.0
    for b in range(BANDS):
        _average(opened[b], rings[b], at)
        row, shares = gains_db[b], opened[b]
        for n in range(count):
            given = values[0 if steady else n, BOOST] * shares[n]
            most = max(most, given)
            row[n] = given
    return most


@kernel
def open_attacks(
    heard: Samples64,
    first: int,
    values: Samples64,
    keeps: Samples64,
    rises: Samples64,
    pace: Samples64,
    means: Samples64,
    bands: Samples64,
    peak: Samples64,
    rings: _Counts,
    gains_db: Signal,
) -> float:
    """Add to the gain of each band for each frame that was heard; returns the most that is given, dB.

    Args:
        heard: ``[frames * HEARD]``, of ``dsp/crossover.py``; the first is of frame ``first`` of the file.
        values: ``[frames or 1, ...]``, of which the columns named here are read.
        keeps, rises, pace: constant; ``[(2 * MEANS + 1) * LANES]``, per frame, ``[BANDS, 3]`` and ``[4]``.
        means, bands, peak, rings: what is remembered, ``[MEANS * LANES]``, ``[BANDS, BAND_MEMORY]``,
            ``[PEAK_MEMORY]``, ``[BANDS, ahead + 1]``, of a ring the last being its sum.
        gains_db: ``[BANDS, frames]``, raised.
    """
    room, exponents = np.empty((_LEVELS + BANDS) * CHUNK, np.float32), np.empty(CHUNK, np.int32)
    frames, start, most = gains_db.shape[1], 0, 0.0
    while start < frames:
        stop = min(frames, start + CHUNK - (first + start) % CHUNK)
        now = values if len(values) == 1 else values[start:stop]
        rows = room[: (_LEVELS + BANDS) * (stop - start)].reshape(_LEVELS + BANDS, stop - start)
        part, levels, gains = heard[HEARD * start : HEARD * stop], rows[:_LEVELS], rows[_LEVELS:]
        at = (first + start) % (rings.shape[1] - 1)
        given = _chunk(
            part,
            now,
            keeps,
            rises,
            pace,
            means,
            bands,
            peak,
            rings,
            at,
            levels,
            exponents[: stop - start],
            gains,
        )
        if given > 0.0:
            gains_db[:, start:stop] += gains
        most = max(most, given)
        if (first + stop) % CHUNK == 0:
            for k in range(len(means)):
                means[k] = 0.0 if means[k] < _FADED else means[k]
        start = stop
    return most
