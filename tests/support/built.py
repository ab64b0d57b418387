"""Signals that were built so that a dimension or measure of theirs is known beforehand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from agreement import Agreement, Bounds
from comparisons import value
from numpy.typing import NDArray
from signals import (
    RATE,
    bass_against,
    chord,
    clipped,
    comb,
    even_clicks,
    gated_crest,
    glide,
    halves,
    jittered,
    loud_and_soft_clicks,
    mixed,
    partly_silent,
    shifted,
    square,
    stepped,
    tone_then_noise,
    two_tones,
    vibrato,
)
from sounds import Samples, analysed, clicks, noise, sine
from spectral_truth import EDGES_HZ

from tonearm.model.fingerprint import BAND_NAMES

Case = tuple[Callable[[], Samples], float]
"""A signal at 44.1 kHz and what is true of it."""


@dataclass(frozen=True)
class Group:
    """Signals of one kind. With ``percent``, errors count in percent of the true value."""

    name: str
    on: str
    bounds: Bounds
    cases: Sequence[Case]
    percent: bool = False

    def agreement(self) -> Agreement:
        agreement = Agreement(self.name, "closed form", self.on, self.bounds)
        for make, wanted in self.cases:
            x = make()
            agreement.add(value(analysed(x, RATE), self.name), wanted, 0.01 * wanted if self.percent else 1.0)
        return agreement


def glide_stability(cents_per_second: float) -> float:
    """Neighbouring frames are 46.4 ms apart."""
    return 1 / (1 + cents_per_second * 512 / 11_025 / 25)


def evenness(series: NDArray[np.float64]) -> float:
    return float(1 / (1 + np.std(series) / np.mean(series)))


def steps_variation(levels_db: Sequence[float], seconds: int) -> float:
    """Deviation of the 3 s windows of ``stepped``, one a second, that lie over -20 LU."""
    powers = np.repeat(10 ** (np.array(levels_db) / 10), seconds)
    windows = np.lib.stride_tricks.sliding_window_view(powers, 3).mean(axis=1)
    return float(np.std(10 * np.log10(windows[windows > 0.01 * windows.mean()])))


def gated_loudness(levels_db: Sequence[float], seconds: int) -> float:
    """Loudness of ``stepped`` tones, which at 1 kHz read their level in dBFS."""
    hops = np.repeat(10 ** (np.array(levels_db) / 10), 10 * seconds)
    blocks = np.lib.stride_tricks.sliding_window_view(hops, 4).mean(axis=1)
    loud = blocks[blocks > 1e-7]
    return float(10 * np.log10(loud[loud > 0.1 * loud.mean()].mean()))


def case(make: Callable[..., Samples], *arguments: float | str, wanted: float) -> Case:
    return partial(make, *arguments), wanted


def bands() -> list[Group]:
    """Sines in the middle of each band, and 5 percent (at least 25 Hz) inside and outside its edges."""
    groups = []
    for name, (low, high) in zip(BAND_NAMES, pairwise(EDGES_HZ), strict=True):
        inner = [max(1.05 * low, low + 25), min(0.95 * high, high - 25)]
        middle = (low * high) ** 0.5 if low > 20 else 38.0
        inside = [middle, *(f for f in inner if low + 24 < f < high - 24)]
        outside = [f for f in (min(0.95 * low, low - 25), max(1.05 * high, high + 25)) if 20 < f < 20_000]
        cases = [case(sine, f, wanted=100.0) for f in inside] + [case(sine, f, wanted=0.0) for f in outside]
        groups.append(Group(name, "sines in and beside the band", Bounds(worst=0.5, unit="points"), cases))
    return groups


TWO_STEPS = (-20.0, -36.0, -26.0, -45.0)
CLICKS_AT = 0.1 + np.arange(12) / 3

GATES = ((-20.0, -32.3), (-20.0, -33.2), (-69.5, -70.5))

GROUPS = (
    *bands(),
    Group(
        "lufs",
        "steps of a tone on both sides of the gates",
        Bounds(worst=0.03, unit="LU"),
        [(partial(stepped, levels, 10), gated_loudness(levels, 10)) for levels in GATES],
    ),
    Group(
        "crest_db",
        "sine, square wave, square wave that drops under the gate",
        Bounds(worst=0.01, unit="dB"),
        [
            case(sine, 997.0, wanted=3.0103),
            case(square, wanted=0.0),
            # 54 whole blocks, and 6 that reach over an edge by 1 to 3 quarters
            case(gated_crest, wanted=-10 * np.log10((54 + 2 * (1.5 + 1.5 * 0.01)) / 60)),
        ],
    ),
    Group(
        "bass_mid_ratio",
        "two sines",
        Bounds(worst=0.1, unit="dB"),
        [case(two_tones, low, -20.0, wanted=low + 20) for low in (-40.0, -26.0, -20.0, -8.0)],
    ),
    Group(
        "tempo_bpm",
        "even clicks",
        Bounds(worst=1.0, unit="%"),
        [case(even_clicks, 2, wanted=120.0)],
        percent=True,
    ),
    Group(
        "tempo_bpm",
        "noise and a tone, without a pulse",
        Bounds(worst=0.0),
        [case(noise, 12.0, wanted=0.0), case(sine, 440.0, 12.0, wanted=0.0)],
    ),
    Group(
        "rhythm_stability",
        "clicks with known jitter",
        Bounds(worst=0.05),
        [
            (lambda j=j: clicks(jittered(j), 30.5), evenness(np.diff(jittered(j))))
            for j in (0.0, 0.01, 0.02, 0.03, 0.04)
        ],
    ),
    Group(
        "rhythm_stability",
        "three beats, and a fourth",
        Bounds(worst=0.05),
        [(lambda n=n: clicks(0.3 + 0.7 * np.arange(n), 0.8 + 0.7 * n), float(n > 3)) for n in (3, 4)],
    ),
    Group(
        "transient_density",
        "even clicks, and clicks of which every second one is 20 or 40 dB softer",
        Bounds(worst=5.0, unit="%"),
        [case(even_clicks, n, wanted=n * 20 / 20.4) for n in (1, 2, 4, 8)]
        + [case(loud_and_soft_clicks, 4, drop, wanted=4 * 20 / 20.4) for drop in (20.0, 40.0)],
        percent=True,
    ),
    Group(
        "silence_ratio",
        "noise that begins with silence, or 59 or 61 dB softer",
        Bounds(worst=0.0),
        [case(partly_silent, s, wanted=s / 5) for s in (1.0, 2.5, 3.0)]
        + [case(partly_silent, 2.0, drop, wanted=share) for drop, share in ((59.0, 0.0), (61.0, 0.4))],
    ),
    Group(
        "spectral_centroid",
        "sines, white noise, a sine before noise that is silence beside it",
        Bounds(worst=1.0, unit="%"),
        [
            case(sine, 1000.0, wanted=1000.0),
            case(sine, 6000.0, wanted=6000.0),
            case(noise, wanted=RATE / 4),
            case(tone_then_noise, wanted=1000.0),
        ],
        percent=True,
    ),
    Group(
        "spectral_rolloff",
        "fifty sines of one level",
        Bounds(worst=10.8, unit="Hz"),
        [case(comb, wanted=17_200.0)],
    ),
    Group(
        "spectral_flatness",
        "white noise",
        Bounds(worst=1.0, unit="%"),
        [(lambda seed=seed: noise(20.0, seed=seed), float(np.exp(-np.euler_gamma))) for seed in range(3)],
        percent=True,
    ),
    Group(
        "harmonic_ratio",
        "a chord and clicks",
        Bounds(worst=0.1),
        [case(chord, 220.0, 277.2, 329.6, wanted=1.0), (lambda: clicks(CLICKS_AT, 4.0), 0.0)],
    ),
    Group(
        "harmonic_ratio",
        "clicks under an ever louder tone",
        Bounds(rank=0.999),
        [
            (lambda a=a: sine(440.0, amplitude=a) + clicks(CLICKS_AT, 4.0), a)
            for a in (0.001, 0.003, 0.01, 0.03, 0.1)
        ],
    ),
    Group(
        "pitch_stability",
        "steady tones",
        Bounds(worst=0.05),
        [case(sine, f, wanted=1.0) for f in (82.4, 110.0, 220.0, 440.0, 880.0, 1046.5)],
    ),
    Group(
        "pitch_stability",
        "glides of a known slope",
        Bounds(worst=0.015),
        [case(glide, slope, wanted=glide_stability(slope)) for slope in (100.0, 300.0, 600.0, 1200.0)],
    ),
    Group(
        "pitch_stability",
        "vibrato of known depth",
        Bounds(rank=0.999),
        [case(vibrato, cents, wanted=-cents) for cents in (5.0, 20.0, 50.0, 100.0, 300.0)],
    ),
    Group("pitch_stability", "noise", Bounds(worst=0.05), [case(noise, wanted=0.0)]),
    Group(
        "chroma_energy",
        "one pitch class",
        Bounds(worst=0.1),
        [case(chord, *f, wanted=1.0) for f in ((440.0,), (220.0,), (220.0, 440.0, 880.0))],
    ),
    Group(
        "chroma_energy",
        "a triad, between one class and noise",
        Bounds(worst=0.1),
        [case(chord, 261.63, 329.63, 392.0, wanted=1 - np.log(3) / np.log(12))],
    ),
    Group("chroma_energy", "noise", Bounds(worst=0.1), [case(noise, wanted=0.0)]),
    Group(
        "dynamic_range_variation",
        "half seconds of sine and square wave",
        Bounds(worst=0.05, unit="dB"),
        [
            case(halves, *"ssqs" * 3, wanted=5 * np.log10(0.12 / 0.08)),
            case(halves, *"ssqq" * 3, wanted=5 * np.log10(2)),
        ],
    ),
    Group(
        "loudness_variation_std",
        "steps of a tone, of which one lies under the gate",
        Bounds(worst=0.05, unit="LU"),
        [(partial(stepped, TWO_STEPS, 8), steps_variation(TWO_STEPS, 8)), (lambda: sine(1000.0, 10.0), 0.0)],
    ),
    Group(
        "peak_consistency",
        "quarter seconds of known peaks",
        Bounds(worst=0.01),
        [
            (
                partial(stepped, (-8.0, -20.0, -14.0, -20.0) * 4, 0.25),
                evenness(10 ** (-np.array([8, 14]) / 20)),
            )
        ],
    ),
    Group(
        "stereo_width",
        "known mid and side, mono, opposite sides",
        Bounds(worst=1e-6),
        [case(mixed, s, wanted=s * s / (1 + s * s)) for s in (0.0, 0.1, 0.5, 1.0, 2.0)]
        # side 0.4 sin, mid 0.2: mean squares 0.08 and 0.04
        + [case(shifted, 180.0, wanted=2 / 3)],
    ),
    Group(
        "phase_correlation",
        "known phase, known mid and side",
        Bounds(worst=1e-4),
        [case(shifted, d, wanted=float(np.cos(np.radians(d)))) for d in (0.0, 30.0, 90.0, 120.0, 180.0)]
        + [case(mixed, s, wanted=(1 - s * s) / (1 + s * s)) for s in (0.1, 0.5, 2.0)],
    ),
    Group(
        "clipped_ppm",
        "ten clipped samples",
        Bounds(worst=1e-6, unit="ppm"),
        [case(clipped, wanted=1e6 * 10 / (4 * RATE))],
    ),
    Group("dc_offset", "a sine with a constant", Bounds(worst=1e-6), [case(shifted, 30.0, wanted=0.1)]),
    Group(
        "bass_phase_correlation",
        "bass in and out of phase under treble",
        Bounds(worst=0.02),
        [case(bass_against, sign, wanted=sign) for sign in (1.0, -1.0)],
    ),
)
