"""Spectra against scipy.signal.welch and librosa."""

from itertools import pairwise

import librosa
import numpy as np
import pytest
import scipy.signal
from sounds import Samples, analysed, noise, sine, stereo, time_s

from tonearm.model.fingerprint import BAND_EDGES_HZ, BAND_NAMES
from tonearm.model.measures import SILENT_BAND_DB, THIRD_OCTAVES_HZ

RATE = 44_100


def coloured(seconds: float = 6.0, rate: int = RATE) -> Samples:
    """Two channels of noise that falls with frequency, and a tone."""
    rng = np.random.default_rng(5)
    falling = scipy.signal.lfilter([0.1], [1, -0.9], rng.standard_normal((round(seconds * rate), 2)), axis=0)
    tone = 0.1 * np.sin(2 * np.pi * 3000 * time_s(seconds, rate))
    return (0.3 * falling + tone[:, None]).astype(np.float32)


def bands(x: Samples, rate: int) -> np.ndarray:
    fingerprint = analysed(x, rate).fingerprint
    return np.array([getattr(fingerprint, name) for name in BAND_NAMES])


def magnitudes(x: Samples, size: int) -> np.ndarray:
    mono = np.ascontiguousarray(x.mean(axis=1))
    return np.abs(librosa.stft(mono, n_fft=size, hop_length=size // 2, center=False))


@pytest.mark.parametrize(("rate", "size"), [(44_100, 4096), (48_000, 4096), (22_050, 2048)])
def test_bands_are_those_of_welch(rate: int, size: int):
    x = coloured(rate=rate)
    frequencies, power = scipy.signal.welch(x, rate, nperseg=size, detrend=False, axis=0)
    shares = np.array(
        [power[(frequencies >= low) & (frequencies < high)].sum() for low, high in pairwise(BAND_EDGES_HZ)]
    )
    np.testing.assert_allclose(bands(x, rate), 100 * shares / shares.sum(), atol=0.5)


@pytest.mark.parametrize(
    ("frequency", "index"), [(38, 0), (120, 1), (350, 2), (1000, 3), (3000, 4), (5000, 5), (12_000, 6)]
)
def test_a_sine_fills_its_band(frequency: float, index: int):
    assert bands(sine(frequency), RATE)[index] == pytest.approx(100.0, abs=0.5)


def test_ratio_of_two_sines():
    x = sine(100.0, amplitude=0.2) + sine(1000.0, amplitude=0.05)
    assert analysed(x, RATE).fingerprint.bass_mid_ratio == pytest.approx(20 * np.log10(4), abs=0.1)


@pytest.mark.parametrize("x", [noise(), coloured()], ids=["white", "coloured"])
def test_shape_is_that_of_librosa(x: Samples):
    fingerprint = analysed(x, RATE).fingerprint
    spectra = magnitudes(x, 4096)
    centroid = np.median(librosa.feature.spectral_centroid(S=spectra, sr=RATE))
    rolloff = np.median(librosa.feature.spectral_rolloff(S=spectra, sr=RATE))
    flatness = np.median(librosa.feature.spectral_flatness(S=spectra))
    assert fingerprint.spectral_centroid == pytest.approx(centroid, rel=0.01)
    assert fingerprint.spectral_rolloff == pytest.approx(rolloff, abs=RATE / 4096)
    assert fingerprint.spectral_flatness == pytest.approx(flatness, rel=0.01)


def test_silent_frames_do_not_count_for_the_shape():
    x = noise(4.0)
    half_silent = np.concatenate([x, np.zeros_like(x), np.zeros_like(x)])
    whole, part = analysed(x, RATE).fingerprint, analysed(half_silent, RATE).fingerprint
    assert part.spectral_centroid == pytest.approx(whole.spectral_centroid, rel=0.01)
    assert part.spectral_flatness == pytest.approx(whole.spectral_flatness, rel=0.01)


@pytest.mark.parametrize("level_db", [0.0, -14.0, -24.0])
def test_flatness_with_empty_bins_is_the_same_20_db_lower(level_db: float):
    x = coloured(4.0, RATE) * np.float32(10 ** (level_db / 20))
    low = scipy.signal.sosfilt(scipy.signal.butter(12, 9_000, fs=RATE, output="sos"), x, axis=0)
    loud, quiet = (analysed((g * low).astype(np.float32), RATE).fingerprint for g in (1.0, 0.1))
    assert quiet.lufs > -65
    assert quiet.spectral_flatness == pytest.approx(loud.spectral_flatness, rel=2e-3)


def test_centroid_of_a_sine_is_its_frequency():
    assert analysed(sine(1000.0), RATE).fingerprint.spectral_centroid == pytest.approx(1000.0, rel=0.01)


@pytest.mark.parametrize("index", [10, 16, 25, 29])
def test_third_octave_of_a_sine(index: int):
    levels = np.array(analysed(sine(THIRD_OCTAVES_HZ[index], amplitude=0.5), RATE).measures.third_octaves_db)
    assert int(np.argmax(levels)) == index
    assert levels[index] == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.1)


def test_third_octaves_of_white_noise_rise_with_their_width():
    x = noise(20.0)
    levels = np.array(analysed(x, RATE).measures.third_octaves_db)
    widths = np.array(THIRD_OCTAVES_HZ) * (2 ** (1 / 6) - 2 ** (-1 / 6))
    density = np.mean(x.astype(np.float64) ** 2) / (RATE / 2)
    np.testing.assert_allclose(levels[:-1], 10 * np.log10(density * widths)[:-1], atol=1.0)


def test_bands_above_the_bandwidth_are_empty():
    measures = analysed(noise(rate=8_000), 8_000).measures
    assert measures.third_octaves_db[-1] == SILENT_BAND_DB
    # The bin at 4 kHz itself belongs to the band above.
    assert bands(noise(rate=8_000), 8_000)[5] == pytest.approx(100 / 512, abs=0.05)
    assert bands(noise(rate=8_000), 8_000)[6] == 0.0


@pytest.mark.parametrize("rate", [88_200, 96_000, 192_000])
def test_high_rates_are_heard_as_the_usual_ones(rate: int):
    """What lies above 24 kHz is in none of the numbers."""
    factor = rate // 44_100
    sections = scipy.signal.butter(8, 15_000, fs=rate // factor, output="sos")
    low = scipy.signal.sosfilt(sections, coloured(4.0, rate // factor), axis=0).astype(np.float32)
    high = scipy.signal.resample_poly(low.astype(np.float64), factor, 1, axis=0)
    ultrasonic = 0.2 * np.sin(2 * np.pi * 30_000 * np.arange(len(high)) / rate)
    x = (high + ultrasonic[:, None]).astype(np.float32)
    reference, found = analysed(low, rate // factor).fingerprint, analysed(x, rate).fingerprint
    np.testing.assert_allclose(bands(x, rate), bands(low, rate // factor), atol=0.3)
    assert found.spectral_centroid == pytest.approx(reference.spectral_centroid, rel=0.01)


def test_bass_in_and_out_of_phase():
    bass, treble = 0.3 * np.sin(2 * np.pi * 60 * time_s(4.0, RATE)), noise()[:, 0]
    for sign, wanted in ((1, 1.0), (-1, -1.0)):
        x = np.stack([bass + treble, sign * bass + treble[::-1]], axis=1).astype(np.float32)
        assert analysed(x, RATE).measures.bass_phase_correlation == pytest.approx(wanted, abs=0.02)


def test_without_bass_nothing_is_out_of_phase():
    x = stereo(0.2 * np.sin(2 * np.pi * 5000 * time_s(2.0, RATE)))
    assert analysed(x, RATE).measures.bass_phase_correlation > 0.99
