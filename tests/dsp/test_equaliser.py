"""The equaliser against ``scipy.signal``: its response, and its filtering."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import freqz_sos, sosfilt, tf2zpk

from tonearm.dsp.equaliser import (
    BAND_CENTRES_HZ,
    STEP_FRAMES,
    Equaliser,
    band_count,
    band_response_db,
    band_sections,
)
from tonearm.model.audio import Block

FLAT = (0.0,) * 7
CURVE = (1.0, -2.0, 0.5, 1.5, -1.0, 2.5, -3.0)
OTHER = (-2.0, 0.0, 0.0, 3.0, 1.0, -0.5, 2.0)
NOISE = np.random.default_rng(0).normal(0, 0.2, (3000, 2)).astype(np.float32)
RATES = st.sampled_from([8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 384_000])
GAINS = st.lists(st.floats(-3, 3), min_size=7, max_size=7)


def sos(gains_db: tuple[float, ...] | list[float], rate: int) -> NDArray[np.float64]:
    sections = band_sections(gains_db, rate)
    return np.insert(sections, 3, 1.0, axis=1)


def scipy_response_db(gains_db: list[float], hertz: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    return 20 * np.log10(np.abs(freqz_sos(sos(gains_db, rate), hertz, fs=rate)[1]))


@settings(max_examples=80, deadline=None)
@given(gains=GAINS, rate=RATES)
def test_the_response_at_the_band_centres_is_what_was_asked(gains: list[float], rate: int) -> None:
    centres = np.array(BAND_CENTRES_HZ)[: band_count(rate)]
    np.testing.assert_allclose(scipy_response_db(gains, centres, rate), gains[: len(centres)], atol=0.01)


@settings(max_examples=80, deadline=None)
@given(gains=GAINS, rate=RATES)
def test_between_the_centres_nothing_runs_wild(gains: list[float], rate: int) -> None:
    hertz = np.geomspace(5, rate * 0.499, 600)
    assert np.abs(scipy_response_db(gains, hertz, rate)).max() <= 1.4 * max(map(abs, gains)) + 0.01


def test_one_gain_for_all_bands_stays_within_a_quarter_of_it() -> None:
    response = scipy_response_db([2.0] * 7, np.geomspace(20, 20_000, 500), 44_100)
    assert 1.5 < response.min() <= response.max() < 2.1


@settings(max_examples=40, deadline=None)
@given(gains=GAINS, rate=RATES)
def test_every_section_is_stable_and_minimum_phase(gains: list[float], rate: int) -> None:
    for section in sos(gains, rate):
        zeros, poles, _ = tf2zpk(section[:3], section[3:])
        assert np.abs(poles).max() < 1
        assert np.abs(zeros).max() < 1


@pytest.mark.parametrize(("rate", "bands"), [(8_000, 5), (22_050, 6), (24_000, 6), (44_100, 7), (384_000, 7)])
def test_bands_centred_above_0_45_of_the_rate_are_ignored(rate: int, bands: int) -> None:
    assert band_count(rate) == bands
    gains = list(CURVE)
    gains[bands:] = [3.0] * (7 - bands)
    np.testing.assert_array_equal(band_sections(gains, rate), band_sections(CURVE, rate))


def test_the_published_response_is_scipys() -> None:
    hertz = np.geomspace(10, 20_000, 100)
    ours = band_response_db(CURVE, hertz, 48_000)
    np.testing.assert_allclose(ours, scipy_response_db(list(CURVE), hertz, 48_000), atol=1e-9)


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_it_filters_as_scipy_does(channels: int, rate: int) -> None:
    x = np.random.default_rng(1).normal(0, 0.2, (4000, channels)).astype(np.float32)
    y = Equaliser(CURVE, rate, channels, 0).process(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, sosfilt(sos(CURVE, rate), x.astype(np.float64), axis=0), atol=2e-7)


def test_flat_is_bit_exact() -> None:
    np.testing.assert_array_equal(Equaliser(FLAT, 44_100, 2, 0).process(NOISE), NOISE)


def glided(blocks: list[Block], at: int, first_frame: int = 0) -> Block:
    """Two changes of curve, the second in the middle of the first one's glide."""
    equaliser = Equaliser(CURVE, 44_100, 2, first_frame)
    parts, position = [], first_frame
    changes = {at: OTHER, at + 640: FLAT}
    for block in blocks:
        rest = block
        while len(rest):
            if position in changes:
                equaliser.glide(changes.pop(position), 1000)
            due = [frame - position for frame in changes if frame > position]
            count = min([len(rest), *due])
            parts.append(equaliser.process(rest[:count]))
            rest, position = rest[count:], position + count
    return np.concatenate(parts)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=8), at=st.integers(1, 20))
def test_cutting_never_changes_the_sound_of_a_glide(cuts: list[int], at: int) -> None:
    whole = glided([NOISE], at * STEP_FRAMES)
    np.testing.assert_array_equal(glided(np.split(NOISE, sorted(cuts)), at * STEP_FRAMES), whole)


@pytest.mark.parametrize("size", [1, 13, 512])
def test_equal_blocks_never_change_the_sound_of_a_glide(size: int) -> None:
    blocks = [NOISE[n : n + size] for n in range(0, len(NOISE), size)]
    np.testing.assert_array_equal(glided(blocks, 640), glided([NOISE], 640))


def test_a_glide_ends_at_the_other_curve_and_flat_ends_bit_exact() -> None:
    rate = 44_100
    x = np.random.default_rng(4).normal(0, 0.2, (2 * rate, 1)).astype(np.float32)
    equaliser = Equaliser(CURVE, rate, 1, 0)
    equaliser.glide(OTHER, 2000)
    y = equaliser.process(x[:rate])
    wanted = Equaliser(OTHER, rate, 1, 0).process(x[:rate])
    np.testing.assert_allclose(y[rate // 2 :], wanted[rate // 2 :], atol=1e-6)
    equaliser.glide(FLAT, 2000)
    equaliser.process(x[rate : rate + 20_000])
    np.testing.assert_array_equal(equaliser.process(x[rate + 20_000 :]), x[rate + 20_000 :])


def test_a_glide_has_no_steps() -> None:
    """A steady tone through a glide of 3 dB in 0.2 s: its envelope moves 0.05 dB a step at most."""
    rate = 44_100
    tone = 0.5 * np.sin(2 * np.pi * 1000 / rate * np.arange(rate))[:, None].astype(np.float32)
    equaliser = Equaliser(FLAT, rate, 1, 0)
    head = equaliser.process(tone[:12_800])
    equaliser.glide((0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0), rate // 5)
    y = np.concatenate([head, equaliser.process(tone[12_800:])])[:, 0]
    level_db = 20 * np.log10([np.abs(y[n : n + 89]).max() for n in range(0, len(y) - 89, 44)])
    assert level_db[-1] - level_db[0] == pytest.approx(3.0, abs=0.02)
    assert np.abs(np.diff(level_db)).max() < 0.05


def test_silence_after_sound_dies_away_to_zero() -> None:
    equaliser = Equaliser(CURVE, 44_100, 2, 0)
    equaliser.process(NOISE)
    equaliser.process(np.zeros((44_100, 2), np.float32))
    assert not equaliser.process(np.zeros((1000, 2), np.float32)).any()


@pytest.mark.parametrize("gains", [(0.0,) * 6, (0.0,) * 8, (0.0,) * 6 + (np.nan,), (13.0,) + (0.0,) * 6])
def test_seven_sane_gains_are_wanted(gains: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="wanted 7 gains"):
        band_sections(gains, 44_100)
