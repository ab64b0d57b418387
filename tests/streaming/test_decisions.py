"""Which of a pair is turned down, and by how much; what is said of an album that has no level."""

from dataclasses import replace

import pytest
from analyses import analysis, probe, track
from hypothesis import given
from hypothesis import strategies as st

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.model.errors import AlbumNotMeasured
from tonearm.model.measures import Analysis
from tonearm.model.plan import AlbumLevel, Preset, Target
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import Transport
from tonearm.streaming.decisions import (
    ORIGINAL,
    Asked,
    Decision,
    decide,
    fallback,
    needs_no_plan,
    told_of_album,
    unplanned,
)


def asked(stream_type: StreamType, *, level_match: bool = True, intensity: float = 1.0) -> Asked:
    request = StreamRequest(
        track_id=1,
        stream_type=stream_type,
        preset=Preset.ADAPTIVE,
        intensity=intensity,
        start_position=0.0,
        transport=Transport.BINARY,
        epoch=1,
        level_match=level_match,
    )
    return Asked(request, track(), Target())


TRACK = Target()


def found(lufs: float) -> Analysis:
    """A track of this loudness that has room for the target."""
    made = analysis(lufs=lufs, crest_db=14.0)
    measures = replace(
        made.measures,
        rate=44_100,
        channels=2,
        true_peak_dbtp=lufs + 15.0,
        downmix_true_peak_dbtp=lufs + 15.0,
        downmix_lufs=lufs,
        plr_db=15.0,
        psr_p10_db=12.0,
    )
    return replace(made, measures=measures)


def pair(lufs: float, target: Target = TRACK, intensity: float = 1.0) -> tuple[Decision, Decision]:
    mastered, original = (
        decide(AdaptiveMode(), replace(asked(kind, intensity=intensity), target=target), found(lufs))
        for kind in (StreamType.ENHANCED, StreamType.NORMAL)
    )
    return mastered, original


@given(
    lufs=st.floats(-45.0, -6.0),
    intensity=st.floats(0.01, 1.0),
    album=st.none() | st.builds(AlbumLevel, st.floats(-40.0, -6.0), st.floats(-20.0, 3.0)),
)
def test_a_pair_is_equally_loud_and_only_the_louder_is_turned_down(lufs, intensity, album):
    target = Target() if album is None else Target(level="album", album=album)
    mastered, original = pair(lufs, target, intensity)
    after, before = mastered.plan.predicted.lufs, lufs
    assert after + mastered.match_gain_db == pytest.approx(before + original.match_gain_db, abs=1e-9)
    assert max(mastered.match_gain_db, original.match_gain_db) == 0.0
    louder = mastered if after > before else original
    assert louder.match_gain_db == pytest.approx(-abs(after - before), abs=1e-9)


def test_a_quiet_track_is_turned_down_where_it_is_mastered_and_a_loud_one_where_it_is_not():
    mastered, original = pair(-30.0)
    assert mastered.match_gain_db < -6.0
    assert original.match_gain_db == 0.0
    mastered, original = pair(-8.0)
    assert mastered.match_gain_db == 0.0
    assert original.match_gain_db < -4.0


def test_a_first_impression_matches_too():
    mastered, original = (
        decide(AdaptiveMode(), asked(kind), probe()) for kind in (StreamType.ENHANCED, StreamType.NORMAL)
    )
    after = mastered.plan.predicted.lufs + mastered.match_gain_db
    assert after == pytest.approx(probe().lufs + original.match_gain_db, abs=1e-9)
    assert original.plan is ORIGINAL


def test_unasked_nothing_is_matched():
    for kind in StreamType:
        assert decide(AdaptiveMode(), asked(kind, level_match=False), found(-30.0)).match_gain_db is None
        assert unplanned(asked(kind, level_match=False).request).match_gain_db is None


@pytest.mark.parametrize("kind", list(StreamType))
def test_what_passes_untouched_is_what_it_is_matched_with(kind):
    request = asked(kind, intensity=0.0).request
    assert needs_no_plan(request)
    assert unplanned(request) == Decision(unplanned(request).plan, 0.0)
    assert unplanned(request).plan.bypass


def test_only_a_matched_original_needs_a_plan():
    assert needs_no_plan(asked(StreamType.NORMAL, level_match=False).request)
    assert not needs_no_plan(asked(StreamType.NORMAL).request)
    assert not needs_no_plan(asked(StreamType.ENHANCED, level_match=False).request)


def test_what_falls_back_stays_what_was_asked_for():
    assert fallback(asked(StreamType.NORMAL)) is ORIGINAL
    assert fallback(asked(StreamType.ENHANCED)).plan.state == "standard"


def test_an_album_that_has_no_level_is_told_in_the_reason_of_the_target():
    plain = decide(AdaptiveMode(), asked(StreamType.ENHANCED), found(-20.0)).plan
    assert told_of_album(plain, asked(StreamType.ENHANCED)) is plain
    without = replace(asked(StreamType.ENHANCED), no_album=AlbumNotMeasured("album 7"))
    reasons = told_of_album(plain, without).reasons
    assert AlbumNotMeasured.sentence in reasons["target_lufs"]
    assert plain.reasons["target_lufs"] in reasons["target_lufs"]
    assert {name: why for name, why in reasons.items() if name != "target_lufs"} == {
        name: why for name, why in plain.reasons.items() if name != "target_lufs"
    }
