"""Q11 and the table of the loudness war."""

from dataclasses import replace

import numpy as np
import pytest
from judges import Judged
from music import clip
from quality.criteria import Finding, Told
from quality.levels import Mastered, restored
from quality.material import amplified, decoded, pushed
from quality.restoring import restoration, si_sdr_db
from verdicts import assert_inside

from tonearm.model.plan import Restoration

PUSH_DB = 9.0


@pytest.fixture(scope="module")
def original() -> Judged:
    x, rate = decoded(clip("Kevin_MacLeod_-_Vibe_Ace.ogg"), 12.0, 20.0)
    return Judged(x, rate)


@pytest.fixture(scope="module")
def copy(original: Judged) -> Mastered:
    loud = pushed(original.x, original.rate, PUSH_DB)
    assert len(loud) == original.frames
    made = Mastered.of("vibe", "limited copies", loud, original.rate)
    assert made.plan.lwrp is not None
    assert made.plan.lwrp.weights.restore == 1
    return made


def refused(findings: list[Finding]) -> set[str]:
    return {finding.check for finding in findings if not finding.inside}


def judged(original: Judged, copy: Mastered) -> tuple[list[Finding], Told]:
    results = list(restoration(original, "vibe", PUSH_DB, copy))
    (told,) = [result for result in results if isinstance(result, Told)]
    return [result for result in results if isinstance(result, Finding)], told


def test_what_was_limited_comes_back_as_is_claimed(original: Judged, copy: Mastered) -> None:
    findings, told = judged(original, copy)
    assert {finding.check for finding in findings} == {"back", "closer"}
    assert_inside(findings)
    assert_inside(restored(copy))
    plr_db = [float(cell) for cell in told.cells[3:6]]
    assert plr_db[0] > plr_db[1] + 3.0


def test_a_boost_that_was_planned_and_gives_nothing_back_is_refused(original: Judged, copy: Mastered) -> None:
    planned = replace(copy, plan=replace(copy.plan, restoration=Restoration(3.0)), y=copy.x)
    assert refused(judged(original, planned)[0]) == {"back"}
    assert refused(list(restored(planned))) == {"regained"}


def test_attacks_that_are_opened_wide_or_torn_are_refused(original: Judged, copy: Mastered) -> None:
    spiky = copy.x.copy()
    spiky[:: original.rate // 4] *= np.float32(4.0)
    assert "overdone" in refused(list(restored(replace(copy, y=spiky))))
    noise = np.random.default_rng(0).normal(0, 0.1, copy.x.shape).astype(np.float32)
    assert "closer" in refused(judged(original, replace(copy, y=copy.x + noise))[0])
    softer = replace(copy, y=np.tanh(3.0 * copy.x))
    assert {"restored", "regained"} <= refused(list(restored(softer)))


def test_si_sdr_does_not_hear_level() -> None:
    rng = np.random.default_rng(1)
    x, noise = rng.normal(size=(50_000, 2)), 0.1 * rng.normal(size=(50_000, 2))
    for gain_db in (0.0, -12.0):
        assert si_sdr_db(amplified(x, 0.0), amplified(x + noise, gain_db)) == pytest.approx(20.0, abs=0.1)
