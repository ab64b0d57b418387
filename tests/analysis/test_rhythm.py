"""Onsets, tempo and beats of signals whose times are known."""

import numpy as np
import pytest
from sounds import analysed, clicks, drums, noise, sine

RATE = 44_100


@pytest.mark.parametrize("per_second", [1, 2, 4, 8])
def test_clicks_are_counted(per_second: int):
    times = 0.2 + np.arange(20 * per_second) / per_second
    x = clicks(times, 20.4) + 1e-3 * noise(20.4)
    assert analysed(x, RATE).fingerprint.transient_density == pytest.approx(20 * per_second / 20.4, rel=0.05)


def test_clicks_out_of_digital_silence_are_counted():
    times = 0.2 + np.arange(60) / 3
    assert analysed(clicks(times, 20.4), RATE).fingerprint.transient_density == pytest.approx(
        60 / 20.4, rel=0.05
    )


@pytest.mark.parametrize("x", [noise(12.0), sine(440.0, 12.0)], ids=["noise", "tone"])
def test_without_a_pulse_there_is_no_tempo(x: np.ndarray):
    fingerprint = analysed(x, RATE).fingerprint
    assert (fingerprint.tempo_bpm, fingerprint.rhythm_stability) == (0.0, 0.0)


@pytest.mark.parametrize("jitter_s", [0.0, 0.01, 0.02, 0.04])
def test_evenness_of_jittered_clicks(jitter_s: float):
    rng = np.random.default_rng(1)
    times = 0.3 + 0.5 * np.arange(60) + jitter_s * rng.standard_normal(60)
    intervals = np.diff(times)
    wanted = 1 / (1 + np.std(intervals) / np.mean(intervals))
    fingerprint = analysed(clicks(times, 30.5), RATE).fingerprint
    assert fingerprint.tempo_bpm == pytest.approx(120, rel=0.04)
    assert fingerprint.rhythm_stability == pytest.approx(wanted, abs=0.05)


def test_three_beats_are_not_enough():
    times = np.array([0.3, 1.0, 1.7])
    assert analysed(clicks(times, 2.2), RATE).fingerprint.rhythm_stability == 0.0


def test_tempo_does_not_depend_on_the_rate():
    found = [analysed(drums(104.0, 15.0, rate), rate).fingerprint.tempo_bpm for rate in (16_000, 48_000)]
    assert found == pytest.approx([104.0, 104.0], abs=0.2)
