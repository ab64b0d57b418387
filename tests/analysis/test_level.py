"""Levels, peaks and their spread against numpy and libebur128."""

import numpy as np
import pyebur128
import pytest
from sounds import Samples, analysed, noise, sine, stereo, time_s
from truth import lufs, true_peak_dbtp

RATE = 44_100


def programme(seconds: float = 20.0, rate: int = RATE) -> Samples:
    """Two different channels of noise whose level steps every second."""
    rng = np.random.default_rng(3)
    gains = np.repeat(10 ** (rng.uniform(-30, -6, int(seconds)) / 20), rate)
    return (0.3 * gains[:, None] * rng.standard_normal((len(gains), 2))).astype(np.float32)


def framed(x: Samples, length: int) -> Samples:
    return x[: len(x) // length * length].reshape(-1, length, x.shape[1])


def test_crest_of_known_waves():
    assert analysed(sine(997.0), RATE).fingerprint.crest_db == pytest.approx(3.01, abs=0.01)
    square = stereo(0.5 * np.sign(np.sin(2 * np.pi * 100 * time_s(3.0, RATE) + 0.1)))
    assert analysed(square, RATE).fingerprint.crest_db == pytest.approx(0.0, abs=0.01)


def test_crest_counts_only_blocks_that_pass_the_gate():
    loud = noise(5.0)
    x = np.concatenate([loud, 0.003 * noise(5.0, seed=1), np.zeros_like(loud)])
    wanted = 20 * np.log10(np.abs(loud).max()) - 10 * np.log10(np.mean(loud.astype(np.float64) ** 2))
    # Blocks that reach over the edge of the loud part pass too: up to 0.3 s of 5 s, at less than half power.
    assert analysed(x, RATE).fingerprint.crest_db == pytest.approx(wanted, abs=0.15)
    assert analysed(loud, RATE).fingerprint.crest_db == pytest.approx(wanted, abs=0.01)


def test_deviation_of_the_crest_of_seconds():
    x = programme()
    frames = framed(x, RATE).astype(np.float64)
    crests = 20 * np.log10(np.abs(frames).max(axis=(1, 2))) - 10 * np.log10((frames**2).mean(axis=(1, 2)))
    assert analysed(x, RATE).fingerprint.dynamic_range_variation == pytest.approx(np.std(crests), abs=0.05)


def test_evenness_of_the_peaks_of_half_seconds():
    x = programme()
    peaks = np.abs(framed(x, RATE // 2)).max(axis=(1, 2))
    wanted = 1 / (1 + np.std(peaks) / np.mean(peaks))
    assert analysed(x, RATE).fingerprint.peak_consistency == pytest.approx(wanted, abs=0.01)


def test_deviation_of_short_term_loudness():
    x = programme()
    state = pyebur128.R128State(2, RATE, pyebur128.MeasurementMode.MODE_S)
    series = []
    for second in range(20):
        state.add_frames(x[second * RATE : (second + 1) * RATE].reshape(-1), RATE)
        if second >= 2:
            series.append(pyebur128.get_loudness_shortterm(state))
    readings = np.array(series)
    loud = readings[readings > -70]
    gate = 10 * np.log10(np.mean(10 ** (loud / 10))) - 20
    assert analysed(x, RATE).fingerprint.loudness_variation_std == pytest.approx(
        np.std(loud[loud > gate]), abs=0.05
    )


@pytest.mark.parametrize("silent_s", [1.0, 2.5, 3.0])
def test_share_of_silence(silent_s: float):
    x = noise(5.0)
    x[: round(silent_s * RATE)] = 0.0
    assert analysed(x, RATE).fingerprint.silence_ratio == silent_s / 5.0


def test_silence_is_sixty_decibels_under_the_loudest():
    quiet = sine(1000.0, 2.0)
    for drop_db, wanted in ((59.0, 0.0), (61.0, 0.5)):
        x = np.concatenate([quiet, quiet * np.float32(10 ** (-drop_db / 20))])
        assert analysed(x, RATE).fingerprint.silence_ratio == wanted


def test_peaks_and_loudness_are_those_of_independent_meters():
    x = programme(6.0)
    analysis = analysed(x, RATE)
    assert analysis.fingerprint.lufs == pytest.approx(lufs(x, RATE), abs=0.03)
    assert analysis.measures.true_peak_dbtp == pytest.approx(true_peak_dbtp(x), abs=0.01)
    assert analysis.measures.plr_db == pytest.approx(true_peak_dbtp(x) - lufs(x, RATE), abs=0.03)


def test_peak_to_short_term_loudness():
    x = programme(10.0)
    state = pyebur128.R128State(2, RATE, pyebur128.MeasurementMode.MODE_S)
    ratios = []
    for second in range(10):
        state.add_frames(x[second * RATE : (second + 1) * RATE].reshape(-1), RATE)
        if second >= 2:
            # The samples of the window in their surroundings, as true peaks reach over its edges.
            window = x[(second - 2) * RATE : (second + 1) * RATE]
            ratios.append(true_peak_dbtp(window) - pyebur128.get_loudness_shortterm(state))
    assert analysed(x, RATE).measures.psr_p10_db == pytest.approx(np.percentile(ratios, 10), abs=0.1)


def test_clipped_samples_and_offset():
    x = 0.2 * noise(2.0)
    x[:, 0] += 0.01
    x[1000:1009, 1] = 1.0
    x[5000, 0] = -1.0
    measures = analysed(x, RATE).measures
    assert measures.clipped_ppm == pytest.approx(1e6 * 10 / x.size)
    assert measures.dc_offset == pytest.approx(abs(x[:, 0].mean(dtype=np.float64)), abs=1e-6)


def test_histogram_counts_the_gating_blocks():
    x = programme(8.0)
    histogram = np.array(analysed(x, RATE).measures.gating_histogram)
    assert histogram.sum() == 80 - 3
    centres = -70 + 0.1 * (np.arange(800) + 0.5)
    energies = 10 ** (centres / 10)
    loudest = 10 * np.log10(np.average(energies, weights=histogram)) - 10
    passing = centres > loudest
    read = 10 * np.log10(np.average(energies[passing], weights=histogram[passing]))
    assert read == pytest.approx(lufs(x, RATE), abs=0.1)


@pytest.mark.parametrize("seconds", [0.5, 20.0])
def test_waveform_holds_the_extremes_of_every_part(seconds: float):
    x = sine(50.0, seconds)
    x[: len(x) // 2] *= 0.5
    pairs = np.frombuffer(analysed(x, RATE).measures.waveform, dtype=np.int8).reshape(1000, 2)
    assert pairs[:, 0].min() == pairs[600:, 0].min() == round(127 * float(x.min()))
    assert pairs[:, 1].max() == pairs[600:, 1].max() == round(127 * float(x.max()))
    assert np.abs(pairs[:450]).max() <= 17


def test_more_than_two_channels_are_weighted_and_lfe_is_left_out():
    rng = np.random.default_rng(0)
    x = (0.05 * rng.standard_normal((RATE * 5, 6))).astype(np.float32)
    x[:, 3] *= 15.0
    state = pyebur128.R128State(6, RATE, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(x.reshape(-1), len(x))
    analysis = analysed(x, RATE, "5.1")
    assert analysis.fingerprint.lufs == pytest.approx(pyebur128.get_loudness_global(state), abs=0.03)
    counting = x[:, [0, 1, 2, 4, 5]]
    crest = 20 * np.log10(np.abs(counting).max() / np.sqrt(np.mean(counting.astype(np.float64) ** 2)))
    assert analysis.fingerprint.crest_db == pytest.approx(crest, abs=0.02)


def test_the_downmix_has_its_own_levels():
    rng = np.random.default_rng(0)
    x = (0.05 * rng.standard_normal((RATE * 4, 6))).astype(np.float32)
    half = np.sqrt(0.5)
    mixed = np.stack(
        [x[:, 0] + half * (x[:, 2] + x[:, 4]), x[:, 1] + half * (x[:, 2] + x[:, 5])], axis=1
    ).astype(np.float32)
    measures = analysed(x, RATE, "5.1").measures
    assert measures.downmix_lufs == pytest.approx(lufs(mixed, RATE), abs=0.03)
    assert measures.downmix_true_peak_dbtp == pytest.approx(true_peak_dbtp(mixed), abs=0.01)
