"""Loudness from third-octaves, against an independent meter and ITU's printed coefficients."""

import numpy as np
import pyebur128
import pytest

from tonearm.dsp.biquad import Cascade
from tonearm.dsp.equaliser import band_sections
from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.mastering.spectrum import loudness, loudness_change, normalised
from tonearm.model.measures import THIRD_OCTAVES_HZ

RATE = 48_000


def integrated(sound):
    meter = pyebur128.R128State(sound.shape[1], RATE, pyebur128.MeasurementMode.MODE_I)
    meter.add_frames(np.float64(sound).ravel(), len(sound))
    return pyebur128.get_loudness_global(meter)


def steady_noise(seconds=8):
    """Stereo noise with the corridor's spectrum, and its third-octaves, dB full scale."""
    frames = seconds * RATE
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal((frames, 2)), axis=0)
    frequencies = np.fft.rfftfreq(frames, 1 / RATE)
    octaves = np.log2(np.maximum(frequencies, 20.0) / 1000.0)
    level = np.interp(octaves, np.log2(np.array(THIRD_OCTAVES_HZ) / 1000.0), MEDIANS_DB) - 3.0103 * octaves
    level[(frequencies < 23.0) | (frequencies > 22_000.0)] = -200.0
    sound = np.fft.irfft(spectrum * 10 ** (level[:, None] / 20), frames, axis=0)
    sound *= 0.1 / np.sqrt(np.mean(sound**2))
    power = np.mean(np.abs(np.fft.rfft(sound, axis=0)) ** 2, axis=1) * 2 / frames**2
    bands = [
        power[(frequencies >= f * 2 ** (-1 / 6)) & (frequencies < f * 2 ** (1 / 6))].sum()
        for f in THIRD_OCTAVES_HZ
    ]
    return np.float32(sound), 10 * np.log10(bands)


def test_loudness_of_a_spectrum_is_that_of_its_steady_sound():
    sound, levels = steady_noise()
    assert loudness(levels) == pytest.approx(integrated(sound), abs=0.1)


@pytest.mark.parametrize(
    "eq_db", [(3.0,) * 7, (0, 0, 0, 0, 1.5, 2, 3), (3, 2, -2, -1, 0, 0, 0), (0, 0, 0, -3, 0, 0, 0)]
)
def test_predicted_change_is_what_a_meter_finds(eq_db):
    sound, levels = steady_noise()
    equalised = Cascade(band_sections(eq_db, RATE), 2).process(sound)
    found = integrated(equalised) - integrated(sound)
    assert loudness_change(levels, eq_db, RATE) == pytest.approx(found, abs=0.1)


def test_a_flat_equaliser_changes_nothing():
    assert loudness_change(MEDIANS_DB, (0.0,) * 7, RATE) == 0.0


def test_gain_does_not_move_the_normalised_levels():
    np.testing.assert_allclose(normalised(np.array(MEDIANS_DB) - 23.0), normalised(MEDIANS_DB), atol=1e-9)


def test_another_number_of_bands_is_refused():
    with pytest.raises(ValueError, match="30"):
        loudness([0.0] * 29)
