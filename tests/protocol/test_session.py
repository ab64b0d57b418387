"""A conversation without a socket: epochs, what is remembered, what was sent, how much is too much."""

import json

import pytest

from tonearm.model.plan import MasteringState, Preset
from tonearm.model.preferences import Preferences
from tonearm.model.stream import Heard, MeterReading
from tonearm.protocol.frames import AudioFrame, Place
from tonearm.protocol.messages import EndReason, StreamStarted, StreamType
from tonearm.protocol.requests import SampleFormat, Transport
from tonearm.protocol.session import Close, Play, Reply, Session, Stop

READING = MeterReading(Heard(-3.0, -20.0), Heard(-1.0, -14.0), 0.5)


class Talk:
    """A session, and a clock that gives it all the time it wants."""

    def __init__(self, transport: Transport = Transport.BASE64) -> None:
        self.session = Session(transport, lambda: self.prefers)
        self.prefers = Preferences()
        self.now = 0.0

    def say(self, kind: str, **data: object):
        self.now += 1.0
        return self.session.receive_text(json.dumps({"type": kind, "data": data}), self.now)

    def play(self, kind: str = "play_enhanced", **data: object) -> Play:
        action = self.say(kind, **data)
        assert isinstance(action, Play)
        return action


def test_what_a_play_leaves_out_is_as_the_listener_prefers_it_then():
    talk = Talk()
    talk.prefers = Preferences(Preset.LIVE, 0.25, -18.0, "album")
    said = talk.play(track_id=1).request
    assert (said.preset, said.intensity, said.target_lufs, said.level) == ("live", 0.25, -18.0, "album")
    named = talk.play(track_id=1, preset="warm", intensity=0, level="track").request
    assert (named.preset, named.intensity, named.target_lufs, named.level) == ("warm", 0.0, -18.0, "track")


def test_what_plays_stays_as_it_is_when_the_preferences_change():
    talk = Talk()
    talk.prefers = Preferences(Preset.LIVE, 0.25, -18.0, "album")
    talk.play(track_id=1)
    talk.prefers = Preferences()
    for action in (talk.play("seek", track_id=1, position=1), talk.play("set_enhancement", position=2)):
        said = action.request
        assert (said.preset, said.intensity, said.target_lufs, said.level) == ("live", 0.25, -18.0, "album")
    said = talk.play(track_id=1).request
    assert (said.preset, said.intensity, said.target_lufs, said.level) == ("adaptive", 1.0, -14.0, "track")


@pytest.mark.parametrize("kind", ["play_normal", "seek"])
def test_the_first_of_a_connection_is_matched_or_mastered_as_preferred(kind):
    talk = Talk()
    talk.prefers = Preferences(Preset.LIVE, 0.25, -18.0, "album")
    said = talk.play(kind, track_id=1, **({"position": 1} if kind == "seek" else {})).request
    assert (said.preset, said.intensity, said.target_lufs, said.level) == ("live", 0.25, -18.0, "album")


def test_every_stream_has_a_larger_epoch():
    talk = Talk()
    kinds = ["play_enhanced", "play_normal", "play_enhanced"]
    assert [talk.play(kind, track_id=1).request.epoch for kind in kinds] == [1, 2, 3]
    assert talk.play("seek", track_id=1, position=1).request.epoch == 4
    assert talk.play("set_enhancement", position=1).request.epoch == 5


def test_the_transport_is_the_streams_then_the_connections():
    talk = Talk(Transport.BINARY)
    assert talk.play(track_id=1).request.transport is Transport.BINARY
    assert talk.play(track_id=1, transport="base64").request.transport is Transport.BASE64
    assert talk.play("seek", track_id=1, position=1).request.transport is Transport.BASE64
    assert talk.play(track_id=1).request.transport is Transport.BINARY


def test_a_seek_keeps_what_it_does_not_name():
    talk = Talk()
    talk.play(track_id=1, preset="warm", intensity=0.5)
    sought = talk.play("seek", track_id=1, position=33.0)
    assert json.loads(sought.first) == {"type": "seek_started", "data": {"track_id": 1, "position": 33.0}}
    request = sought.request
    assert (request.preset, request.intensity, request.stream_type) == (Preset.WARM, 0.5, StreamType.ENHANCED)
    assert (request.start_position, request.is_seek) == (33.0, True)
    assert talk.play("seek", track_id=1, position=1, intensity=0).request.intensity == 0.0
    talk.play("play_normal", track_id=1)
    assert talk.play("seek", track_id=1, position=1).request.stream_type is StreamType.NORMAL


def test_format_level_and_level_match_are_kept_too_and_what_played_before_is_past():
    talk = Talk(Transport.BINARY)
    asked = {"level": "album", "level_match": True, "sample_format": "s16le", "after_track_id": 9}
    played = talk.play(track_id=1, **asked).request
    assert played.after_track_id == 9
    for kind, data in (("seek", {"track_id": 1}), ("set_enhancement", {"enabled": False})):
        request = talk.play(kind, position=3, **data).request
        assert (request.level, request.level_match) == ("album", True)
        assert (request.sample_format, request.after_track_id) == (SampleFormat.S16LE, None)
    assert not talk.play("seek", track_id=1, position=3, level_match=False).request.level_match
    assert talk.play("set_enhancement", position=3, level_match=True).request.level_match
    original = talk.play("play_normal", track_id=2).request
    assert (original.level, original.level_match, original.sample_format) == ("album", False, "f32le")
    assert talk.play(track_id=2).request.level == "track"


def test_sixteen_bits_are_refused_where_they_cannot_travel():
    talk = Talk()
    for kind in ("play_enhanced", "play_normal"):
        answer = talk.say(kind, track_id=1, sample_format="s16le")
        assert json.loads(answer.text)["error"] == "validation_error"
        assert talk.play(kind, track_id=1, sample_format="s16le", transport="binary").request.epoch


def test_the_mastering_is_switched_off_and_on_again_as_it_was():
    talk = Talk()
    talk.play(track_id=1, preset="warm", intensity=0.5)
    talk.play("seek", track_id=1, position=5)
    off = talk.play("set_enhancement", position=10, enabled=False).request
    assert (off.stream_type, off.track_id, off.start_position, off.is_seek) == (
        StreamType.NORMAL,
        1,
        10.0,
        False,
    )
    on = talk.play("set_enhancement", position=11, enabled=True).request
    assert (on.stream_type, on.preset, on.intensity) == (StreamType.ENHANCED, Preset.WARM, 0.5)
    assert talk.play("set_enhancement", position=11, preset="live").request.preset is Preset.LIVE


def test_there_is_nothing_to_change_where_nothing_plays():
    talk = Talk()
    assert "validation_error" in talk.say("set_enhancement", position=1).text
    talk.play(track_id=1)
    assert isinstance(talk.say("stop"), Stop)
    assert "validation_error" in talk.say("set_enhancement", position=1).text


def test_signals_are_answered():
    talk = Talk()
    assert json.loads(talk.say("pause").text)["type"] == "playback_paused"
    assert json.loads(talk.say("resume").text)["type"] == "playback_resumed"
    assert json.loads(talk.say("stop").text)["type"] == "playback_stopped"
    assert json.loads(talk.say("ping").text) == {"type": "pong"}
    assert [talk.say(kind) for kind in ("pong", "heartbeat", "buffer_full", "buffer_ready")] == [None] * 4


def test_pause_and_a_full_buffer_hold_the_stream_and_nothing_else():
    talk = Talk()
    flow = talk.play(track_id=1).flow
    assert not flow.held
    talk.say("pause")
    talk.say("buffer_full")
    talk.say("resume")
    assert flow.held
    talk.say("buffer_ready")
    assert not flow.held


def test_a_new_play_is_not_held_and_remembers_that_the_client_has_flow_control():
    talk = Talk()
    assert not talk.play(track_id=1).flow.flow_controlled
    talk.say("pause")
    talk.say("buffer_full")
    flow = talk.play(track_id=1).flow
    assert flow.flow_controlled
    assert not flow.held
    assert not flow.paused


def test_a_seek_while_paused_is_filled_but_not_played():
    talk = Talk()
    talk.play(track_id=1)
    talk.say("pause")
    flow = talk.play("seek", track_id=1, position=5).flow
    assert flow.paused
    assert not flow.held


def test_who_watches_is_told_of_every_change():
    talk = Talk()
    told = []
    flow = talk.play(track_id=1).flow
    flow.watch(lambda: told.append(flow.held))
    for kind in ("pause", "resume", "buffer_full", "buffer_ready"):
        talk.say(kind)
    assert told == [True, False, True, False]


def started(play: Play, start_frame: int) -> StreamStarted:
    return StreamStarted(
        request=play.request,
        rate=44_100,
        channels=2,
        start_frame=start_frame,
        total_frames=100_000,
        duration_exact=True,
        mastering_state=MasteringState.FINGERPRINT,
    )


def test_the_ledger_counts_what_was_really_sent():
    talk = Talk()
    play = talk.play(track_id=1)
    assert talk.session.close_stream(EndReason.STOPPED) is None
    talk.session.sent(started(play, 1_000))
    talk.session.sent(AudioFrame(play.request, Place(0, 0, 1, 0, 1), 500, 2, b"", READING))
    talk.session.sent(AudioFrame(play.request, Place(1, 0, 1, 1, 2), 250, 2, b"", READING))
    end = talk.session.close_stream(EndReason.STOPPED)
    assert end is not None
    assert (end.total_frames, end.reason, end.epoch) == (1_750, EndReason.STOPPED, 1)
    assert talk.session.close_stream(EndReason.STOPPED) is None


def test_a_stream_that_was_ended_is_not_ended_again():
    talk = Talk()
    play = talk.play(track_id=1)
    talk.session.sent(started(play, 0))
    end = talk.session.close_stream(EndReason.COMPLETED)
    assert end is not None
    talk.session.sent(started(play, 0))
    talk.session.sent(end)
    assert talk.session.close_stream(EndReason.STOPPED) is None


def pauses(session: Session, times: list[float]) -> list[object]:
    return [session.receive_text('{"type":"pause"}', now) for now in times]


def is_refused(action: object) -> bool:
    return isinstance(action, Reply) and "rate_limit_exceeded" in action.text


def test_a_burst_of_forty_and_then_twenty_a_second():
    session = Session(Transport.BASE64, Preferences)
    burst = pauses(session, [0.0] * 60)
    assert [is_refused(action) for action in burst] == [False] * 40 + [True] * 20
    steady = pauses(session, [1.0 + n / 20 for n in range(200)])
    assert not any(is_refused(action) for action in steady)


def test_keep_alives_are_free():
    session = Session(Transport.BASE64, Preferences)
    answers = [session.receive_text('{"type":"ping"}', 0.0) for _ in range(1_000)]
    assert all(isinstance(answer, Reply) and "pong" in answer.text for answer in answers)


def test_rubbish_counts_too():
    session = Session(Transport.BASE64, Preferences)
    answers = [session.receive_text("{", 0.0) for _ in range(39)] + [session.receive_binary(0.0)]
    assert not any(is_refused(answer) for answer in answers)
    assert is_refused(session.receive_text("{", 0.0))
    assert is_refused(session.receive_binary(0.0))


def test_five_seconds_of_too_much_close_the_connection():
    session = Session(Transport.BASE64, Preferences)
    answers = pauses(session, [n / 1_000 for n in range(8_000)])
    closes = [n for n, answer in enumerate(answers) if isinstance(answer, Close)]
    assert closes
    assert 5.0 <= closes[0] / 1_000 <= 5.2
    assert answers[closes[0]].code == 1008


def test_a_flood_is_not_answered_with_a_flood():
    session = Session(Transport.BASE64, Preferences)
    answers = pauses(session, [n / 10_000 for n in range(10_000)])
    assert sum(answer is not None for answer in answers) < 400


@pytest.mark.parametrize("gap", [2.0, 10.0])
def test_bursts_with_calm_between_them_are_forgiven(gap):
    session = Session(Transport.BASE64, Preferences)
    for n in range(10):
        answers = pauses(session, [n * gap] * 100)
        assert not any(isinstance(answer, Close) for answer in answers)


def test_binary_messages_are_refused():
    reply = Session(Transport.BASE64, Preferences).receive_binary(0.0)
    assert json.loads(reply.text)["error"] == "unsupported_frame_type"


def test_a_seek_beyond_the_known_end_leaves_the_stream_alone():
    talk = Talk()
    play = talk.play(track_id=1)
    begun = started(play, 0)
    talk.session.sent(begun)
    beyond = begun.total_frames / begun.rate
    for answer in (
        talk.say("seek", track_id=1, position=beyond),
        talk.say("set_enhancement", enabled=False, position=beyond + 1),
    ):
        assert isinstance(answer, Reply)
        assert json.loads(answer.text)["error"] == "validation_error"
    assert isinstance(talk.say("seek", track_id=1, position=beyond - 0.1), Play)
    assert isinstance(talk.say("seek", track_id=2, position=beyond), Play)
