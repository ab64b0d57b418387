"""Tempo from a tempogram, the metrical level from what lies between the beats, beats by dynamic programming.

The tempogram is the autocorrelation of the onset envelope in windows of 12 s, averaged. The period
whose multiples it supports best, under a log-normal prior about 120 BPM, is the base. Of that period,
its half, third, double and triple, the beat is the one whose pulses are alike (as strong at T as at
2 T) while little happens between them (weak at T / 2).

Source: Grosche, Müller and Kurth, "Cyclic tempogram" (2010); Ellis, "Beat tracking by dynamic
programming" (2007).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from tonearm.analysis.series import Series, evenness
from tonearm.dsp.kernels import kernel

_SLOWEST_BPM: Final = 40.0
_FASTEST_BPM: Final = 240.0
_PRIOR_BPM: Final = 120.0
_PRIOR_OCTAVES: Final = 0.9
_CANDIDATES: Final = 500
_MULTIPLES: Final = (1, 2, 3, 4)
_LEVELS: Final = (1 / 3, 1 / 2, 1.0, 2.0, 3.0)
_LEVEL_SUPPORT: Final = 0.6
_ALIKE: Final = (0.35, 0.75)
_LEAST_SALIENCE: Final = 0.06
_LEAST_SALIENCE_S: Final = 0.5
"""A pulse must be more salient than chance, which has the more room the shorter the track is."""

_WINDOW_S: Final = 12.0
_LONGEST_LAG_S: Final = 6.2
_BASELINE_S: Final = 0.5
_REFINE: Final = (1, 2, 4, 8)

_TIGHTNESS: Final = 100.0
_LEAST_BEATS: Final = 4


Envelope = NDArray[np.float32]
"""Onset strength over time, float32 ``[frames]``."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Tempo in BPM, 0 where there is no pulse, and how salient it is (correlation, 0..1)."""

    bpm: float
    salience: float


def _tempogram(envelope: Envelope, frame_rate: float) -> Series:
    """Mean autocorrelation of windows of 12 s, ``[lags]``; 1 at lag 0."""
    reach = max(1, round(_BASELINE_S * frame_rate))
    kernel_length = min(len(envelope), 2 * reach + 1)
    mean = np.full(kernel_length, 1.0 / kernel_length, dtype=np.float32)
    rises = envelope - np.convolve(envelope, mean, mode="same")
    np.maximum(rises, 0.0, out=rises)
    width = min(len(rises), round(_WINDOW_S * frame_rate))
    lags = min(round(_LONGEST_LAG_S * frame_rate) + 1, width)
    size = next_fast_len(2 * width, real=True)
    total, count = np.zeros(lags), 0
    for start in range(0, len(rises) - width + 1, max(1, width // 2)):
        part = rises[start : start + width].astype(np.float64)
        power = np.abs(rfft(part - part.mean(), size)) ** 2
        correlation = irfft(power, size)[:lags] * width / (width - np.arange(lags))
        if correlation[0] > 0.0:
            total += correlation / correlation[0]
            count += 1
    return total / max(1, count)


def _near(tempogram: Series, lag: float, tolerance: float) -> float:
    """Highest value within ``tolerance`` (a share) of ``lag``; 0 outside the tempogram."""
    first, last = math.floor(lag * (1.0 - tolerance)), math.ceil(lag * (1.0 + tolerance))
    if first < 1 or last >= len(tempogram) - 1:
        return 0.0
    return float(tempogram[first : last + 1].max())


def _support(tempogram: Series, period: float) -> float:
    """Mean correlation at the first multiples of ``period``."""
    return sum(_near(tempogram, multiple * period, 0.01) for multiple in _MULTIPLES) / len(_MULTIPLES)


def _prior(bpm: float) -> float:
    return -0.5 * (math.log2(bpm / _PRIOR_BPM) / _PRIOR_OCTAVES) ** 2


def _alike(weaker: float, stronger: float) -> float:
    """0..1: whether pulses that correlate with ``weaker`` count as many as those with ``stronger``."""
    low, high = _ALIKE
    ratio = max(0.0, weaker) / max(stronger, 1e-9)
    return min(1.0, max(0.0, (ratio - low) / (high - low)))


def _level_score(strong: Series, period: float, frame_rate: float) -> float:
    here, double, half = (_near(strong, factor * period, 0.03) for factor in (1.0, 2.0, 0.5))
    return _prior(60.0 * frame_rate / period) + _alike(here, max(here, double)) - _alike(half, here)


def _refined(tempogram: Series, period: float) -> float:
    """The period to a fraction of a frame, from the peaks at its multiples."""
    for multiple in _REFINE:
        lag = multiple * period
        reach = max(1.0, 0.1 * period) if multiple == 1 else 1.5
        first, last = int(lag - reach), int(lag + reach) + 2
        if first < 1 or last >= len(tempogram) - 1:
            break
        top = first + int(np.argmax(tempogram[first:last]))
        a, b, c = tempogram[top - 1 : top + 2]
        bend = a - 2.0 * b + c
        period = (top + (0.5 * (a - c) / bend if bend < 0.0 else 0.0)) / multiple
    return period


def find_pulse(fine: Envelope, strong: Envelope, frame_rate: float) -> Pulse:
    """The tempo of two onset envelopes: one that hears every onset, one in which beats stand out."""
    if len(fine) < 2 or not fine.any():
        return Pulse(0.0, 0.0)
    beats = _tempogram(strong, frame_rate)
    tempogram = 0.5 * (_tempogram(fine, frame_rate) + beats)
    tempi = np.geomspace(_SLOWEST_BPM, _FASTEST_BPM, _CANDIDATES)
    support = [_support(tempogram, 60.0 * frame_rate / bpm) for bpm in tempi]
    scores = [
        math.log(value) + _prior(bpm) if value > 0.0 else -math.inf
        for value, bpm in zip(support, tempi, strict=True)
    ]
    best = int(np.argmax(scores))
    salience = min(1.0, max(0.0, support[best]))
    if salience < _LEAST_SALIENCE + _LEAST_SALIENCE_S * frame_rate / len(fine):
        return Pulse(0.0, salience)
    base = 60.0 * frame_rate / float(tempi[best])
    periods = [
        base * level
        for level in _LEVELS
        if _SLOWEST_BPM <= 60.0 * frame_rate / (base * level) <= _FASTEST_BPM
        and _support(tempogram, base * level) >= _LEVEL_SUPPORT * support[best]
    ]
    period = max(periods, key=lambda candidate: _level_score(beats, candidate, frame_rate))
    bpm = 60.0 * frame_rate / _refined(tempogram, period)
    return Pulse(float(min(_FASTEST_BPM, max(_SLOWEST_BPM, bpm))), salience)


@kernel
def _best_path(
    strength: Envelope, period: float, tightness: float, score: Series, link: NDArray[np.int32]
) -> None:
    """Best score of a row of beats that ends at each frame, and the beat before it (-1: none)."""
    shortest, longest = max(1, int(period / 2.0)), int(2.0 * period) + 1
    penalty = np.zeros(longest + 1)
    for gap in range(1, longest + 1):
        penalty[gap] = tightness * math.log(gap / period) ** 2
    for t in range(len(strength)):
        best, before = 0.0, -1
        for gap in range(shortest, min(longest, t) + 1):
            value = score[t - gap] - penalty[gap]
            if value > best:
                best, before = value, t - gap
        score[t] = strength[t] + best
        link[t] = before


def _beats(envelope: Envelope, period: float) -> Series:
    """Times of the beats in frames, between frames where the envelope peaks there."""
    spread = float(envelope.std(dtype=np.float64))
    strength = envelope / np.float32(spread) if spread > 0.0 else envelope
    score, link = np.zeros(len(strength)), np.full(len(strength), -1, dtype=np.int32)
    _best_path(strength, period, _TIGHTNESS, score, link)
    tail = max(0, len(score) - int(2.0 * period))
    path = [tail + int(np.argmax(score[tail:]))]
    while link[path[-1]] >= 0:
        path.append(int(link[path[-1]]))
    beats = np.array(path[::-1])
    loud = strength[beats] > 0.5 * float(np.sqrt(np.mean(strength[beats] ** 2, dtype=np.float64)))
    if not loud.any():
        return np.zeros(0)
    first, last = np.flatnonzero(loud)[[0, -1]]
    return np.array([_peak_near(strength, int(beat)) for beat in beats[first : last + 1]])


def _peak_near(strength: Envelope, beat: int) -> float:
    """The top of the envelope within two frames of ``beat``, by a parabola."""
    first, last = max(1, beat - 2), min(len(strength) - 2, beat + 2)
    if first > last:
        return float(beat)
    top = first + int(np.argmax(strength[first : last + 1]))
    a, b, c = strength[top - 1 : top + 2].tolist()
    bend = a - 2.0 * b + c
    return top + (min(0.5, max(-0.5, 0.5 * (a - c) / bend)) if bend < 0.0 else 0.0)


def beat_evenness(envelope: Envelope, pulse: Pulse, frame_rate: float) -> float:
    """1 / (1 + coefficient of variation of the inter-beat intervals); 0 with fewer than 4 beats."""
    if pulse.bpm <= 0.0:
        return 0.0
    beats = _beats(envelope, 60.0 * frame_rate / pulse.bpm)
    return evenness(np.diff(beats)) if len(beats) >= _LEAST_BEATS else 0.0
