"""Signals whose properties are known because they were built that way; float32 ``[frames, channels]``."""

import numpy as np
from numpy.typing import NDArray

from tonearm.analysis.extract import Extractor
from tonearm.model.measures import Analysis

Samples = NDArray[np.float32]


def analysed(x: Samples, rate: int, layout: str = "") -> Analysis:
    """The analysis of a whole signal."""
    extractor = Extractor(rate, x.shape[1], layout)
    extractor.process(x)
    return extractor.finish()


def stereo(signal: NDArray[np.float64]) -> Samples:
    return np.repeat(signal.astype(np.float32)[:, None], 2, axis=1)


def time_s(seconds: float, rate: int) -> NDArray[np.float64]:
    return np.arange(round(seconds * rate)) / rate


def sine(frequency: float, seconds: float = 4.0, rate: int = 44_100, amplitude: float = 0.25) -> Samples:
    return stereo(amplitude * np.sin(2 * np.pi * frequency * time_s(seconds, rate)))


def noise(seconds: float = 4.0, rate: int = 44_100, amplitude: float = 0.1, seed: int = 0) -> Samples:
    return stereo(amplitude * np.random.default_rng(seed).standard_normal(round(seconds * rate)))


def clicks(times_s: NDArray[np.float64], seconds: float, rate: int = 44_100) -> Samples:
    """Short bursts of noise at the given times."""
    rng = np.random.default_rng(0)
    x = np.zeros(round(seconds * rate))
    burst = rng.standard_normal(rate // 100) * np.exp(-np.arange(rate // 100) / (rate / 500))
    for start in np.round(times_s * rate).astype(int):
        part = x[start : start + len(burst)]
        part += 0.3 * burst[: len(part)]
    return stereo(x)


def drums(bpm: float, seconds: float = 40.0, rate: int = 44_100) -> Samples:
    """Kick on one and three, snare on two and four, hi-hats in eighths, over a held chord."""
    rng = np.random.default_rng(round(bpm))
    beat_s = 60.0 / bpm
    x = np.zeros(round(seconds * rate))

    def add(at_s: float, sound: NDArray[np.float64]) -> None:
        start = round(at_s * rate)
        part = x[start : start + len(sound)]
        part += sound[: len(part)]

    t = time_s(0.25, rate)
    kick = 0.8 * np.sin(2 * np.pi * (50 * t + 1.2 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.06)
    for beat in range(int(seconds / beat_s)):
        if beat % 2 == 0:
            add(beat * beat_s, kick)
        else:
            tail = np.exp(-t / 0.05)
            body = 0.35 * rng.standard_normal(len(t)) + 0.25 * np.sin(2 * np.pi * 190 * t)
            add(beat * beat_s, body * tail)
        for eighth in (0.0, 0.5):
            hat = np.diff(rng.standard_normal(rate // 20 + 1)) * np.exp(
                -np.arange(rate // 20) / (0.012 * rate)
            )
            add((beat + eighth) * beat_s, 0.2 * hat)
    chord = sum(np.sin(2 * np.pi * f * time_s(seconds, rate)) for f in (220.0, 261.63, 329.63))
    return stereo(0.5 * (x + 0.1 * chord))
