"""Q13 over the whole space of the decision, borders included."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality.continuity import INPUTS, farthest, moved, track
from quality.criteria import Finding
from quality.playing import decided
from verdicts import assert_inside, assert_refused

from quality import continuity
from tonearm.model.plan import Preset, Target

PLAIN = {"lufs": -18.0, "crest_db": 16.0, "psr_p10_db": 12.0, "true_peak_dbtp": -1.0, "lra_lu": 6.0}


@pytest.mark.parametrize("part", range(2))
def test_the_plan_is_continuous_along_the_borders(part: int) -> None:
    assert_inside(continuity.along_the_borders(thin=845, offset=17 + 61 * part))


@settings(max_examples=150, deadline=None)
@given(
    lufs=st.one_of(st.floats(-45.0, -3.0), st.floats(-13.2, -10.8)),
    crest=st.one_of(st.floats(0.0, 30.0), st.floats(11.8, 14.2)),
    psr=st.one_of(st.floats(0.0, 25.0), st.floats(7.8, 10.2)),
    peak=st.one_of(st.floats(-20.0, 6.0), st.floats(-0.2, 3.2)),
    lra=st.floats(0.0, 25.0),
    tilt=st.floats(-60.0, 60.0),
    hum=st.floats(0.0, 60.0),
    preset=st.sampled_from(list(Preset)),
    intensity=st.floats(0.01, 1.0),
    target=st.builds(Target, st.floats(-24.0, -5.0), st.sampled_from([-6.0, -1.0, 0.0])),
    name=st.sampled_from(INPUTS),
)
def test_one_input_moved_by_a_tenth_moves_nothing_by_more_than_0_3_db(
    lufs: float, crest: float, psr: float, peak: float, lra: float, tilt: float, hum: float,
    preset: Preset, intensity: float, target: Target, name: str,
) -> None:  # fmt: skip
    inputs = dict(zip(INPUTS, (lufs, crest, psr, peak, lra), strict=True))
    assert_inside([moved(inputs, name, tilt, hum, preset, intensity, target)])


@pytest.mark.parametrize(
    ("lufs", "crest", "psr", "peak", "tilt", "hum", "target"),
    [(-12.18, 14.69, 10.65, 4.15, 60.0, 60.0, -7.47), (-12.98, 12.15, 10.12, 4.2, -4.02, 54.74, -5.88)],
)
def test_overs_limiting_correction_and_tone_do_not_all_end_at_once(
    lufs: float, crest: float, psr: float, peak: float, tilt: float, hum: float, target: float
) -> None:
    inputs = dict(zip(INPUTS, (lufs, crest, psr, peak, 6.0), strict=True))
    for preset in Preset:
        assert_inside([moved(inputs, "lufs", tilt, hum, preset, 1.0, Target(target))])


def test_a_search_uphill_finds_no_jump() -> None:
    assert_inside(continuity.uphill(7, 4, 60))


def test_albums_are_continuous_too() -> None:
    assert_inside(continuity.of_the_album(20, 3))


def test_a_parameter_that_jumps_is_refused() -> None:
    plan = decided(track(PLAIN, 0.0, 0.0))
    jumped = [
        replace(plan, gain_db=plan.gain_db + 0.31),
        replace(plan, eq_db=(0.0, 0.0, 0.0, -0.31, 0.0, 0.0, 0.0)),
        replace(plan, restoration=replace(plan.restoration, boost_db=0.31)),
        replace(plan, compression=replace(plan.compression, full_dbfs=(0.0, 0.0, 0.0))),
        replace(plan, limiting_db=plan.limiting_db + 0.31),
    ]
    assert_refused(Finding("moved", "", farthest(plan, other), "") for other in jumped)
    assert_inside([Finding("moved", "", farthest(plan, replace(plan, gain_db=plan.gain_db + 0.29)), "")])
