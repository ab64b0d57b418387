"""Q2, Q9, Q10, Q12, Q14 and the null test, on real music through the real rendering."""

from dataclasses import replace

import numpy as np
import pytest
from judges import Judged, true_peak_dbtp
from music import clip
from quality.criteria import Finding
from quality.levels import Mastered
from quality.material import amplified, decoded, pushed
from quality.on_music import loud_and_alive
from quality.playing import decided, rendered
from sounds import analysed
from truth import true_peak_dbtp as slow_true_peak_dbtp
from verdicts import assert_inside, assert_refused

from quality import levels
from tonearm.model.audio import Block
from tonearm.model.plan import Policy

RATE = 44_100


def of_clip(name: str) -> Mastered:
    path = clip(name)
    x, rate = decoded(path)
    analysis = analysed(x, rate)
    plan = decided(analysis)
    return Mastered(name, "music", rate, x, analysis, plan, rendered(path, plan))


@pytest.fixture(scope="module")
def tabla() -> Mastered:
    return of_clip("loop_tabla.flac")


@pytest.fixture(scope="module")
def alive(tabla: Mastered) -> Mastered:
    """The same, loud and with its dynamics whole."""
    return Mastered.of("tabla", "", amplified(tabla.x, -9.0 - tabla.before.lufs), RATE)


def refused(findings: list[Finding], *checks: str) -> None:
    """These checks fail, and no other does."""
    assert {finding.check for finding in findings if not finding.inside} == set(checks)


def _spiky(y: Block) -> Block:
    """As loud, with peaks far over the ceiling."""
    spikes = y.copy()
    spikes[:: 2 * RATE] = 3.0
    return spikes


@pytest.mark.parametrize("name", ["starfall_clip.ogg", "teeworlds_menu.wv", "destiny_facedown.ogg"])
def test_music_comes_out_as_is_claimed(name: str) -> None:
    made = of_clip(name)
    assert_inside(levels.levels(made))


def test_a_master_comes_out_as_is_claimed_and_stays(tabla: Mastered) -> None:
    assert_inside(levels.levels(tabla))
    loud = of_clip("destiny_facedown.ogg")
    assert_inside(levels.again(loud))
    # A first pass that nobody limited changes under the second.
    assert any(not finding.inside for finding in levels.again(replace(loud, y=_spiky(loud.y))))


@pytest.mark.parametrize("push_db", [3.0, 9.0, 12.0])
def test_limited_copies_come_out_as_is_claimed(tabla: Mastered, push_db: float) -> None:
    copy = Mastered.of("tabla", "limited copies", pushed(tabla.x, RATE, push_db), RATE)
    assert_inside(levels.levels(copy))


def test_what_is_preserved_is_the_source_times_one_gain_with_every_preset(alive: Mastered) -> None:
    assert alive.plan.lwrp is not None
    assert alive.plan.lwrp.policy is Policy.PRESERVE
    assert alive.plan.lwrp.weights.preserve == 1
    findings = list(loud_and_alive("tabla", alive.x, RATE, 0))
    assert_inside(findings)
    # By the file as a stream renders it, and then with each of six presets and at two other ceilings.
    assert len([finding for finding in findings if finding.check == "null"]) == 9


def test_a_changed_gain_a_shift_and_an_equaliser_are_no_null(alive: Mastered) -> None:
    softer = alive.y.copy()
    softer[50_000:60_000] *= np.float32(0.9999)
    for wrong in (np.roll(alive.y, 1, axis=0), amplified(alive.y, 0.001), softer):
        refused(list(levels.preserved(replace(alive, y=wrong))), "null")


def test_wrong_levels_are_refused(tabla: Mastered) -> None:
    copy = Mastered.of("tabla", "", pushed(tabla.x, RATE, 12.0), RATE)
    assert copy.reaches_target
    away = copy.plan.target_lufs - copy.after.lufs
    assert_inside(levels.loudness(replace(copy, y=amplified(copy.y, away - 0.4))))
    assert_refused(levels.loudness(replace(copy, y=amplified(copy.y, away - 0.6))))
    assert_refused(levels.loudness(replace(copy, y=amplified(copy.y, away + 0.6))))
    refused(list(levels.levels(replace(copy, y=amplified(copy.y, 9.0)))), "peak", "target")
    crushed = np.clip(copy.y, -0.1, 0.1)
    assert "restored" in {f.check for f in levels.levels(replace(copy, y=crushed)) if not f.inside}


def test_crushed_dynamics_and_another_tone_are_refused(tabla: Mastered) -> None:
    crushed = replace(tabla, y=np.tanh(20 * tabla.y))
    assert {"lost", "crushed"} <= {f.check for f in levels.levels(crushed) if not f.inside}
    dull = replace(tabla, y=np.cumsum(tabla.y, axis=0).astype(np.float32))
    assert "corridor" in {f.check for f in levels.levels(dull) if not f.inside}


def test_a_range_that_grows_is_refused_where_it_is_stable(tabla: Mastered) -> None:
    swell = np.geomspace(1.0, 10.0, len(tabla.y))[:, None].astype(np.float32)
    short = replace(tabla, y=tabla.y * swell)
    assert not [finding for finding in levels.loudness_range(short) if finding.check == "range"]
    minute = replace(tabla, x=np.tile(tabla.x, (6, 1)), y=np.tile(tabla.y, (6, 1)))
    assert_inside(levels.loudness_range(minute))
    swell = np.geomspace(1.0, 10.0, len(minute.y))[:, None].astype(np.float32)
    assert_refused(levels.loudness_range(replace(minute, y=minute.y * swell)))


def test_the_fast_meter_is_the_plain_one() -> None:
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=(30_000 + seed, seed + 1)).astype(np.float32)
        x[0] *= 5 * (seed % 2)
        assert true_peak_dbtp(x) == pytest.approx(slow_true_peak_dbtp(x), abs=1e-12)
        judged = Judged(x[:, :2], 8_000)
        assert 20 * np.log10(judged.second_peaks.max()) == pytest.approx(
            slow_true_peak_dbtp(x[:, :2]), abs=1e-12
        )
