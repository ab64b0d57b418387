import numpy as np
import pytest

from tonearm.dsp.dither import dithered_16, rounded_16

SILENCE = np.zeros((200_000, 2), np.float32)


def noise_of(value: float) -> np.ndarray:
    """Error of dithered samples of one value, in steps."""
    x = np.full((200_000, 2), value / 32768, np.float32)
    return dithered_16(x, 0) - value


@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, -1000.125])
def test_the_error_is_triangular_noise_whatever_the_signal(value: float) -> None:
    error = noise_of(value)
    assert error.mean() == pytest.approx(0.0, abs=0.01)
    # Rounding adds 1/12 of a step squared to the dither's own 1/6.
    assert error.var() == pytest.approx(0.25, abs=0.01)
    assert np.abs(error).max() < 1.5 + 1e-6


def test_the_error_is_white_and_its_channels_are_independent() -> None:
    error = noise_of(0.25)
    left, right = error[:, 0] - error[:, 0].mean(), error[:, 1] - error[:, 1].mean()
    for a, b in ((left, right), (left[1:], left[:-1]), (left[2:], left[:-2]), (left[1:], right[:-1])):
        assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.0, abs=0.01)


def test_it_depends_on_the_frame_number_alone() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (5000, 2)).astype(np.float32)
    whole = dithered_16(x, 1000)
    parts = [dithered_16(x[:777], 1000), dithered_16(x[777:], 1777)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(dithered_16(x, 1001), whole)


def test_far_frames_have_their_own_noise() -> None:
    first = dithered_16(SILENCE[:1000], 0)
    assert not np.array_equal(dithered_16(SILENCE[:1000], 2**40), first)


def test_rounding_gives_back_what_had_sixteen_bits() -> None:
    samples = np.arange(-32768, 32768, dtype=np.int16).reshape(-1, 2)
    np.testing.assert_array_equal(rounded_16((samples / 32768).astype(np.float32)), samples)


def test_what_exceeds_full_scale_is_clipped() -> None:
    x = np.array([[1.0, -1.0], [2.0, -2.0]], np.float32)
    np.testing.assert_array_equal(rounded_16(x), [[32767, -32768]] * 2)
    assert np.abs(dithered_16(x, 0).astype(int)).min() >= 32766
