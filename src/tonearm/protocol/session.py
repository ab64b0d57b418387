"""One connection's conversation, without I/O: text in, actions out.

The rules, for whatever is said in whatever order:

- A stream is asked for by ``play_*``, ``seek`` and ``set_enhancement``. It gets an epoch larger than all
  before it, and takes the place of the one before: that one is cancelled, what waits of it is taken back,
  and if it has started it gets its end (``stopped``) before anything of the new one.
- What a request leaves out is filled in. ``play_*`` takes what the listener prefers at that moment; ``seek``
  and ``set_enhancement`` take it from the latest request, stopped or not. ``set_enhancement`` needs a
  stream that was not stopped.
- A stream has started when its ``audio_stream_start`` is on its way, and has then exactly one end: its
  own, or the one made here from the ledger of the frames that are really on their way.
- ``pause``, ``resume`` and the buffer's state belong to the listener. A pause is handed on by ``seek`` and
  ``set_enhancement`` and ended by ``play_*``; a full buffer is emptied by any new stream.
- A position at or beyond a known exact end is refused, and the stream plays on.
- Beyond its rate a message has no effect but a complaint, and in the end the loss of the connection.

| said              | nothing plays         | a stream plays                       | answer             |
|-------------------|-----------------------|--------------------------------------|--------------------|
| play_*            | a stream              | end (stopped), a stream              | -                  |
| seek              | a stream              | end (stopped), a stream              | seek_started       |
| set_enhancement   | refused               | end (stopped), a stream              | -                  |
| stop              | -                     | end (stopped)                        | playback_stopped   |
| pause, resume     | kept for the next     | held, goes on                        | playback_...       |
| buffer_*          | kept: flow controlled | held, goes on                        | -                  |
| ping              | -                     | -                                    | pong               |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tonearm.model.preferences import Preferences
from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import AudioFrame, StreamEvent
from tonearm.protocol.messages import (
    PONG,
    EndReason,
    StreamEnded,
    StreamRequest,
    StreamStarted,
    StreamType,
    envelope,
    error_text,
)
from tonearm.protocol.requests import (
    KEEP_ALIVE,
    BadMessage,
    ErrorKind,
    PlayEnhanced,
    PlayNormal,
    Request,
    SampleFormat,
    Seek,
    SetEnhancement,
    Signal,
    Transport,
    parse,
)
from tonearm.protocol.throttle import Throttle, Verdict

POLICY_VIOLATION: Final = 1008


@dataclass(frozen=True, slots=True)
class Reply:
    """Say this."""

    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """End what is playing, say what is to be said first, then make this stream."""

    request: StreamRequest
    flow: Flow
    first: str | None


@dataclass(frozen=True, slots=True)
class Stop:
    """End what is playing, then say this."""

    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection with this code."""

    code: int
    reason: str


Action = Reply | Play | Stop | Close


class Session:
    """What one connection has said and been sent.

    Args:
        transport: what streams use that name none.
        preferences: tells what the listener prefers now; returns at once.
    """

    def __init__(self, transport: Transport, preferences: Callable[[], Preferences]) -> None:
        self._transport = transport
        self._preferences = preferences
        self._throttle = Throttle()
        self._flow = Flow(flow_controlled=False, paused=False)
        self._latest: StreamRequest | None = None
        self._stopped = True
        self._epoch = 0
        self._open: StreamStarted | None = None
        self._started: StreamStarted | None = None
        self._frames_sent = 0

    def receive_text(self, text: str, now: float) -> Action | None:
        """Follow one text message; ``now`` in seconds on a clock that never goes back."""
        request: Request | BadMessage
        try:
            request = parse(text)
        except BadMessage as bad:
            request = bad
        if request not in KEEP_ALIVE:
            verdict = self._throttle.judge(now)
            if verdict is not Verdict.ADMIT:
                return _refusal(verdict)
        try:
            return self._follow(request)
        except BadMessage as bad:
            return Reply(error_text(bad))

    def receive_binary(self, now: float) -> Action | None:
        """Refuse one binary message: clients send text only."""
        verdict = self._throttle.judge(now)
        if verdict is not Verdict.ADMIT:
            return _refusal(verdict)
        return Reply(error_text(BadMessage(ErrorKind.UNSUPPORTED_FRAME, "only text messages are understood")))

    def sent(self, event: StreamEvent) -> None:
        """Note that an event is on its way to the client and can no longer be taken back."""
        if isinstance(event, StreamStarted):
            self._open = self._started = event
            self._frames_sent = 0
        elif isinstance(event, AudioFrame):
            self._frames_sent += event.frames
        elif isinstance(event, StreamEnded):
            self._open = None

    def close_stream(self, reason: EndReason) -> StreamEnded | None:
        """The end of the stream that is open on the wire, or None; it is closed from here on."""
        opened, self._open = self._open, None
        if opened is None:
            return None
        return StreamEnded(
            track_id=opened.request.track_id,
            stream_type=opened.request.stream_type,
            epoch=opened.request.epoch,
            total_frames=opened.start_frame + self._frames_sent,
            rate=opened.rate,
            reason=reason,
        )

    def _follow(self, request: Request | BadMessage) -> Action | None:
        match request:
            case BadMessage():
                return Reply(error_text(request))
            case Signal():
                return self._signal(request)
            case PlayEnhanced() | PlayNormal():
                return self._play(self._requested(request), paused=False)
            case Seek():
                self._require_inside(request.track_id, request.position)
                where = {"track_id": request.track_id, "position": request.position}
                return self._play(self._sought(request), self._flow.paused, envelope("seek_started", where))
            case SetEnhancement():
                if self._latest is not None:
                    self._require_inside(self._latest.track_id, request.position)
                return self._play(self._changed(request), self._flow.paused)

    def _require_inside(self, track_id: int, position: float) -> None:
        """Refuse a position beyond the end while the stream that it would replace still plays."""
        known = self._started
        if known is None or known.request.track_id != track_id or not known.duration_exact:
            return
        if round(position * known.rate) >= known.total_frames:
            end_s = known.total_frames / known.rate
            raise BadMessage(
                ErrorKind.VALIDATION,
                f"position {position:g} s lies at or beyond the track's end at {end_s:.3f} s",
            )

    def _signal(self, signal: Signal) -> Action | None:
        match signal:
            case Signal.PAUSE | Signal.RESUME:
                self._flow.set_paused(signal is Signal.PAUSE)
                kind = "playback_paused" if signal is Signal.PAUSE else "playback_resumed"
                return Reply(envelope(kind, {"stream_epoch": self._epoch}))
            case Signal.BUFFER_FULL | Signal.BUFFER_READY:
                self._flow.set_full(signal is Signal.BUFFER_FULL)
                return None
            case Signal.STOP:
                self._stopped = True
                return Stop(envelope("playback_stopped", {"stream_epoch": self._epoch}))
            case Signal.PING:
                return Reply(PONG)
            case Signal.PONG | Signal.HEARTBEAT:
                return None

    def _play(self, request: StreamRequest, paused: bool, first: str | None = None) -> Play:
        self._epoch = request.epoch
        self._latest = request
        self._stopped = False
        self._flow = Flow(self._flow.flow_controlled, paused)
        return Play(request, self._flow, first)

    def _requested(self, play: PlayEnhanced | PlayNormal) -> StreamRequest:
        mastering = self._mastering(play)
        return _possible(
            StreamRequest(
                track_id=play.track_id,
                stream_type=StreamType.ENHANCED if isinstance(play, PlayEnhanced) else StreamType.NORMAL,
                preset=mastering.preset,
                intensity=mastering.intensity,
                level=mastering.level,
                target_lufs=mastering.target_lufs,
                start_position=play.start_position,
                transport=play.transport or self._transport,
                sample_format=play.sample_format,
                level_match=play.level_match,
                after_track_id=play.after_track_id if isinstance(play, PlayEnhanced) else None,
                epoch=self._epoch + 1,
            )
        )

    def _mastering(self, play: PlayEnhanced | PlayNormal) -> Preferences | StreamRequest:
        preferred = self._preferences()
        if isinstance(play, PlayEnhanced):
            return replace(
                preferred,
                preset=play.preset or preferred.preset,
                intensity=preferred.intensity if play.intensity is None else play.intensity,
                level=play.level or preferred.level,
            )
        # A plain play keeps the last mastering in mind, for when it is switched on again.
        return self._latest or preferred

    def _sought(self, seek: Seek) -> StreamRequest:
        latest = self._latest or self._requested(PlayEnhanced(seek.track_id))
        changed = replace(latest, track_id=seek.track_id, is_seek=True)
        return self._renewed(changed, seek, seek.position)

    def _changed(self, change: SetEnhancement) -> StreamRequest:
        latest = self._latest
        if latest is None or self._stopped:
            raise BadMessage(ErrorKind.VALIDATION, "set_enhancement needs a stream, and nothing is playing")
        stream_type = latest.stream_type
        if change.enabled is not None:
            stream_type = StreamType.ENHANCED if change.enabled else StreamType.NORMAL
        return self._renewed(replace(latest, stream_type=stream_type, is_seek=False), change, change.position)

    def _renewed(self, latest: StreamRequest, asked: Seek | SetEnhancement, position: float) -> StreamRequest:
        """A stream like the latest, but for what is asked for; what played before it is past."""
        return replace(
            latest,
            start_position=position,
            preset=asked.preset or latest.preset,
            intensity=latest.intensity if asked.intensity is None else asked.intensity,
            level_match=latest.level_match if asked.level_match is None else asked.level_match,
            after_track_id=None,
            epoch=self._epoch + 1,
        )


def _possible(request: StreamRequest) -> StreamRequest:
    if request.sample_format is SampleFormat.S16LE and request.transport is Transport.BASE64:
        raise BadMessage(ErrorKind.VALIDATION, "sample_format s16le travels in the binary transport only")
    return request


def _refusal(verdict: Verdict) -> Action | None:
    if verdict is Verdict.CLOSE:
        return Close(POLICY_VIOLATION, "too many messages")
    if verdict is Verdict.DROP_IN_SILENCE:
        return None
    return Reply(
        error_text(BadMessage(ErrorKind.RATE_LIMIT, "more than 20 messages a second; this one was dropped"))
    )
