"""The corridor and what leaves it, on made spectra and on real music."""

import numpy as np
import pytest
import soundfile
from scipy.signal import welch

from tonearm.mastering.correction import correction, excess
from tonearm.mastering.corridor import HALF_WIDTHS_DB, MEDIANS_DB
from tonearm.mastering.spectrum import loudness, normalised
from tonearm.model.measures import THIRD_OCTAVES_HZ

RATE = 44_100
RAMP = np.linspace(-0.5, 0.5, 30)
OCTAVES = np.log2(np.array(THIRD_OCTAVES_HZ) / 1000.0)
MEDIANS, HALF_WIDTHS = np.array(MEDIANS_DB), np.array(HALF_WIDTHS_DB)


def third_octaves(sound, rate):
    """Band powers by scipy, for ``sound [frames, channels]``."""
    frequencies, density = welch(sound, rate, nperseg=16_384, axis=0)
    levels = []
    for centre in THIRD_OCTAVES_HZ:
        inside = (frequencies >= centre * 2 ** (-1 / 6)) & (frequencies < centre * 2 ** (1 / 6))
        levels.append(density[inside].mean(axis=1).sum() * frequencies[1] if inside.any() else 0.0)
    return 10 * np.log10(np.maximum(levels, 1e-20))


def slope(gains):
    """Top minus bottom of a curve of seven bands."""
    return np.mean(gains[4:]) - np.mean(gains[:3])


def test_the_literals_are_a_corridor():
    assert len(MEDIANS) == len(HALF_WIDTHS) == 30
    assert HALF_WIDTHS.min() >= 4.0
    assert abs(loudness(MEDIANS)) < 3.0
    # Music falls from the bass to the top.
    assert np.polyfit(np.log2(THIRD_OCTAVES_HZ[6:]), MEDIANS[6:], 1)[0] < -2.0


@pytest.mark.parametrize("gain_db", [-30.0, 0.0, 20.0])
def test_inside_the_corridor_the_curve_is_flat(gain_db):
    assert correction(MEDIANS + gain_db, RATE) == (0.0,) * 7


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_track_at_the_edge_tilted_by_6_db_is_corrected(sign):
    # As bright, or as dark, as a straight tilt can be inside the corridor; then 6 dB more of it.
    tilts = np.arange(0.0, 100.0, 0.1)
    inside = max(tilt for tilt in tilts if not excess(MEDIANS + sign * tilt * RAMP, RATE).any())
    assert correction(MEDIANS + sign * inside * RAMP, RATE) == (0.0,) * 7
    gains = correction(MEDIANS + sign * (inside + 6.0) * RAMP, RATE)
    assert any(gains)
    assert sign * slope(gains) < 0.0


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_median_track_tilted_by_4_db_an_octave_is_corrected_against_the_tilt(sign):
    gains = correction(MEDIANS + sign * 4.0 * OCTAVES, RATE)
    assert sign * slope(gains) < -1.0


def test_half_way_back_and_only_what_leaves():
    # Low-mids 3 dB beyond the edge, after the spectrum's own loudness is taken off.
    inside = (np.array(THIRD_OCTAVES_HZ) >= 250.0) & (np.array(THIRD_OCTAVES_HZ) < 500.0)
    spectrum = np.where(inside, MEDIANS + HALF_WIDTHS + 3.0, MEDIANS)
    gains = correction(spectrum, RATE)
    beyond = np.maximum(normalised(spectrum) - MEDIANS - HALF_WIDTHS, 0.0)
    assert gains[2] == pytest.approx(-np.sqrt(np.mean(beyond[inside] ** 2)) / 2)
    assert gains[2] < -0.3
    assert gains[:2] + gains[3:] == (0.0,) * 6


def test_an_empty_third_octave_is_not_lifted():
    # A codec's low-pass at 15 kHz: nothing above it, and the rest of the top untouched.
    spectrum = np.where(np.array(THIRD_OCTAVES_HZ) > 15_000, -140.0, MEDIANS)
    assert correction(spectrum, RATE) == (0.0,) * 7


@pytest.mark.parametrize(("rate", "last_band"), [(8_000, 4), (22_050, 6)])
def test_third_octaves_above_0_45_of_the_rate_are_ignored(rate, last_band):
    spectrum = np.where(np.array(THIRD_OCTAVES_HZ) > 0.45 * rate, MEDIANS + 30.0, MEDIANS)
    relative_to_itself = normalised(spectrum) - normalised(MEDIANS)
    lowered = np.min(relative_to_itself)
    gains = correction(spectrum - lowered, rate)
    assert gains[last_band + 1 :] == (0.0,) * (6 - last_band)
    assert not excess(spectrum, rate)[np.array(THIRD_OCTAVES_HZ) > 0.45 * rate].any()


@pytest.mark.parametrize(
    ("name", "tilt_db"),
    [
        # 6 dB from end to end on a track near the edge, 4 dB an octave on one in the middle.
        ("Kevin_MacLeod_-_Vibe_Ace.ogg", 6.0 * RAMP),
        ("starfall_clip.ogg", 4.0 * OCTAVES),
    ],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_real_music_tilted_is_corrected_against_the_tilt(demo, name, tilt_db, sign):
    sound, rate = soundfile.read(demo / name, always_2d=True)
    measured = third_octaves(sound, rate)
    plain, tilted = (correction(measured + tilt, rate) for tilt in (0.0 * tilt_db, sign * tilt_db))
    assert max(map(abs, tilted)) > 0.5
    assert sign * (slope(tilted) - slope(plain)) < -0.1
