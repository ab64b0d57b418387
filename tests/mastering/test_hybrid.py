"""The fallback without a fingerprint: slow, bounded, and the same however the input is cut."""

import math
import tracemalloc

import numpy as np
import pyebur128
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.mastering.heard import HeardSoFar
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.model.plan import AlbumLevel, MasteringState, Preset, Target

RATE = 44_100
GRID = RATE // 2


def music(seconds, level_db=-20.0, tilt_db_per_octave=0.0, rate=RATE, channels=2, seed=1):
    """Noise in the middle of the corridor, then tilted, swelling and fading; ``[frames, channels]``."""
    frames = int(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((frames, channels)), axis=0)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(frames, 1 / rate), 20.0) / 1000.0)
    per_band = np.interp(octaves, np.log2(np.asarray(THIRD_OCTAVES_HZ) / 1000.0), MEDIANS_DB)
    level = per_band + (tilt_db_per_octave - 10 * np.log10(2.0)) * octaves
    sound = np.fft.irfft(spectrum * 10 ** (level[:, None] / 20), frames, axis=0)
    sound *= 1.0 + 0.5 * np.sin(np.arange(frames) / rate)[:, None]
    return np.float32(sound / np.sqrt(np.mean(sound**2)) * 10 ** (level_db / 20))


def hybrid(preset=Preset.ADAPTIVE, intensity=1.0, target=None, rate=RATE, channels=2, first_frame=0):
    return HybridProcessor(rate, channels, preset, intensity, target or Target(), first_frame)


def plans(sound, processor):
    """The plan in force after each half second."""
    return [processor.update(sound[at : at + GRID]) for at in range(0, len(sound) - GRID + 1, GRID)]


def moving(plan):
    return np.array([plan.gain_db, *plan.eq_db])


LOUD, QUIET = np.clip(music(30, -9.0), -1.0, 1.0), music(30, -30.0)
HISSING = music(30, -26.0, tilt_db_per_octave=6.0)


def test_it_starts_neutral_and_says_that_there_was_no_fingerprint():
    plan = hybrid().plan
    assert plan.state is MasteringState.STANDARD
    assert not moving(plan).any()
    assert plan.lwrp is None
    for name in ("gain_db", "eq_db", "limiting_db"):
        assert "no fingerprint" in plan.reasons[name]
    assert plan.ceiling_dbtp == -1.0


@pytest.mark.parametrize("sound", [LOUD, QUIET, HISSING], ids=["loud", "quiet", "hissing"])
def test_it_moves_at_most_half_a_db_a_second_and_never_restores(sound):
    before = hybrid().plan
    for plan in plans(sound, hybrid()):
        assert np.max(np.abs(moving(plan) - moving(before))) <= 0.25 + 1e-12
        assert plan.gain_db <= 3.0
        assert plan.restoration.boost_db == 0.0
        assert plan.compression.reduction_db == 0.0
        assert plan.lwrp is None
        before = plan


def test_a_loud_track_comes_down_to_the_target():
    plan = plans(LOUD, hybrid())[-1]
    meter = pyebur128.R128State(2, RATE, pyebur128.MeasurementMode.MODE_I)
    meter.add_frames(np.float64(LOUD).ravel(), len(LOUD))
    expected = -14.0 - pyebur128.get_loudness_global(meter)
    assert expected < -4.0
    assert plan.gain_db == pytest.approx(expected, abs=0.1)
    assert not any(plan.eq_db)


def test_a_quiet_track_is_lifted_by_3_db_at_most():
    assert plans(QUIET, hybrid())[-1].gain_db == 3.0


def test_peaks_hold_the_lift_back():
    sound = QUIET.copy()
    sound[GRID, 0] = 0.8
    assert plans(sound, hybrid())[-1].gain_db == pytest.approx(-1.05 - 20 * math.log10(0.8), abs=1e-6)


def test_a_spectrum_outside_the_corridor_is_corrected():
    assert plans(HISSING, hybrid())[-1].eq_db[6] < -0.5
    assert not any(plans(QUIET, hybrid())[-1].eq_db)


def test_the_plan_changes_on_the_half_second_and_only_there():
    processor = hybrid()
    assert processor.grid_frames == GRID
    start = processor.plan
    assert processor.update(LOUD[: GRID - 1]) is start
    moved = processor.update(LOUD[GRID - 1 : GRID])
    assert moved.gain_db == -0.25
    assert processor.update(LOUD[GRID : 2 * GRID - 1]) is moved


def test_the_grid_counts_from_the_start_of_the_track():
    processor = hybrid(first_frame=3 * GRID - 1000)
    start = processor.plan
    assert processor.update(LOUD[:1000]) is start
    unmoved = processor.update(LOUD[1000 : 1000 + GRID - 1])
    assert not moving(unmoved).any()
    assert processor.update(LOUD[1000 + GRID - 1 : 1000 + GRID]).gain_db == -0.25


@given(cuts=st.lists(st.integers(0, 4 * GRID), max_size=8), first_frame=st.integers(0, 2 * GRID))
@settings(max_examples=25, deadline=None)
def test_block_size_never_changes_the_plan(cuts, first_frame):
    sound = HISSING[: 4 * GRID]
    whole, parts = hybrid(first_frame=first_frame), hybrid(first_frame=first_frame)
    whole.update(sound)
    for part in np.split(sound, sorted(cuts)):
        parts.update(part)
    assert parts.plan == whole.plan


def test_blocks_of_one_frame_give_the_same_plan():
    whole, parts = hybrid(), hybrid()
    whole.update(LOUD[: GRID + 10])
    for n in range(GRID + 10):
        parts.update(LOUD[n : n + 1])
    assert parts.plan == whole.plan


def test_intensity_0_is_the_untouched_source():
    processor = hybrid(intensity=0.0)
    assert processor.plan.bypass
    assert processor.update(LOUD).bypass


def test_intensity_and_preset_scale_where_it_goes():
    full, half = (plans(LOUD, hybrid(intensity=i))[-1].gain_db for i in (1.0, 0.5))
    peak = 20 * math.log10(np.abs(LOUD).max())
    assert half == pytest.approx((full + min(0.0, -1.05 - peak)) / 2, abs=1e-6)
    gentle = plans(LOUD, hybrid(Preset.GENTLE))[-1]
    assert gentle.gain_db == pytest.approx(full - 2.0, abs=1e-6)
    warm = plans(QUIET, hybrid(Preset.WARM))[-1]
    assert warm.eq_db[0] == 1.5
    assert warm.eq_db[6] == -1.5


def test_an_album_is_levelled_as_one():
    target = Target(level="album", album=AlbumLevel(lufs=-12.0, true_peak_dbtp=-0.5))
    assert plans(QUIET, hybrid(target=target))[-1].gain_db == pytest.approx(-2.0)
    with pytest.raises(ValueError, match="album"):
        hybrid(target=Target(level="album"))


def test_silence_and_what_is_not_a_number_leave_it_neutral():
    for value in (0.0, np.nan, np.inf):
        processor = hybrid()
        plan = processor.update(np.full((3 * GRID, 2), value, dtype=np.float32))
        assert not moving(plan).any()
        assert "nothing loud enough" in plan.reasons["gain_db"]
        assert processor.update(LOUD).gain_db < -4.0


def test_absurdly_loud_input_only_comes_down():
    plan = hybrid().update(np.float32(1e3) * LOUD[: 4 * GRID])
    assert plan.gain_db == -1.0


def test_what_the_chain_silences_is_not_heard():
    sound = LOUD[: 4 * GRID].copy()
    plain = hybrid().update(sound)
    sound[GRID : GRID + 3] = [[3e38, -3e38], [np.inf, np.nan], [2e3, 2e3]]
    assert moving(hybrid().update(sound)) == pytest.approx(moving(plain), abs=0.1)
    assert not moving(hybrid().update(np.full((3 * GRID, 2), 3e38, dtype=np.float32))).any()


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (11_025, 2), (48_000, 1), (192_000, 2)])
def test_any_rate_and_mono(rate, channels):
    sound = music(8, -6.0, rate=rate, channels=channels)
    plan = hybrid(rate=rate, channels=channels).update(sound)
    assert plan.gain_db == pytest.approx(-8 / 2, abs=0.26)


def test_a_mono_track_is_heard_as_its_stereo_copy():
    mono = music(5, -18.0, channels=1)
    alone, both = hybrid(channels=1).update(mono), hybrid().update(np.repeat(mono, 2, axis=1))
    assert alone.measured["lufs"] == pytest.approx(both.measured["lufs"], abs=1e-9)
    assert alone.gain_db == pytest.approx(both.gain_db, abs=1e-9)


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_loudness_heard_agrees_with_an_independent_meter(rate):
    sound = np.concatenate(
        [music(6, -20.0, rate=rate), music(6, -45.0, rate=rate), music(4, -28.0, rate=rate)]
    )
    heard = HeardSoFar(rate, 2).process(sound)[-1]
    meter = pyebur128.R128State(2, rate, pyebur128.MeasurementMode.MODE_I)
    meter.add_frames(np.float64(sound).ravel(), len(sound))
    assert heard.lufs == pytest.approx(pyebur128.get_loudness_global(meter), abs=0.1)
    assert heard.seconds == pytest.approx(16.0)
    assert heard.peak_dbfs == pytest.approx(20 * math.log10(np.abs(sound).max()), abs=1e-6)


def test_third_octaves_heard_are_powers_of_the_sound():
    sound = music(20, -20.0)
    heard = np.array(HeardSoFar(RATE, 2).process(sound)[-1].third_octaves_db)
    power = np.mean(np.abs(np.fft.rfft(sound, axis=0)) ** 2, axis=1) * 2 / len(sound) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    for centre, level in zip(THIRD_OCTAVES_HZ, heard, strict=True):
        inside = (frequencies >= centre * 2 ** (-1 / 6)) & (frequencies < centre * 2 ** (1 / 6))
        assert level == pytest.approx(10 * math.log10(power[inside].sum()), abs=1.0 if centre < 200 else 0.4)


def test_memory_is_bounded():
    processor = hybrid()
    block = LOUD[: 10 * GRID]
    processor.update(block)
    tracemalloc.start()
    try:
        for _ in range(60):
            processor.update(block)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000
