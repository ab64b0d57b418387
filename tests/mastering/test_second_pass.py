import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.second_pass import corrected
from tonearm.model.plan import MasteringPlan, Preset, Target, untouched

OFF = st.floats(-3.0, 3.0)


def planned(made, target: float = -20.0) -> MasteringPlan:
    return AdaptiveMode().plan(made.fingerprint, made.measures, Preset.ADAPTIVE, 1.0, Target(lufs=target))


@given(off=OFF)
def test_what_is_missing_of_the_target_is_added(track, off: float) -> None:
    plan = planned(track(lufs=-26.0, true_peak_dbtp=-14.0))
    second = corrected(plan, -20.0 + off)
    moved = second.gain_db - plan.gain_db
    if abs(off) < 0.004:
        assert second is plan
    else:
        assert moved == pytest.approx(-max(-1.0, min(1.0, off)), abs=1e-9) or abs(moved) < 0.005
    assert (second.eq_db, second.ceiling_dbtp, second.lwrp) == (plan.eq_db, plan.ceiling_dbtp, plan.lwrp)


def test_where_the_ceiling_binds_nothing_is_pushed_into_it(track) -> None:
    plan = planned(track(lufs=-26.0, true_peak_dbtp=-1.0, psr_p10_db=7.0), target=-14.0)
    assert plan.predicted is not None
    assert plan.predicted.lufs < -15.0
    assert plan.predicted.true_peak_dbtp == pytest.approx(-1.0 - MARGIN_DB)
    assert corrected(plan, plan.predicted.lufs - 0.5) is plan
    lower = corrected(plan, plan.predicted.lufs + 0.5)
    assert lower.gain_db == pytest.approx(plan.gain_db - 0.5)
    assert lower.predicted is not None
    assert lower.predicted.true_peak_dbtp == pytest.approx(-1.5 - MARGIN_DB)


def test_a_plan_that_does_nothing_stays_so() -> None:
    plan = untouched("intensity 0")
    assert corrected(plan, -20.0) is plan


def test_the_prediction_follows(track) -> None:
    plan = planned(track(lufs=-26.0, true_peak_dbtp=-14.0))
    second = corrected(plan, -20.3)
    assert second.predicted is not None
    assert second.predicted.lufs == pytest.approx(-20.0)
    assert plan.predicted is not None
    assert second.predicted.true_peak_dbtp == pytest.approx(plan.predicted.true_peak_dbtp + 0.3)
    assert math.isclose(second.predicted.plr_db, second.predicted.true_peak_dbtp - second.predicted.lufs)
    assert "+0.30 dB" in second.reasons["gain_db"]
