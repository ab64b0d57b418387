"""Harmonic share, chroma and pitch of signals whose harmony is known."""

import numpy as np
import pytest
from sounds import Samples, analysed, clicks, noise, sine, stereo, time_s

RATE = 44_100


def chord(*frequencies: float) -> Samples:
    return sum(sine(frequency, amplitude=0.1) for frequency in frequencies)


def vibrato(cents: float) -> Samples:
    time = time_s(4.0, RATE)
    frequency = 440.0 * 2 ** (cents / 1200 * np.sin(2 * np.pi * 5.5 * time))
    return stereo(0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE))


def brown_noise(seconds: float = 4.0) -> Samples:
    steps = noise(seconds).astype(np.float64)
    walk = np.cumsum(steps, axis=0)
    smooth = np.convolve(walk[:, 0], np.full(2205, 1 / 2205), mode="same")
    return ((walk - smooth[:, None]) * 0.02).astype(np.float32)


def test_tones_are_harmonic_and_clicks_are_not():
    tones = analysed(chord(220.0, 277.2, 329.6), RATE).fingerprint.harmonic_ratio
    times = 0.1 + np.arange(12) / 3
    hits = analysed(clicks(times, 4.0), RATE).fingerprint.harmonic_ratio
    assert tones > 0.98
    assert hits < 0.1


def test_a_mix_lies_between():
    times = 0.1 + np.arange(12) / 3
    mixed = [
        analysed(sine(440.0, amplitude=amplitude) + clicks(times, 4.0), RATE).fingerprint.harmonic_ratio
        for amplitude in (0.003, 0.01, 0.03, 0.1)
    ]
    assert mixed == sorted(mixed)
    assert mixed[0] < 0.5 < mixed[-1]


@pytest.mark.parametrize("frequency", [82.4, 110.0, 220.0, 440.0, 880.0, 1046.5, 2093.0])
@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_a_steady_tone_has_a_steady_pitch(frequency: float, rate: int):
    assert analysed(sine(frequency, rate=rate), rate).fingerprint.pitch_stability > 0.95


def test_deeper_vibrato_is_less_steady():
    found = [analysed(vibrato(cents), RATE).fingerprint.pitch_stability for cents in (5, 20, 50, 100, 300)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.7
    assert found[-1] < 0.3


@pytest.mark.parametrize("x", [noise(), brown_noise()], ids=["white", "brown"])
def test_noise_has_no_pitch(x: Samples):
    assert analysed(x, RATE).fingerprint.pitch_stability < 0.05


def test_silence_between_tones_does_not_count():
    x = sine(330.0)
    gap = np.concatenate([x, np.zeros_like(x), x])
    assert analysed(gap, RATE).fingerprint.pitch_stability > 0.95


@pytest.mark.parametrize("frequencies", [(440.0,), (220.0,), (220.0, 440.0, 880.0)])
def test_one_pitch_class_is_concentrated(frequencies: tuple[float, ...]):
    assert analysed(chord(*frequencies), RATE).fingerprint.chroma_energy > 0.9


def test_a_triad_lies_between_one_class_and_noise():
    triad = analysed(chord(261.63, 329.63, 392.0), RATE).fingerprint.chroma_energy
    spread = analysed(noise(), RATE).fingerprint.chroma_energy
    assert spread < 0.1
    assert 0.3 < triad < 0.7
