"""Width by hand, and its effect on loudness by pyebur128."""

import math

import numpy as np
import pytest
from mastered import levels, render

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.factors import SIDE_ENERGY_SHARE
from tonearm.mastering.width import Image, width, width_change
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
    assert width_change(share / SIDE_ENERGY_SHARE, gain_db) == pytest.approx(change, abs=0.01)
    assert width_change(share, 0.0) == 0.0
