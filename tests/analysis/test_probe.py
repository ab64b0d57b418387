"""A probe against pyebur128, numpy and the full analysis; and what it does where it cannot measure."""

import numpy as np
import pyebur128
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import Samples, analysed, noise, sine, stereo
from truth import lufs, true_peak_dbtp

from tonearm.analysis.probe import ProbeAnalysis, soften_edges
from tonearm.model.errors import DecodeError, NotEnoughAudio
from tonearm.model.probe import Probe

RATE = 44_100


def probed(*windows: Samples, rate: int = RATE, layout: str = "") -> Probe:
    analysis = ProbeAnalysis(rate, windows[0].shape[1], layout)
    for window in windows:
        analysis.process(window)
        analysis.cut()
    return analysis.finish()


def test_windows_of_one_sound_measure_like_the_whole():
    x = noise(8.0)
    whole, probe = analysed(x, RATE), probed(*np.split(x, 4))
    assert probe.lufs == pytest.approx(lufs(x, RATE), abs=0.05)
    assert probe.crest_db == pytest.approx(whole.fingerprint.crest_db, abs=0.05)
    assert probe.bands_pct == pytest.approx(list(whole.fingerprint.as_mapping().values())[:7], abs=0.3)
    assert probe.third_octaves_db[10:] == pytest.approx(whole.measures.third_octaves_db[10:], abs=0.3)
    assert (probe.rate, probe.windows, probe.seconds) == (RATE, 4, 8.0)


@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000, 192_000])
def test_one_window_is_the_fingerprint_of_it(rate: int):
    x = 0.5 * noise(2.0, rate) + sine(440.0, 2.0, rate)
    whole, probe = analysed(x, rate), probed(x, rate=rate)
    assert probe.lufs == pytest.approx(whole.fingerprint.lufs, abs=1e-9)
    assert probe.crest_db == pytest.approx(whole.fingerprint.crest_db, abs=1e-9)
    assert probe.bands_pct == pytest.approx(list(whole.fingerprint.as_mapping().values())[:7], abs=0.1)
    usable = sum(level > -100.0 for level in whole.measures.third_octaves_db)
    assert probe.third_octaves_db[: usable - 1] == pytest.approx(
        whole.measures.third_octaves_db[: usable - 1], abs=0.1
    )


def test_the_gate_sees_the_blocks_of_all_windows():
    loud, quiet = noise(2.0), 0.01 * noise(2.0, seed=1)
    probe = probed(loud, quiet, quiet, quiet)
    assert probe.lufs == pytest.approx(lufs(loud, RATE), abs=0.05)
    rms_db = 10 * np.log10(np.mean(loud.astype(np.float64) ** 2))
    assert probe.crest_db == pytest.approx(20 * np.log10(np.abs(loud).max()) - rms_db, abs=0.05)


def test_no_block_reaches_over_a_cut():
    a, b = noise(2.0), 0.1 * noise(2.0, seed=1)
    blocks = []
    for window in (a, b):
        state = pyebur128.R128State(2, RATE, pyebur128.MeasurementMode.MODE_M)
        tenth = RATE // 10
        for hop in range(20):
            state.add_frames(window[hop * tenth : (hop + 1) * tenth].reshape(-1), tenth)
            if hop >= 3:
                blocks.append(10 ** (pyebur128.get_loudness_momentary(state) / 10))
    energies = np.array(blocks)
    gated = energies[energies > np.mean(energies) / 10]
    assert probed(a, b).lufs == pytest.approx(10 * np.log10(np.mean(gated)), abs=0.02)


def test_the_peak_is_the_highest_of_any_window_and_none_of_the_cuts():
    # Between the samples of a quarter of the rate at 45 degrees lie peaks 3 dB higher.
    hidden = stereo(0.5 * np.sin(np.pi / 2 * np.arange(2 * RATE) + np.pi / 4))
    inside = np.pad(hidden, ((RATE // 2, RATE // 2), (0, 0)))
    assert probed(0.2 * inside, inside).true_peak_dbtp == pytest.approx(true_peak_dbtp(inside), abs=0.01)
    tone = sine(1000.0, 4.0, amplitude=0.5)[11:]
    cut = tone[: 2 * RATE].copy(), tone[2 * RATE :].copy()
    for window in cut:
        soften_edges(window, RATE)
    assert probed(*cut).true_peak_dbtp == pytest.approx(-6.02, abs=0.02)


@pytest.mark.parametrize(("layout", "channels"), [("5.1", 6), ("7.1", 8)])
def test_surround_is_probed_as_its_downmix(layout: str, channels: int):
    x = np.random.default_rng(5).normal(0.0, 0.05, (2 * RATE, channels)).astype(np.float32)
    measures = analysed(x, RATE, layout).measures
    probe = probed(x, layout=layout)
    assert probe.lufs == pytest.approx(measures.downmix_lufs, abs=1e-9)
    assert probe.true_peak_dbtp == pytest.approx(measures.downmix_true_peak_dbtp, abs=1e-9)


def test_mono_is_probed_as_dual_mono():
    x = noise(2.0)[:, :1]
    one, two = probed(x), probed(np.repeat(x, 2, axis=1))
    for name in ("lufs", "crest_db", "true_peak_dbtp", "bands_pct", "third_octaves_db"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), abs=1e-6)


@given(gain_db=st.floats(-30.0, 30.0))
@settings(max_examples=10, deadline=None)
def test_gain_moves_levels_and_nothing_else(gain_db: float):
    x = noise(1.0)
    before, after = probed(x), probed(x * np.float32(10 ** (gain_db / 20)))
    assert after.lufs - before.lufs == pytest.approx(gain_db, abs=1e-3)
    assert after.true_peak_dbtp - before.true_peak_dbtp == pytest.approx(gain_db, abs=1e-3)
    assert after.crest_db == pytest.approx(before.crest_db, abs=1e-3)
    assert after.bands_pct == pytest.approx(before.bands_pct, abs=1e-3)


def test_one_by_one_a_sine_fills_each_band():
    for band, frequency in enumerate((40.0, 120.0, 350.0, 1000.0, 3000.0, 5000.0, 10_000.0)):
        assert probed(sine(frequency, 2.0)).bands_pct[band] == pytest.approx(100.0, abs=0.5)


@pytest.mark.parametrize(
    "window", [np.zeros((2 * RATE, 2), np.float32), noise(0.39), np.zeros((0, 2), np.float32)]
)
def test_nothing_to_measure(window: Samples):
    with pytest.raises(NotEnoughAudio):
        probed(window, window)


def test_damage_counts_as_silence_and_wild_scales_are_no_audio():
    x = noise(2.0)
    x[1000], x[2000, 0], x[3000] = np.nan, np.inf, 1e9
    assert probed(x).lufs == pytest.approx(probed(noise(2.0)).lufs, abs=0.05)
    with pytest.raises(DecodeError):
        probed(1e4 * noise(2.0))


def test_a_window_too_short_for_a_block_has_no_loudness():
    x = noise(2.0)
    assert probed(x, 30.0 * noise(0.3)).lufs == probed(x).lufs


@pytest.mark.parametrize("frames", [0, 1, 2, 100, RATE])
def test_soft_edges_touch_nothing_but_five_milliseconds(frames: int):
    x = noise(1.0)[:frames]
    soft = x.copy()
    soften_edges(soft, RATE)
    assert np.all(np.abs(soft) <= np.abs(x))
    np.testing.assert_array_equal(soft[221:-221], x[221:-221])
    if frames == RATE:
        assert np.abs(soft[[0, -1]]).max() < 0.01 * np.abs(x).max()
