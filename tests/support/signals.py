"""More signals with known properties, at 44.1 kHz; float32 ``[frames, 2]``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sounds import Samples, clicks, noise, sine, stereo, time_s

RATE = 44_100


def two_tones(low_db: float, high_db: float) -> Samples:
    """A sine at 100 Hz and one at 1 kHz."""
    return sine(100.0, amplitude=10 ** (low_db / 20)) + sine(1000.0, amplitude=10 ** (high_db / 20))


def square() -> Samples:
    return stereo(0.5 * np.sign(np.sin(2 * np.pi * 100 * time_s(3.0, RATE) + 0.1)))


def gated_crest() -> Samples:
    """A square wave, then one that lies under the relative gate but over the absolute one."""
    return np.concatenate([square(), np.float32(0.1) * square(), square()])


def glide(cents_per_second: float) -> Samples:
    """A tone that rises evenly from 200 Hz for two seconds."""
    time = time_s(2.0, RATE)
    frequency = 200.0 * 2 ** (cents_per_second * time / 1200)
    return stereo(0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE))


def vibrato(cents: float) -> Samples:
    time = time_s(4.0, RATE)
    frequency = 440.0 * 2 ** (cents / 1200 * np.sin(2 * np.pi * 5.5 * time))
    return stereo(0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE))


def chord(*frequencies: float) -> Samples:
    return np.sum([sine(frequency, amplitude=0.1) for frequency in frequencies], axis=0, dtype=np.float32)


def jittered(jitter_s: float) -> NDArray[np.float64]:
    return 0.3 + 0.5 * np.arange(60) + jitter_s * np.random.default_rng(1).standard_normal(60)


def loud_and_soft_clicks(per_second: int, drop_db: float) -> Samples:
    """Every second one is softer; a little noise lies under all of them."""
    times = 0.2 + np.arange(20 * per_second) / per_second
    soft = np.float32(10 ** (-drop_db / 20)) * clicks(times[1::2], 20.4)
    return clicks(times[::2], 20.4) + soft + np.float32(1e-4) * noise(20.4)


def even_clicks(per_second: int) -> Samples:
    times = 0.2 + np.arange(20 * per_second) / per_second
    return clicks(times, 20.4) + np.float32(1e-3) * noise(20.4)


def partly_silent(silent_s: float, drop_db: float = 200.0) -> Samples:
    x = noise(5.0)
    x[: round(silent_s * RATE)] *= np.float32(10 ** (-drop_db / 20))
    return x


def stepped(levels_db: Sequence[float], seconds: float) -> Samples:
    """1 kHz at one level after the other."""
    gains = np.repeat(10 ** (np.array(levels_db) / 20), round(seconds * RATE))
    return stereo(gains * np.sin(2 * np.pi * 1000 * np.arange(len(gains)) / RATE))


def halves(*sounds: str) -> Samples:
    """Half seconds of sine ("s", crest 3.01 dB) and square wave ("q", 0 dB) of one peak."""
    time = time_s(0.5, RATE)
    kinds = {"s": np.sin(2 * np.pi * 1000 * time), "q": np.sign(np.sin(2 * np.pi * 100 * time + 0.1))}
    return stereo(0.4 * np.concatenate([kinds[sound] for sound in sounds]))


def comb() -> Samples:
    """Fifty sines of one level, 400 Hz apart."""
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 50)
    parts = [np.sin(2 * np.pi * 400 * (k + 1) * time_s(4.0, RATE) + phase) for k, phase in enumerate(phases)]
    return stereo(0.01 * np.sum(parts, axis=0))


def mixed(side: float) -> Samples:
    """Different sines in mid and side, whole numbers of periods long."""
    mid, apart = sine(500.0)[:, 0], np.float32(side) * sine(750.0)[:, 0]
    return np.stack([mid + apart, mid - apart], axis=1)


def shifted(degrees: float) -> Samples:
    """The right side lags by a phase; a constant lies under both and is no correlation."""
    phase = 2 * np.pi * 500 * time_s(4.0, RATE)
    waves = np.stack([np.sin(phase), np.sin(phase - np.radians(degrees))], axis=1)
    return (0.2 * waves + 0.1).astype(np.float32)


def bass_against(sign: float) -> Samples:
    """Bass in or out of phase under treble that has nothing in common."""
    bass, treble = sine(60.0, amplitude=0.3)[:, 0], noise()[:, 0]
    return np.stack([bass + treble, np.float32(sign) * bass + treble[::-1]], axis=1)


def clipped() -> Samples:
    x = noise(2.0, amplitude=0.02)
    x[1000:1009, 1], x[5000, 0], x[6000, 0] = 1.0, -1.0, 0.999
    return x


def tone_then_noise() -> Samples:
    """1 kHz for four seconds, then noise 77 dB softer for six."""
    return np.concatenate([sine(1000.0), noise(6.0, amplitude=2.5e-5)])


def noise_in_steps(rate: int, seconds: int = 20) -> Samples:
    """Two channels of noise whose level changes every second, the first two of them silent."""
    rng = np.random.default_rng(3)
    gains = 0.3 * 10 ** (rng.uniform(-40, -6, seconds) / 20)
    gains[:2] = 0.0
    return (np.repeat(gains, rate)[:, None] * rng.standard_normal((seconds * rate, 2))).astype(np.float32)
