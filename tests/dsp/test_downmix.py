"""The stereo downmix against the coefficients that ITU-R BS.775-4 prints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.dsp.downmix import downmix_matrix, to_stereo

HALF_POWER = 0.7071067811865476


def test_five_point_one():
    wanted = [[1, 0], [0, 1], [HALF_POWER, HALF_POWER], [0, 0], [HALF_POWER, 0], [0, HALF_POWER]]
    np.testing.assert_allclose(downmix_matrix(6, "5.1"), wanted)
    np.testing.assert_allclose(downmix_matrix(6, "5.1(side)"), wanted)


def test_a_single_back_channel_goes_to_both_sides_at_half():
    np.testing.assert_allclose(downmix_matrix(4, "4.0")[3], [0.5, 0.5])


def test_every_layout_treats_left_and_right_alike():
    matrix = downmix_matrix(8, "7.1")
    np.testing.assert_array_equal(matrix[[1, 0, 2, 3, 5, 4, 7, 6]][:, ::-1], matrix)


@pytest.mark.parametrize("channels", [1, 2])
def test_one_or_two_channels_come_back_as_they_are(channels: int):
    block = np.random.default_rng(0).standard_normal((10, channels)).astype(np.float32)
    assert to_stereo(block, "stereo") is block


@given(cuts=st.lists(st.integers(0, 300), max_size=5))
def test_block_size_never_changes_the_sound(cuts: list[int]):
    block = np.random.default_rng(1).standard_normal((300, 6)).astype(np.float32)
    whole = to_stereo(block, "5.1")
    parts = np.concatenate([to_stereo(part, "5.1") for part in np.split(block, sorted(cuts))])
    np.testing.assert_array_equal(parts, whole)
    np.testing.assert_allclose(whole, block @ downmix_matrix(6, "5.1"), atol=1e-5)
