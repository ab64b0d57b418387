"""Q1, Q8, Q16, Q17 on the test signals; and that results which are a little wrong are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality.criteria import Finding
from quality.cutting import differing
from quality.material import CEILINGS_DBTP, RATES, amplified, pushed, together, waves
from quality.playing import CURVE, by_hand, mastered
from sounds import drums
from verdicts import assert_inside, assert_refused

from quality import peaks
from tonearm.model.plan import Preset

RATE = 44_100
NOISE = np.random.default_rng(4).normal(0, 0.4, (20_000, 2)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_the_ceiling_holds_on_every_signal_at_every_rate(rate: int) -> None:
    frames = max(4_000, rate // 16)
    assert_inside(peaks.hostile_signals(rate, frames, (12.0,)))
    assert_inside(peaks.hostile_channels(rate, frames, (2, 5, 8)))


@pytest.mark.parametrize("presets", [(Preset.ADAPTIVE, Preset.WARM), (Preset.BRIGHT, Preset.PUNCHY)])
def test_the_ceiling_holds_as_the_program_decides(presets: tuple[Preset, ...]) -> None:
    assert_inside(peaks.planned_signals(16_000, 0.5, presets))


def test_the_ceiling_holds_for_the_fallback() -> None:
    assert_inside(peaks.hostile_by_ear(8_000, 2.0))


@pytest.mark.parametrize("push_db", [3.0, 12.0])
def test_the_ceiling_holds_for_music_that_was_limited_before(push_db: float) -> None:
    copy = pushed(drums(120.0, 6.0), RATE, push_db)
    assert np.abs(copy).max() <= 1.0
    for ceiling in CEILINGS_DBTP:
        y = mastered(copy, by_hand(6.0, CURVE, ceiling), RATE)
        assert_inside([peaks.over_ceiling(y, ceiling, "limited copies", "drums")])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 30), name=st.sampled_from(sorted(waves(8_000, 1))))
def test_the_ceiling_of_the_moment_holds_while_plans_change(seed: int, name: str) -> None:
    x = amplified(waves(8_000, 12_000)[name], 3.0)
    assert_inside(peaks.glides(x, 8_000, seed, name))


@settings(max_examples=40, deadline=None)
@given(
    levels=st.lists(st.floats(-60.0, 30.0), min_size=1, max_size=12),
    lengths=st.lists(st.integers(1, 900), min_size=12, max_size=12),
    cycles=st.sampled_from([0.0, 0.01, 0.11, 0.25, 0.31, 0.4, 0.5]),
    ceiling=st.sampled_from(CEILINGS_DBTP),
)
def test_no_steps_between_levels_are_found_that_exceed_the_ceiling(
    levels: list[float], lengths: list[int], cycles: float, ceiling: float
) -> None:
    gains = np.repeat(10 ** (np.array(levels) / 20), lengths[: len(levels)])
    x = amplified(gains * np.cos(2 * np.pi * cycles * np.arange(len(gains)) + 0.3 * (cycles % 0.5 > 0)), 0.0)
    y = mastered(x, by_hand(3.0, CURVE, ceiling), 8_000)
    assert_inside([peaks.over_ceiling(y, ceiling, "steps", str(levels))])


@pytest.mark.parametrize("ceiling", CEILINGS_DBTP)
def test_a_limiter_under_its_threshold_changes_nothing(ceiling: float) -> None:
    for name, wave in waves(RATE, 8_000).items():
        if wave.any():
            assert_inside([peaks.under_threshold(amplified(wave, 0.0), RATE, ceiling, name)])


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_bass_does_not_modulate_what_lies_above_it(rate: int) -> None:
    assert_inside(peaks.sidebands(bass_hz, level, rate) for bass_hz in (60.0, 150.0) for level in (0.1, 1.0))


@pytest.mark.parametrize("channels", [2, 8])
def test_linked_channels_keep_their_balance(channels: int) -> None:
    x = amplified(np.random.default_rng(1).normal(0, 0.5, (RATE, channels)), 6.0)
    y = mastered(x, by_hand(6.0), RATE)
    assert_inside([peaks.image(x, y, "noise")])
    wrong = y.copy()
    wrong[:, 1] *= np.float32(10 ** (0.02 / 20))
    assert_refused([peaks.image(x, wrong, "noise")])


def test_a_tenth_of_a_decibel_too_much_is_refused() -> None:
    y = mastered(NOISE, by_hand(12.0), RATE)
    right = peaks.over_ceiling(y, -1.0, "noise", "")
    assert right.inside
    assert right.value == pytest.approx(-0.05, abs=1e-3)
    assert_refused([peaks.over_ceiling(amplified(y, 0.08), -1.0, "noise", "")])
    assert_refused([peaks.over_ceiling(y, -1.08, "noise", "")])


def test_what_rings_before_the_first_sample_counts() -> None:
    x = together(RATE, 4_000, 1) * 0 + amplified(waves(RATE, 4_000)["nyquist"], -1.02)
    assert_refused([peaks.over_ceiling(x, -1.0, "nyquist", "")])
    assert_inside([peaks.over_ceiling(mastered(x, by_hand(0.0), RATE), -1.0, "nyquist", "")])


def test_a_ceiling_that_falls_too_late_is_refused() -> None:
    plans = [by_hand(12.0), by_hand(12.0, ceiling_dbtp=-6.0)]
    y, ceilings = peaks.glided(NOISE, RATE, plans, [6_400], 0.05)
    assert_inside([peaks.over_ceilings(y, ceilings, "noise", "")])
    assert_refused([peaks.over_ceilings(y, np.roll(ceilings, -640), "noise", "")])


def test_a_modulated_tone_and_a_changed_sample_are_refused() -> None:
    t = np.arange(2 * RATE) / RATE
    modulated = (1 + 0.03 * np.sin(2 * np.pi * 60 * t)) * np.sin(2 * np.pi * 1000 * t)
    assert_refused([Finding("sidebands", "", peaks.strongest_sideband(modulated, RATE), "")])
    changed = NOISE.copy()
    changed[77, 1] = np.nextafter(changed[77, 1], np.float32(2))
    assert_refused([differing("idle", changed, NOISE, "", "")])
