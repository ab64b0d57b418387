"""The rules of a session, held against whatever a client may say and a server may do, in any order.

The model plays both ends: it says things, it does what the session's actions ask for as a connection
does, and it makes the streams. The rules, in the order of the checks below:

1. Epochs rise, and every stream that is asked for gets its own.
2. A stream that has started gets exactly one end, and before the next start.
3. Nothing of an earlier epoch follows a later start.
4. An end tells the frames that were really sent, with those before the start.
5. What a request leaves out is what the latest request said; what played before it is past.
6. No audio in 16 bits is asked of the base64 transport.
7. After a stop nothing plays, and there is nothing to change.
8. A new play is not held; a seek keeps a pause.
9. A message beyond the rate has no effect at all.
"""

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tonearm.model.plan import MasteringState
from tonearm.model.preferences import Preferences
from tonearm.model.stream import Heard, MeterReading
from tonearm.protocol.frames import AudioFrame, Place
from tonearm.protocol.messages import EndReason, StreamEnded, StreamRequest, StreamStarted
from tonearm.protocol.requests import SampleFormat, Transport
from tonearm.protocol.session import Action, Close, Play, Reply, Session, Stop

RATE = 1_000
LENGTH = 60 * RATE
READING = MeterReading(Heard(-3.0, -20.0), Heard(-1.0, -14.0), 0.5)

_optional: dict[str, st.SearchStrategy[Any]] = {
    "preset": st.sampled_from(["adaptive", "warm", "live"]),
    "intensity": st.sampled_from([0, 0.5, 1.0]),
    "level_match": st.booleans(),
}
_of_a_play: dict[str, st.SearchStrategy[Any]] = {
    "start_position": st.floats(0, 70),
    "transport": st.sampled_from(["base64", "binary"]),
    "sample_format": st.sampled_from(["f32le", "s16le"]),
    "level_match": st.booleans(),
}
_plays = st.fixed_dictionaries(
    {"track_id": st.integers(1, 3)},
    optional=_of_a_play
    | _optional
    | {"level": st.sampled_from(["track", "album"]), "after_track_id": st.integers(1, 3)},
)
_plain_plays = st.fixed_dictionaries({"track_id": st.integers(1, 3)}, optional=_of_a_play)
_seeks = st.fixed_dictionaries(
    {"track_id": st.integers(1, 3), "position": st.floats(0, 70)}, optional=_optional
)
_changes = st.fixed_dictionaries(
    {"position": st.floats(0, 70)}, optional=_optional | {"enabled": st.booleans()}
)


class Conversation(RuleBasedStateMachine):
    """A session, the wire behind it, and the one stream that is being made."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(Transport.BASE64, Preferences)
        self.now = 0.0
        self.wire: list[dict[str, Any]] = []
        self.making: StreamRequest | None = None
        self.latest: StreamRequest | None = None
        self.begun = False
        self.position = 0
        self.epochs: list[int] = []
        self.paused = False
        self.stopped = True
        self.closed = False

    # ---- what a client says --------------------------------------------------------------------

    def say(self, kind: str, data: dict[str, Any] | None = None, wait: float = 1.0) -> Action | None:
        self.now += wait
        return self.session.receive_text(json.dumps({"type": kind, "data": data or {}}), self.now)

    @rule(data=_plays)
    def play_enhanced(self, data: dict[str, Any]) -> None:
        self.new_stream(self.say("play_enhanced", data), data, seek=False, play=True)

    @rule(data=_plain_plays)
    def play_normal(self, data: dict[str, Any]) -> None:
        self.new_stream(self.say("play_normal", data), data, seek=False, play=True)

    @rule(data=_seeks)
    def seek(self, data: dict[str, Any]) -> None:
        self.new_stream(self.say("seek", data), data, seek=True, play=False)

    @rule(data=_changes)
    def set_enhancement(self, data: dict[str, Any]) -> None:
        action = self.say("set_enhancement", data)
        if self.stopped:
            assert isinstance(action, Reply), "7: there is nothing to change"
        self.new_stream(action, data, seek=False, play=False)

    @rule(pause=st.booleans())
    def pause_or_resume(self, pause: bool) -> None:
        assert isinstance(self.say("pause" if pause else "resume"), Reply)
        self.paused = pause

    @rule(full=st.booleans())
    def buffer(self, full: bool) -> None:
        assert self.say("buffer_full" if full else "buffer_ready") is None

    @rule()
    def stop(self) -> None:
        action = self.say("stop")
        assert isinstance(action, Stop)
        self.interrupt()
        self.stopped = True

    @rule(text=st.sampled_from(["{", "[]", '{"type":"dance"}', '{"type":"seek"}', '{"type":"ping"}']))
    def rubbish(self, text: str) -> None:
        self.now += 1.0
        assert isinstance(self.session.receive_text(text, self.now), Reply)

    @rule(count=st.integers(41, 80))
    def flood(self, count: int) -> None:
        """Messages at one moment, each of which would start a stream: those beyond the burst do not."""
        self.now += 10.0
        actions = []
        for _ in range(count):
            action = self.say("play_enhanced", {"track_id": 1}, wait=0.0)
            actions.append(action)
            if isinstance(action, Play):
                self.new_stream(action, {"track_id": 1}, seek=False, play=True)
        assert sum(isinstance(action, Play) for action in actions) == 40, "9: the burst is 40"
        assert not any(isinstance(action, Play | Close) for action in actions[40:])
        self.now += 10.0

    # ---- what a connection does ----------------------------------------------------------------

    def new_stream(self, action: Action | None, data: dict[str, Any], *, seek: bool, play: bool) -> None:
        if isinstance(action, Reply):
            assert json.loads(action.text)["error"] == "validation_error"
            return
        assert isinstance(action, Play)
        request, before = action.request, self.latest
        assert request.epoch > max(self.epochs, default=0), "1: epochs rise"
        self.epochs.append(request.epoch)
        assert request.is_seek == seek
        assert not (request.sample_format is SampleFormat.S16LE and request.transport is Transport.BASE64), (
            "6"
        )
        for name in ("preset", "intensity", "level_match"):
            if name in data:
                assert getattr(request, name) == data[name], "5: what is said counts"
            elif not play and before is not None:
                assert getattr(request, name) == getattr(before, name), "5: what is not, stays"
        if not play:
            assert request.after_track_id is None, "5"
            if before is not None:
                kept = ("transport", "sample_format", "level")
                assert all(getattr(request, name) == getattr(before, name) for name in kept), "5"
        assert not action.flow.held, "8: a new stream is not held"
        assert action.flow.paused == (self.paused and not play), "8: a pause is handed on"
        self.paused = action.flow.paused
        self.interrupt()
        self.making, self.latest, self.begun, self.stopped = request, request, False, False

    def interrupt(self) -> None:
        end = self.session.close_stream(EndReason.STOPPED)
        assert (end is not None) == (self.making is not None and self.begun), "2: as many ends as starts"
        if end is not None:
            self.wire.append(json.loads(end.text()))
        self.making, self.begun = None, False

    # ---- what a stream does --------------------------------------------------------------------

    def sent(self, event: StreamStarted | AudioFrame | StreamEnded) -> None:
        self.session.sent(event)
        if isinstance(event, AudioFrame):
            self.wire.append({"type": "frame", "epoch": event.request.epoch, "frames": event.frames})
        else:
            self.wire.append(json.loads(event.text()))

    @precondition(lambda self: self.making is not None and not self.begun)
    @rule(exact=st.booleans())
    def start(self, exact: bool) -> None:
        request = self.making
        first = min(round(request.start_position * RATE), LENGTH - 1)
        self.position, self.begun = first, True
        self.sent(
            StreamStarted(
                request=request,
                rate=RATE,
                channels=2,
                start_frame=first,
                total_frames=LENGTH,
                duration_exact=exact,
                mastering_state=MasteringState.FINGERPRINT,
            )
        )

    @precondition(lambda self: self.making is not None and self.begun)
    @rule(frames=st.integers(1, 500))
    def frame(self, frames: int) -> None:
        self.position += frames
        self.sent(AudioFrame(self.making, Place(0, 0, 1, 0, 1), frames, 2, b"", READING))

    @precondition(lambda self: self.making is not None and self.begun)
    @rule(reason=st.sampled_from([EndReason.COMPLETED, EndReason.ERRORED]), crash=st.booleans())
    def end(self, reason: EndReason, crash: bool) -> None:
        """The stream's own end, or the connection's after a defect."""
        request = self.making
        if crash:
            end = self.session.close_stream(EndReason.ERRORED)
            assert end is not None
            self.wire.append(json.loads(end.text()))
        else:
            self.sent(
                StreamEnded(
                    track_id=request.track_id,
                    stream_type=request.stream_type,
                    epoch=request.epoch,
                    total_frames=self.position,
                    rate=RATE,
                    reason=reason,
                )
            )
        self.making = None

    # ---- the rules -----------------------------------------------------------------------------

    @invariant()
    def streams_are_told_apart(self) -> None:
        running, last, count = None, 0, 0
        for message in self.wire:
            data = message.get("data", {})
            match message["type"]:
                case "audio_stream_start":
                    assert running is None, "2: the earlier one has ended"
                    assert data["stream_epoch"] > last, "1"
                    running = last = data["stream_epoch"]
                    count = round(data["start_position"] * RATE)
                case "frame":
                    assert message["epoch"] == running, "3"
                    count += message["frames"]
                case "audio_stream_end":
                    assert data["stream_epoch"] == running, "2: one end each"
                    assert data["total_samples"] == count, "4"
                    running = None
        assert (running is not None) == (self.making is not None and self.begun)


Conversation.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestConversation = Conversation.TestCase
