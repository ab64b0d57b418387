"""EBU Tech 3341 (November 2023), table 1: the cases that can be synthesised (7 and 8 are recordings).

The tolerances are those of the document: 0.1 LU, and +0.2/-0.4 dB for true peaks.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import firwin

from tonearm.dsp.loudness import (
    HOPS_PER_BLOCK,
    HOPS_PER_SECOND,
    HOPS_PER_SHORT_TERM,
    LoudnessMeter,
    channel_weights,
    loudness_of,
)
from tonearm.dsp.truepeak import TruePeakMeter
from tonearm.model.audio import Block

RATES = [44_100, 48_000]
Step = tuple[float, float]
SILENT = -200.0
FINE = 100


def tone(steps: list[Step], rate: int) -> NDArray[np.float32]:
    """1 kHz, phase-continuous, at (dBFS, seconds) one after the other; ``[frames]``."""
    gains = np.concatenate([np.full(round(seconds * rate), 10 ** (level / 20)) for level, seconds in steps])
    gains[gains < 1e-9] = 0.0
    return (gains * np.sin(2 * np.pi * 1000 * np.arange(len(gains)) / rate)).astype(np.float32)


def stereo(steps: list[Step], rate: int) -> Block:
    return np.repeat(tone(steps, rate)[:, None], 2, axis=1)


def meter(x: Block, rate: int, layout: str = "stereo", pace: int = HOPS_PER_SECOND) -> LoudnessMeter:
    loudness = LoudnessMeter(rate, channel_weights(x.shape[1], layout), pace)
    loudness.process(x)
    return loudness


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        pytest.param([(-23, 20)], -23.0, id="1"),
        pytest.param([(-33, 20)], -33.0, id="2"),
        pytest.param([(-36, 10), (-23, 60), (-36, 10)], -23.0, id="3"),
        pytest.param([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0, id="4"),
        pytest.param([(-26, 20), (-20, 20.1), (-26, 20)], -23.0, id="5"),
    ],
)
def test_integrated(steps: list[Step], wanted: float, rate: int):
    assert meter(stereo(steps, rate), rate).integrated() == pytest.approx(wanted, abs=0.03)


@pytest.mark.parametrize("rate", RATES)
def test_integrated_of_five_channels(rate: int):
    """Case 6."""
    levels = (-28.0, -28.0, -24.0, -30.0, -30.0)
    x = np.stack([tone([(level, 20)], rate) for level in levels], axis=1)
    assert meter(x, rate, "5.0").integrated() == pytest.approx(-23.0, abs=0.03)


@pytest.mark.parametrize("rate", RATES)
def test_momentary_and_short_term_of_a_steady_tone(rate: int):
    """Cases 1 and 2: all three readings agree."""
    loudness = meter(stereo([(-23, 20)], rate), rate)
    np.testing.assert_allclose(loudness_of(loudness.windows(HOPS_PER_BLOCK))[5:], -23.0, atol=0.1)
    np.testing.assert_allclose(loudness_of(loudness.windows(HOPS_PER_SHORT_TERM))[5:], -23.0, atol=0.1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("steps", "hops", "settled"),
    [
        pytest.param([(-20, 1.34), (-30, 1.66)] * 5, HOPS_PER_SHORT_TERM, 0, id="9"),
        pytest.param([(-20, 0.18), (-30, 0.22)] * 25, HOPS_PER_BLOCK, 6, id="12"),
    ],
)
def test_windows_as_long_as_the_pattern_read_one_value(steps: list[Step], hops: int, settled: int, rate: int):
    readings = loudness_of(meter(stereo(steps, rate), rate).windows(hops))
    np.testing.assert_allclose(readings[settled:], -23.0, atol=0.1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("delay_s", "length_s"),
    [pytest.param(0.15, 3.0, id="10"), pytest.param(0.02, 0.4, id="13")],
)
def test_the_highest_window_finds_a_tone_of_its_length(delay_s: float, length_s: float, rate: int):
    """Twenty starts each, so the windows step by 10 ms."""
    for i in range(20):
        x = stereo([(SILENT, i * delay_s), (-23, length_s), (SILENT, 1)], rate)
        readings = loudness_of(meter(x, rate, pace=FINE).windows(round(length_s * FINE)))
        assert readings.max() == pytest.approx(-23.0, abs=0.1), i


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("delay_s", "length_s"),
    [pytest.param(0.15, 3.0, id="11"), pytest.param(0.02, 0.4, id="14")],
)
def test_the_highest_window_so_far_follows_rising_tones(delay_s: float, length_s: float, rate: int):
    """Twenty tones in a row, each 1 dB louder than the one before."""
    steps: list[Step] = []
    for i in range(20):
        before = i * delay_s
        steps += [(SILENT, before), (-38.0 + i, length_s), (SILENT, length_s - before)]
    window = round(length_s * FINE)
    readings = loudness_of(meter(stereo(steps, rate), rate, pace=FINE).windows(window))
    for i in range(20):
        end = 2 * (i + 1) * window
        assert readings[: end - window + 1].max() == pytest.approx(-38.0 + i, abs=0.1), i


def faded(x: NDArray[np.float64], rate: int) -> Block:
    ramp = np.linspace(0, 1, rate // 100)
    x = x.copy()
    x[: len(ramp)] *= ramp
    x[-len(ramp) :] *= ramp[::-1]
    return x.astype(np.float32)[:, None]


def true_peak_db(x: Block, rate: int) -> float:
    peak = TruePeakMeter(x.shape[1], rate)
    peak.process(x)
    peak.flush()
    return 20 * np.log10(peak.peak)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize(
    ("divisor", "amplitude", "degrees", "wanted"),
    [
        pytest.param(4, 0.5, 0.0, -6.0, id="15"),
        pytest.param(4, 0.5, 45.0, -6.0, id="16"),
        pytest.param(6, 0.5, 60.0, -6.0, id="17"),
        pytest.param(8, 0.5, 67.5, -6.0, id="18"),
        pytest.param(4, 1.41, 45.0, 3.0, id="19"),
    ],
)
def test_true_peak_of_steady_tones(divisor: int, amplitude: float, degrees: float, wanted: float, rate: int):
    phase = 2 * np.pi * (np.arange(rate) / divisor + degrees / 360)
    found = true_peak_db(faded(amplitude * np.sin(phase), rate), rate)
    assert -0.2 <= found - wanted <= 0.05


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("offset", range(4))
def test_true_peak_between_samples_wherever_they_fall(offset: int, rate: int):
    """Cases 20-23: one period of fs/4 at full scale inside a tone of fs/6, made at four times the rate."""
    fine = 4 * rate
    count = fine // 2
    before = 0.5 * np.sin(2 * np.pi * np.arange(count // 24 * 24) / 24)
    peak = np.sin(2 * np.pi * np.arange(16) / 16)
    signal = np.concatenate([before, peak, before])
    taps = firwin(1023, 0.9 / 4)
    low = np.convolve(signal, taps, mode="same")
    found = true_peak_db(faded(low[offset::4], rate), rate)
    assert -0.4 <= found <= 0.2
