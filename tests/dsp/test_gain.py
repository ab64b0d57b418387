import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.dsp.gain import Gain

ONES = np.ones((2000, 2), np.float32)


def test_nothing_is_bit_exact() -> None:
    x = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    np.testing.assert_array_equal(Gain(0.0, 0).process(x), x)


@pytest.mark.parametrize("gain_db", [-100.0, -6.0, 3.5, 100.0])
def test_a_constant_gain(gain_db: float) -> None:
    y = Gain(gain_db, 0).process(ONES)
    assert y.dtype == np.float32
    np.testing.assert_allclose(20 * np.log10(y), gain_db, atol=1e-5)


def test_a_glide_is_straight_in_db() -> None:
    gain = Gain(-6.0, 0)
    head = gain.process(ONES[:500])
    gain.glide(3.0, 1000)
    level_db = 20 * np.log10(np.concatenate([head, gain.process(ONES[500:])])[:, 0])
    wanted = -6.0 + 9.0 * np.clip((np.arange(2000) - 500) / 1000, 0, 1)
    np.testing.assert_allclose(level_db, wanted, atol=1e-5)


def test_a_second_glide_starts_where_the_first_one_is() -> None:
    gain = Gain(0.0, 0)
    gain.glide(10.0, 1000)
    gain.process(ONES[:500])
    gain.glide(0.0, 1000)
    level_db = 20 * np.log10(gain.process(ONES[:1200])[:, 0])
    np.testing.assert_allclose(level_db, 5.0 - 5.0 * np.clip(np.arange(1200) / 1000, 0, 1), atol=1e-5)


def test_a_glide_to_where_it_already_leads_goes_on() -> None:
    one, two = Gain(0.0, 0), Gain(0.0, 0)
    for gain in (one, two):
        gain.glide(6.0, 1000)
        gain.process(ONES[:500])
    two.glide(6.0, 1000)
    np.testing.assert_array_equal(one.process(ONES), two.process(ONES))


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 1500), max_size=8))
def test_cutting_never_changes_a_glide(cuts: list[int]) -> None:
    whole, cut = Gain(-3.0, 7), Gain(-3.0, 7)
    for gain in (whole, cut):
        gain.glide(4.0, 1111)
    x = np.random.default_rng(0).normal(size=(1500, 2)).astype(np.float32)
    parts = [cut.process(block) for block in np.split(x, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), whole.process(x))


@pytest.mark.parametrize("gain_db", [np.nan, np.inf, 101.0])
def test_a_gain_is_a_sane_number(gain_db: float) -> None:
    with pytest.raises(ValueError, match="within"):
        Gain(gain_db, 0)
