"""Width by hand, and its effect on loudness by pyebur128."""

import math
from dataclasses import replace

import numpy as np
import pytest
from mastered import levels, measured, render
from scipy.signal import butter, sosfilt

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.width import Image, width, width_change
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.model.plan import MasteringPlan, MasteringState, Policy, Preset, Target, Width


def ratio_db(share: float) -> float:
    return 10 * math.log10(share / (1 - share))


@pytest.mark.parametrize(
    ("share", "gain_db"),
    [
        (0.2, 0.0),
        (0.02, 0.0),
        (0.45, 0.0),
        (0.015, (ratio_db(0.02) - ratio_db(0.015)) / 2),
        (0.005, 1.5),
        (0.5, ratio_db(0.45) / 2),
        (0.6, (ratio_db(0.45) - ratio_db(0.6)) / 2),
        (0.95, -1.5),
        (1.0, -1.5),
        (0.0, 0.0),
        (1e-5, 0.0),
    ],
)
def test_the_side_comes_half_way_back(share: float, gain_db: float) -> None:
    assert width(Image(2, share, 1.0), 1.0).side_gain_db == pytest.approx(gain_db, abs=1e-9)
    assert width(Image(2, share, 1.0), 0.5).side_gain_db == pytest.approx(gain_db / 2, abs=1e-9)


def test_a_side_that_fades_into_nothing_is_not_turned_up_by_a_step() -> None:
    shares = 10 ** np.arange(-5.0, -1.5, 0.005)
    gains = [width(Image(2, float(share), 1.0), 1.0).side_gain_db for share in shares]
    assert max(gains) == pytest.approx(1.5)
    assert np.abs(np.diff(gains)).max() < 0.03


@pytest.mark.parametrize(
    ("correlation", "mono"), [(1.0, 0.0), (0.3, 0.0), (0.0, 0.0), (-0.1, 0.5), (-0.2, 1.0), (-1.0, 1.0)]
)
def test_bass_is_made_mono_only_where_left_and_right_work_against_each_other(
    correlation: float, mono: float
) -> None:
    assert width(Image(2, 0.2, correlation), 1.0).mono_bass == pytest.approx(mono)


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_other_than_two_channels_have_no_width(channels: int) -> None:
    assert width(Image(channels, 0.9, -1.0), 1.0) == Width()


def test_only_what_is_mastered_is_widened_and_the_reason_says_why(track: type) -> None:
    def plan(made: object, preset: Preset = Preset.ADAPTIVE) -> MasteringPlan:
        return AdaptiveMode().plan(made.fingerprint, made.measures, preset, 1.0, Target())  # type: ignore[attr-defined]

    against = {"bass_phase_correlation": -0.1}
    quiet = plan(track(-20.0, **against))
    assert quiet.width.mono_bass == pytest.approx(0.5)
    assert "50% of the side under 120 Hz" in quiet.reasons["width"]
    assert plan(track(-20.0, **against), Preset.GENTLE).width.mono_bass == pytest.approx(0.25)
    assert plan(track(-20.0, **against), Preset.LIVE).width == Width()
    loud = plan(track(-10.0, 15.0, **against))
    assert loud.lwrp is not None
    assert loud.lwrp.policy is Policy.PRESERVE
    assert loud.width == Width()
    assert plan(track(-20.0, channels=1)).reasons["width"] == "not applied: one channel has no width"


@pytest.mark.parametrize("gain_db", [-1.5, 1.5])
def test_the_predicted_loudness_is_what_pyebur128_measures(gain_db: float) -> None:
    """Where middle and side have one spectrum, all of the side's energy is heard."""
    rng, rate = np.random.default_rng(4), 44_100
    middle, side = rng.normal(0, 0.1, (2, 10 * rate))
    x = np.stack([middle + 0.7 * side, middle - 0.7 * side], axis=1).astype(np.float32)
    share = 0.49 / 1.49
    plan = MasteringPlan(state=MasteringState.FINGERPRINT, width=Width(gain_db), ceiling_dbtp=60.0)
    change = levels(render(x, plan, rate), rate).lufs - levels(x, rate).lufs
    white = [10 * math.log10(hertz) for hertz in THIRD_OCTAVES_HZ]
    image = Image(2, share, 1 - 2 * share)
    assert width_change(white, image, Width(gain_db)) == pytest.approx(change, abs=0.01)


@pytest.mark.parametrize("frequency", [40.0, 70.0, 100.0])
@pytest.mark.parametrize("beside", [1.0, 0.5])
def test_what_a_bass_made_mono_takes_from_the_loudness_is_predicted(frequency: float, beside: float) -> None:
    """A bass of opposite sign in the two channels, under a middle."""
    rng, rate, seconds = np.random.default_rng(1), 44_100, 25
    t = np.arange(rate * seconds) / rate
    pass_band = butter(2, [200.0, 6_000.0], "band", fs=rate, output="sos")
    middle = 2 * sosfilt(pass_band, rng.normal(0, 0.05, len(t))) * (1 + 0.5 * np.sin(np.pi * t))
    bass = 0.25 * np.sin(2 * np.pi * frequency * t) * (0.6 + 0.4 * np.sin(4 * np.pi * t))
    x = np.stack([middle + bass, middle - beside * bass], axis=1).astype(np.float32)
    known = measured(x, rate)
    plan = AdaptiveMode().plan(known.fingerprint, known.measures, Preset.ADAPTIVE, 1.0, Target())
    assert plan.width.mono_bass > 0.9
    assert plan.predicted is not None
    heard = levels(render(x, plan, rate), rate)
    assert heard.lufs == pytest.approx(plan.predicted.lufs, abs=0.5)


def test_nothing_taken_out_changes_nothing() -> None:
    assert width_change([-30.0] * 30, Image(2, 0.3, -0.5), Width()) == 0.0


def test_the_bass_of_a_channel_that_is_upside_down_is_left_alone() -> None:
    assert width(Image(2, 0.97, -1.0), 1.0).mono_bass == 0.0
    assert width(Image(2, 0.9, -1.0), 1.0).mono_bass == pytest.approx(0.5)
    assert width(Image(2, 0.85, -1.0), 1.0).mono_bass == 1.0


def test_the_reason_tells_of_a_channel_that_is_upside_down(track: type) -> None:
    made = track(-20.0, bass_phase_correlation=-1.0)
    fingerprint = replace(made.fingerprint, stereo_width=0.97)
    plan = AdaptiveMode().plan(fingerprint, made.measures, Preset.ADAPTIVE, 1.0, Target())
    assert "upside down" in plan.reasons["width"]
