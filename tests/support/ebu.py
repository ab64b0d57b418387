"""The test signals of EBU Tech 3341 (November 2023) and Tech 3342, made from their parameters.

Cases 7 and 8 of the first and 5 and 6 of the second are recordings and are left out. Every case says by
how much the program's readings differ from the expected ones, at any rate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve

from tonearm.dsp.loudness import (
    HOPS_PER_BLOCK,
    HOPS_PER_SECOND,
    HOPS_PER_SHORT_TERM,
    LoudnessMeter,
    channel_weights,
    loudness_of,
)
from tonearm.dsp.truepeak import TruePeakMeter

RATES = (44_100, 48_000, 88_200, 96_000, 192_000)

Mono = NDArray[np.float32]
Step = tuple[float, float]
"""dBFS, seconds"""

SILENT = -200.0
FINE = 100
"""Hops a second where the place of a short tone matters."""

LOUDNESS_LU = (-0.1, 0.1)
TRUE_PEAK_DB = (-0.4, 0.2)
RANGE_LU = (-1.0, 1.0)


@dataclass(frozen=True)
class Case:
    """One case: ``allowed`` is the standard's tolerance, ``goal`` that of this project (low, high)."""

    number: str
    signal: str
    allowed: tuple[float, float]
    goal: tuple[float, float]
    deviations: Callable[[int], list[float]]
    """Readings minus what is expected, at a sample rate."""


def tone(steps: Iterable[Step], rate: int) -> Mono:
    """1 kHz, phase-continuous, at (dBFS, seconds) one after the other; ``[frames]``."""
    steps = list(steps)
    lengths = [round(seconds * rate) for _, seconds in steps]
    cycles = np.sin(2 * np.pi * 1000 * np.arange(rate // 100) / rate)  # ten, which fill it exactly
    x = np.resize(cycles.astype(np.float32), sum(lengths))
    start = 0
    for (level, _), length in zip(steps, lengths, strict=True):
        x[start : start + length] *= np.float32(10 ** (level / 20) if level > SILENT else 0.0)
        start += length
    return x


def metered(channels: list[Mono], rate: int, layout: str, pace: int = HOPS_PER_SECOND) -> LoudnessMeter:
    """A meter that has heard the channels, ten seconds at a time."""
    meter = LoudnessMeter(rate, channel_weights(len(channels), layout), pace)
    for start in range(0, len(channels[0]), 10 * rate):
        meter.process(np.stack([x[start : start + 10 * rate] for x in channels], axis=1))
    return meter


def in_stereo(steps: Iterable[Step], rate: int, pace: int = HOPS_PER_SECOND) -> LoudnessMeter:
    x = tone(steps, rate)
    return metered([x, x], rate, "stereo", pace)


def read_integrated(meter: LoudnessMeter) -> float:
    lufs = meter.integrated()
    assert lufs is not None
    return lufs


def integrated(steps: list[Step], wanted: float, rate: int) -> list[float]:
    return [read_integrated(in_stereo(steps, rate)) - wanted]


def steady(steps: list[Step], wanted: float, rate: int) -> list[float]:
    """Momentary, short-term and integrated agree; the windows that hold the tone's start are left out."""
    meter = in_stereo(steps, rate)
    windows = [meter.windows(HOPS_PER_BLOCK)[5:], meter.windows(HOPS_PER_SHORT_TERM)[5:]]
    readings = np.concatenate([loudness_of(energies) for energies in windows])
    return [*(readings - wanted).tolist(), read_integrated(meter) - wanted]


def five_channels(rate: int) -> list[float]:
    channels = [tone([(level, 20)], rate) for level in (-28.0, -28.0, -24.0, -30.0, -30.0)]
    return [read_integrated(metered(channels, rate, "5.0")) + 23.0]


def constant(pattern: list[Step], hops: int, settled: int, rate: int) -> list[float]:
    """Windows as long as the pattern read one value."""
    readings = loudness_of(in_stereo(pattern, rate).windows(hops))[settled:]
    return list((readings + 23.0).tolist())


def highest(delay_s: float, length_s: float, rate: int) -> list[float]:
    """The highest window of each of twenty files, in which a tone of its length starts ever later."""
    found = []
    for i in range(20):
        meter = in_stereo([(SILENT, i * delay_s), (-23, length_s), (SILENT, 1)], rate, FINE)
        found.append(float(loudness_of(meter.windows(round(length_s * FINE))).max()) + 23.0)
    return found


def rising(delay_s: float, length_s: float, rate: int) -> list[float]:
    """The highest window so far, after each of twenty tones of which each is 1 dB louder."""
    steps: list[Step] = []
    for i in range(20):
        before = i * delay_s
        steps += [(SILENT, before), (-38.0 + i, length_s), (SILENT, length_s - before)]
    window = round(length_s * FINE)
    readings = loudness_of(in_stereo(steps, rate, FINE).windows(window))
    return [float(readings[: 2 * (i + 1) * window - window + 1].max()) + 38.0 - i for i in range(20)]


def true_peak_db(x: NDArray[np.float64], rate: int) -> float:
    """Read by the program's meter, after fades of 10 ms at both ends."""
    ramp = np.linspace(0, 1, rate // 100)
    x = x.copy()
    x[: len(ramp)] *= ramp
    x[-len(ramp) :] *= ramp[::-1]
    meter = TruePeakMeter(1, rate)
    meter.process(x.astype(np.float32)[:, None])
    meter.flush()
    return float(20 * np.log10(meter.peak))


def steady_peak(divisor: int, amplitude: float, degrees: float, wanted: float, rate: int) -> list[float]:
    phase = 2 * np.pi * (np.arange(rate) / divisor + degrees / 360)
    return [true_peak_db(amplitude * np.sin(phase), rate) - wanted]


def peak_between_samples(offset: int, rate: int) -> list[float]:
    """One period of fs/4 at full scale inside a tone of fs/6, made at four times the rate.

    The document does not specify the low-pass; a firwin of 1023 taps at 0.9 is used.
    """
    before = 0.5 * np.sin(2 * np.pi * np.arange(2 * rate // 24 * 24) / 24)
    peak = np.sin(2 * np.pi * np.arange(16) / 16)
    fine = oaconvolve(np.concatenate([before, peak, before]), firwin(1023, 0.9 / 4), mode="same")
    return [true_peak_db(fine[offset::4], rate)]


def loudness_range(levels: tuple[float, ...], wanted: float, rate: int) -> list[float]:
    return [in_stereo([(level, 20) for level in levels], rate).loudness_range() - wanted]


def _loudness(number: str, signal: str, goal: float, deviations: Callable[[int], list[float]]) -> Case:
    return Case(number, signal, LOUDNESS_LU, (-goal, goal), deviations)


def _peak(number: str, signal: str, high: float, deviations: Callable[[int], list[float]]) -> Case:
    return Case(number, signal, TRUE_PEAK_DB, (-0.2, high), deviations)


def _steps_of(steps: list[Step]) -> str:
    return ", ".join(f"{level:g} x {seconds:g} s" for level, seconds in steps)


_STEADY: dict[str, tuple[list[Step], float]] = {"1": ([(-23, 20)], -23.0), "2": ([(-33, 20)], -33.0)}
_GATED: dict[str, list[Step]] = {
    "3": [(-36, 10), (-23, 60), (-36, 10)],
    "4": [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
    "5": [(-26, 20), (-20, 20.1), (-26, 20)],
}
_PEAKS = {
    "15": (4, 0.5, 0.0, -6.0),
    "16": (4, 0.5, 45.0, -6.0),
    "17": (6, 0.5, 60.0, -6.0),
    "18": (8, 0.5, 67.5, -6.0),
    "19": (4, 1.41, 45.0, 3.0),
}
_RANGES = {
    "1": ((-20.0, -30.0), 10.0),
    "2": ((-20.0, -15.0), 5.0),
    "3": ((-40.0, -20.0), 20.0),
    "4": ((-50.0, -35.0, -20.0, -35.0, -50.0), 15.0),
}

TECH_3341 = (
    *(
        _loudness(n, f"{_steps_of(steps)}: M, S and I", 0.05, partial(steady, steps, wanted))
        for n, (steps, wanted) in _STEADY.items()
    ),
    *(_loudness(n, f"{_steps_of(s)}: I", 0.05, partial(integrated, s, -23.0)) for n, s in _GATED.items()),
    _loudness("6", "5.0 channels: I", 0.05, five_channels),
    _loudness(
        "9",
        "(-20 x 1.34 s, -30 x 1.66 s) x 5: S",
        0.1,
        partial(constant, [(-20.0, 1.34), (-30.0, 1.66)] * 5, HOPS_PER_SHORT_TERM, 0),
    ),
    _loudness("10", "20 starts of -23 x 3 s: highest S", 0.1, partial(highest, 0.15, 3.0)),
    _loudness("11", "20 rising tones of 3 s: highest S so far", 0.1, partial(rising, 0.15, 3.0)),
    _loudness(
        "12",
        "(-20 x 0.18 s, -30 x 0.22 s) x 25: M",
        0.1,
        partial(constant, [(-20.0, 0.18), (-30.0, 0.22)] * 25, HOPS_PER_BLOCK, 6),
    ),
    _loudness("13", "20 starts of -23 x 0.4 s: highest M", 0.1, partial(highest, 0.02, 0.4)),
    _loudness("14", "20 rising tones of 0.4 s: highest M so far", 0.1, partial(rising, 0.02, 0.4)),
    *(
        _peak(n, f"fs/{d}, {amplitude:g} FFS, {degrees:g} degrees", 0.05, partial(steady_peak, *values))
        for n, values in _PEAKS.items()
        for d, amplitude, degrees, _ in [values]
    ),
    *(
        _peak(str(20 + offset), f"fs/4 in fs/6, offset {offset}", 0.05, partial(peak_between_samples, offset))
        for offset in range(4)
    ),
)

TECH_3342 = tuple(
    Case(
        n,
        _steps_of([(level, 20) for level in levels]),
        RANGE_LU,
        (-0.1, 0.1),
        partial(loudness_range, levels, w),
    )
    for n, (levels, w) in _RANGES.items()
)
