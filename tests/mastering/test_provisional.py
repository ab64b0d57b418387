"""Plans from a first impression: what they may do, what they never do, and that they never jump."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.mastering.describe import describe
from tonearm.model.plan import (
    AlbumLevel,
    Compression,
    MasteringState,
    Preset,
    Restoration,
    Target,
    Width,
)
from tonearm.model.probe import Probe

MODE = AdaptiveMode()
BULGE = tuple(9.0 if 4 <= band <= 8 else 0.0 for band in range(30))


def probe(lufs=-18.0, plr_db=17.0, crest_db=16.0, away_db=(0.0,) * 30, rate=44_100, windows=16) -> Probe:
    return Probe(
        lufs=lufs,
        crest_db=crest_db,
        true_peak_dbtp=lufs + plr_db,
        bands_pct=(5.0, 30.0, 20.0, 25.0, 10.0, 5.0, 5.0),
        third_octaves_db=tuple(m + lufs + a for m, a in zip(MEDIANS_DB, away_db, strict=True)),
        rate=rate,
        windows=windows,
        seconds=2.0 * windows,
    )


probes = st.builds(
    probe,
    st.floats(-60.0, 0.0),
    st.floats(3.0, 30.0),
    st.floats(0.0, 30.0),
    st.lists(st.floats(-30.0, 30.0), min_size=30, max_size=30),
    st.sampled_from([8_000, 44_100, 192_000]),
    st.integers(1, 16),
)
asked = {"preset": st.sampled_from(Preset), "intensity": st.floats(0.01, 1.0)}


@given(heard=probes, **asked)
@settings(deadline=None, max_examples=60)
def test_it_never_restores_compresses_widens_or_limits_on_purpose(heard, preset, intensity):
    plan = MODE.plan_from_probe(heard, preset, intensity, Target())
    assert plan.state is MasteringState.PROVISIONAL
    assert plan.lwrp is None
    assert (plan.compression, plan.restoration, plan.width) == (Compression(), Restoration(), Width())
    assert all(abs(gain) <= 1.5 for gain in plan.eq_db)
    # Up to 3 dB of overs that every converter clips are the limiter's where a quiet track is mastered.
    assert plan.limiting_db <= max(0.0, min(3.0, heard.true_peak_dbtp)) + 1.0
    assert plan.predicted.true_peak_dbtp <= plan.ceiling_dbtp


@given(heard=probes, **asked)
@settings(deadline=None, max_examples=60)
def test_every_parameter_has_a_reason_and_json_carries_it(heard, preset, intensity):
    said = json.loads(json.dumps(describe(MODE.plan_from_probe(heard, preset, intensity, Target()))))
    assert said["state"] == "provisional"
    assert said["lwrp"] is None
    assert all(parameter["reason"] for parameter in said["parameters"].values())
    assert said["measured"]["heard_s"] == heard.seconds


@given(
    lufs=st.floats(-30.0, -6.0),
    plr_db=st.floats(6.0, 24.0),
    step=st.sampled_from([(0.1, 0.0), (-0.1, 0.0), (0.0, 0.1), (0.0, -0.1)]),
    **asked,
)
@settings(deadline=None, max_examples=80)
def test_a_tenth_of_a_decibel_moves_nothing_by_more_than_three(lufs, plr_db, step, preset, intensity):
    before = probe(lufs, plr_db, away_db=BULGE)
    # One input at a time: the loudness, its peak staying, or the peak.
    after = replace(before, lufs=lufs + step[0], true_peak_dbtp=before.true_peak_dbtp + step[1])
    one, two = (MODE.plan_from_probe(heard, preset, intensity, Target()) for heard in (before, after))
    assert two.gain_db == pytest.approx(one.gain_db, abs=0.3)
    assert two.eq_db == pytest.approx(one.eq_db, abs=0.3)


@pytest.mark.parametrize("preset", Preset)
def test_the_equaliser_is_half_of_the_full_plans(preset, track):
    full = track(lufs=-20.0, spectrum_db=tuple(m + b for m, b in zip(MEDIANS_DB, BULGE, strict=True)))
    heard = probe(lufs=-20.0, away_db=BULGE)
    whole = MODE.plan(full.fingerprint, full.measures, preset, 1.0, Target())
    half = MODE.plan_from_probe(heard, preset, 1.0, Target())
    assert any(whole.eq_db)
    assert half.eq_db == pytest.approx([gain / 2 for gain in whole.eq_db], abs=1e-9)
    assert half.ceiling_dbtp == whole.ceiling_dbtp


@pytest.mark.parametrize(
    ("lufs", "true_peak_dbtp", "psr_p10_db"),
    [(-8.0, -0.2, 12.0), (-14.0, -0.3, 8.0), (-24.0, -12.0, 8.0), (-9.0, 1.5, 12.0)],
)
def test_where_nothing_but_level_is_due_the_gain_is_the_full_plans(lufs, true_peak_dbtp, psr_p10_db, track):
    full = track(lufs=lufs, true_peak_dbtp=true_peak_dbtp, psr_p10_db=psr_p10_db)
    heard = probe(lufs=lufs, plr_db=true_peak_dbtp - lufs)
    whole = MODE.plan(full.fingerprint, full.measures, Preset.ADAPTIVE, 1.0, Target())
    assert MODE.plan_from_probe(heard, Preset.ADAPTIVE, 1.0, Target()).gain_db == pytest.approx(whole.gain_db)


def test_a_loud_track_keeps_its_tone():
    loud = MODE.plan_from_probe(probe(lufs=-9.0, plr_db=9.0, away_db=BULGE), Preset.ADAPTIVE, 1.0, Target())
    assert not any(loud.eq_db)
    assert loud.gain_db == pytest.approx(-5.0)


def test_intensity_0_is_the_source_and_others_are_refused():
    assert MODE.plan_from_probe(probe(), Preset.WARM, 0.0, Target()).bypass
    for intensity in (-0.1, 1.1):
        with pytest.raises(ValueError, match="intensity"):
            MODE.plan_from_probe(probe(), Preset.WARM, intensity, Target())


def test_an_album_has_one_level():
    target = Target(level="album", album=AlbumLevel(lufs=-10.0, true_peak_dbtp=0.0))
    for lufs in (-8.0, -14.0):
        plan = MODE.plan_from_probe(probe(lufs=lufs), Preset.ADAPTIVE, 1.0, target)
        assert plan.gain_db == pytest.approx(-4.0)
        assert plan.measured["album_lufs"] == -10.0
    with pytest.raises(ValueError, match="album"):
        MODE.plan_from_probe(probe(), Preset.ADAPTIVE, 1.0, Target(level="album"))
