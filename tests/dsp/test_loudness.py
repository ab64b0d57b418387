"""The meter against libebur128 (pyebur128), which shares no code with it."""

import numpy as np
import pyebur128
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import lufs

from tonearm.dsp.loudness import (
    LoudnessMeter,
    channel_weights,
    gated,
    k_weighting,
    loudness_of,
)
from tonearm.model.audio import Block


def programme(rate: int, seconds: float, channels: int = 2, seed: int = 0) -> Block:
    """Noise whose level wanders by 20 dB, with a silent second in the middle."""
    frames = int(rate * seconds)
    time = np.arange(frames) / rate
    gain = 10 ** (-1 + 0.5 * np.sin(2 * np.pi * time / 7.3))
    gain[int(frames * 0.5) : int(frames * 0.5) + rate] = 0.0
    noise = np.random.default_rng(seed).standard_normal((frames, channels))
    return (0.2 * gain[:, None] * noise).astype(np.float32)


def measure(x: Block, rate: int, layout: str = "stereo") -> LoudnessMeter:
    meter = LoudnessMeter(rate, channel_weights(x.shape[1], layout))
    meter.process(x)
    return meter


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000])
def test_integrated_loudness_is_that_of_libebur128(rate: int):
    x = programme(rate, 12.0)
    assert measure(x, rate).integrated() == pytest.approx(lufs(x, rate), abs=0.01)


def test_coefficients_at_48_khz_are_those_of_the_recommendation():
    shelf, high_pass = k_weighting(48_000)
    np.testing.assert_allclose(
        shelf,
        [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585],
        atol=1e-9,
    )
    np.testing.assert_allclose(high_pass, [1, -2, 1, -1.99004745483398, 0.99007225036621], atol=1e-9)


def test_a_full_scale_sine_on_one_channel_reads_minus_three():
    sine = np.sin(2 * np.pi * 997 * np.arange(48_000 * 10) / 48_000)
    x = np.stack([sine, 0 * sine], axis=1).astype(np.float32)
    assert measure(x, 48_000).integrated() == pytest.approx(-3.01, abs=0.01)


def test_one_channel_reads_as_its_stereo_copy():
    x = programme(44_100, 5.0, channels=1)
    both = np.repeat(x, 2, axis=1)
    assert measure(x, 44_100).integrated() == measure(both, 44_100).integrated()


def test_weights_follow_the_layout():
    np.testing.assert_array_equal(channel_weights(6, "5.1(side)"), [1, 1, 1, 0, 1.41, 1.41])
    np.testing.assert_array_equal(channel_weights(6, ""), [1, 1, 1, 0, 1.41, 1.41])
    np.testing.assert_array_equal(channel_weights(8, "7.1"), [1, 1, 1, 0, 1, 1, 1.41, 1.41])
    np.testing.assert_array_equal(channel_weights(1, "mono"), [2])


def test_five_channels_read_as_in_libebur128():
    x = programme(48_000, 6.0, channels=6)
    state = pyebur128.R128State(6, 48_000, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(x.reshape(-1), len(x))
    assert measure(x, 48_000, "5.1").integrated() == pytest.approx(
        pyebur128.get_loudness_global(state), abs=0.01
    )


def test_short_term_series_is_that_of_libebur128():
    rate = 44_100
    x = programme(rate, 12.0)
    state = pyebur128.R128State(2, rate, pyebur128.MeasurementMode.MODE_S)
    reference = []
    for second in range(12):
        state.add_frames(x[second * rate : (second + 1) * rate].reshape(-1), rate)
        if second >= 2:
            reference.append(pyebur128.get_loudness_shortterm(state))
    found = loudness_of(measure(x, rate).short_term_energies)
    np.testing.assert_allclose(found, reference, atol=0.01)


def test_loudness_range_is_near_that_of_libebur128():
    """Near, not equal: libebur128 takes one window a second, Tech 3342 asks for ten."""
    x = programme(44_100, 90.0)
    state = pyebur128.R128State(2, 44_100, pyebur128.MeasurementMode.MODE_LRA)
    state.add_frames(x.reshape(-1), len(x))
    assert measure(x, 44_100).loudness_range() == pytest.approx(pyebur128.get_loudness_range(state), abs=0.3)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 22_050), max_size=8), rate=st.sampled_from([8_000, 11_025, 22_050]))
def test_block_size_never_changes_the_numbers(cuts: list[int], rate: int):
    x = programme(22_050, 1.0, channels=3)
    stream = LoudnessMeter(rate, channel_weights(3, "3.0"))
    for part in np.split(x, sorted(cuts)):
        stream.process(part)
    np.testing.assert_array_equal(stream.hop_energies, measure(x, rate, "3.0").hop_energies)


def test_hops_stay_on_the_clock_where_the_rate_is_no_multiple_of_ten():
    assert len(measure(programme(11_025, 20.0), 11_025).hop_energies) == 200


@pytest.mark.parametrize("x", [np.zeros((44_100, 2)), np.full((15_000, 2), 0.1), np.zeros((0, 2))])
def test_silence_and_less_than_a_block_have_no_loudness(x: Block):
    meter = measure(x.astype(np.float32), 44_100)
    assert meter.integrated() is None
    assert meter.loudness_range() == 0.0


def test_gates_leave_out_what_is_quiet():
    energies = np.array([1.0, 1.0, 0.05, 1e-9])
    np.testing.assert_array_equal(gated(energies, -10.0), [True, True, False, False])


def test_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match="2 channels"):
        LoudnessMeter(44_100, channel_weights(2, "")).process(np.zeros((10, 1), dtype=np.float32))
