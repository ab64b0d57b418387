"""What the server says, field by field."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tonearm.model.plan import MasteringState, Preset
from tonearm.model.stream import Joint
from tonearm.protocol.messages import (
    EndReason,
    FingerprintProgress,
    FingerprintStatus,
    PlanChanged,
    RequestRefused,
    StreamEnded,
    StreamFailed,
    StreamRequest,
    StreamStarted,
    StreamType,
    envelope,
)
from tonearm.protocol.requests import BadMessage, ErrorKind, Transport


def started(**changes: object) -> StreamStarted:
    request = {
        "track_id": 9,
        "stream_type": StreamType.ENHANCED,
        "preset": Preset.WARM,
        "intensity": 0.5,
        "start_position": 12.0,
        "transport": Transport.BASE64,
        "epoch": 3,
        "is_seek": False,
    }
    return StreamStarted(
        request=StreamRequest(**(request | changes)),
        rate=48_000,
        channels=2,
        start_frame=576_001,
        total_frames=48_000 * 25,
        duration_exact=True,
        mastering_state=MasteringState.FINGERPRINT,
    )


def test_the_start_of_an_enhanced_stream():
    assert json.loads(started().text()) == {
        "type": "audio_stream_start",
        "data": {
            "track_id": 9,
            "preset": "warm",
            "intensity": 0.5,
            "sample_rate": 48_000,
            "channels": 2,
            "total_chunks": 3,
            "chunk_duration": 10,
            "total_duration": 25.0,
            "stream_type": "enhanced",
            "stream_epoch": 3,
            "mastering_state": "fingerprint",
            "start_position": 576_001 / 48_000,
            "duration_exact": True,
            "level": "track",
        },
    }


def told(begun: StreamStarted) -> dict[str, Any]:
    return json.loads(begun.text())["data"]


def test_a_level_match_is_told_where_it_was_asked_for():
    assert "level_match_gain_db" not in told(replace(started(), level_match_gain_db=-3.5))
    asked = started(level_match=True)
    assert told(asked)["level_match_gain_db"] is None
    assert told(replace(asked, level_match_gain_db=-3.5))["level_match_gain_db"] == -3.5


def test_how_a_stream_joins_the_one_before_is_told_where_one_was_named():
    asked = started(after_track_id=8)
    assert "gapless" not in told(asked)
    data = told(replace(asked, joint=Joint(gapless=True)))
    assert (data["after_track_id"], data["gapless"]) == (8, True)
    assert "gapless_reason" not in data
    data = told(replace(asked, joint=Joint(gapless=False, reason="Another rate.")))
    assert (data["gapless"], data["gapless_reason"]) == (False, "Another rate.")


def test_a_normal_stream_has_no_preset():
    data = json.loads(started(stream_type=StreamType.NORMAL).text())["data"]
    assert (data["preset"], data["intensity"], data["stream_type"]) == ("none", 0.0, "normal")


def test_a_seek_says_where_it_went():
    data = json.loads(started(is_seek=True).text())["data"]
    assert (data["is_seek"], data["start_chunk"], data["seek_position"]) == (True, 1, 12.0)


def test_the_other_words():
    progress = FingerprintProgress(9, FingerprintStatus.ANALYZING, "Listening.", StreamType.ENHANCED)
    assert json.loads(progress.text()) == {
        "type": "fingerprint_progress",
        "data": {"track_id": 9, "status": "analyzing", "message": "Listening.", "stream_type": "enhanced"},
    }
    assert json.loads(PlanChanged(9, 3, {"state": "standard", "lwrp": None}).text()) == {
        "type": "mastering_plan",
        "data": {"track_id": 9, "stream_epoch": 3, "state": "standard", "lwrp": None},
    }
    ended = StreamEnded(
        track_id=9,
        stream_type=StreamType.NORMAL,
        epoch=3,
        total_frames=24_000,
        rate=48_000,
        reason=EndReason.ERRORED,
    )
    assert json.loads(ended.text()) == {
        "type": "audio_stream_end",
        "data": {
            "track_id": 9,
            "total_samples": 24_000,
            "duration": 0.5,
            "stream_type": "normal",
            "stream_epoch": 3,
            "reason": "errored",
        },
    }


def test_a_failure_names_a_recovery_position_where_it_is_known():
    failure = {
        "track_id": 9,
        "code": "DECODE_ERROR",
        "sentence": "Broken.",
        "stream_type": StreamType.ENHANCED,
    }
    bare = json.loads(StreamFailed(**failure, epoch=3).text())
    assert bare == {
        "type": "audio_stream_error",
        "data": {
            "track_id": 9,
            "error": "Broken.",
            "code": "DECODE_ERROR",
            "stream_type": "enhanced",
            "stream_epoch": 3,
        },
    }
    known = json.loads(StreamFailed(**failure, epoch=3, recovery_position=1.5).text())
    assert known["data"] == bare["data"] | {"recovery_position": 1.5}


def test_an_error_stands_at_the_top_level():
    refused = RequestRefused(BadMessage(ErrorKind.VALIDATION, "no"))
    assert json.loads(refused.text()) == {"type": "error", "error": "validation_error", "message": "no"}


def test_what_json_cannot_say_is_never_sent():
    with pytest.raises(ValueError, match="JSON"):
        envelope("mastering_plan", {"gain_db": float("nan")})
