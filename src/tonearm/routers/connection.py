"""One WebSocket client: a receive loop that never waits for audio, one writer, one stream at a time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from tonearm.model.errors import ServerBusy, TonearmError
from tonearm.model.plan import MasteringState
from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import AudioFrame, StreamEvent
from tonearm.protocol.heard import Ear, Heard
from tonearm.protocol.messages import (
    PING,
    EndReason,
    StreamEnded,
    StreamFailed,
    StreamRequest,
    StreamStarted,
    StreamType,
)
from tonearm.protocol.news import News
from tonearm.protocol.session import Action, Close, Play, Reply, Session, Stop
from tonearm.routers.metrics import GONE
from tonearm.routers.outbox import Goodbye, Item, Outbox
from tonearm.routers.slots import StreamSlots
from tonearm.routers.websocket_protocol import EXTENSION

GOING_AWAY = Goodbye(1001, "the server is going away")

NOTHING_AWAITED: Final = (0, 0.0)
"""The epoch of the stream whose first sound has not been sent, and when it was asked for: there is none."""

log = structlog.get_logger()


class Streams(Protocol):
    """What makes streams. Errors that can be named are events; anything raised is a defect."""

    def stream_enhanced_audio(
        self, request: StreamRequest, flow: Flow, /
    ) -> AsyncGenerator[StreamEvent, None]:
        """A track mastered."""
        ...

    def stream_normal_audio(self, request: StreamRequest, flow: Flow, /) -> AsyncGenerator[StreamEvent, None]:
        """A track as it is."""
        ...


class Counts(Protocol):
    """What is counted of what clients are told. Calls return at once."""

    def first_frame(self, seconds: float, state: MasteringState, /) -> None:
        """So long after it was asked for, the first sound of a stream is on its way."""

    def ended(self, reason: str, /) -> None:
        """A stream that had started is over: an ``EndReason``, or ``GONE``."""

    def failed(self, code: str, /) -> None:
        """The client was told this error."""


class History(Protocol):
    """Where is noted what was listened to. Calls return at once."""

    def heard(self, heard: Heard, /) -> None:
        """A play is over."""


@dataclass(frozen=True, slots=True)
class Times:
    """``stall_s``: how long a client may read nothing; ``ping_s``: how often it is sent a ``ping``."""

    stall_s: float = 60.0
    ping_s: float = 30.0


class Connection:
    """Serves one accepted WebSocket until it closes.

    Args:
        websocket: accepted.
        session: what is said, without I/O.
        streams: makes the streams.
        slots: how many there may be.
        times: when a silent client is given up, when pings are sent.
        counts: told what the client is told.
        history: told what was listened to.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        websocket: WebSocket,
        session: Session,
        streams: Streams,
        slots: StreamSlots,
        times: Times,
        counts: Counts,
        history: History,
        clock: Callable[[], float],
    ) -> None:
        self._websocket = websocket
        self._session = session
        self._source = streams
        self._slots = slots
        self._times = times
        self._counts = counts
        self._history = history
        self._ear = Ear()
        self._rate = 0
        self._clock = clock
        self._awaited = NOTHING_AWAITED
        self._state = MasteringState.NONE
        self._address = websocket.client.host if websocket.client else ""
        self._outbox = Outbox(Flow(flow_controlled=False, paused=False))
        self._streams: set[asyncio.Task[None]] = set()
        self._cancelled: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the client goes, is given up, or is sent away; leaves no task behind."""
        workers = [asyncio.create_task(work) for work in (self._receive(), self._write(), self._ping())]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            for worker in done:
                worker.result()
        finally:
            everything = [*workers, *self._streams]
            for worker in workers:
                worker.cancel()
            self._cancel_streams()
            await asyncio.gather(*everything, return_exceptions=True)
            if self._session.close_stream(EndReason.STOPPED) is not None:
                self._counts.ended(GONE)
            self._note(self._ear.ends(self._clock()))

    def tell(self, news: News) -> None:
        """Pass on what everyone is told."""
        self._outbox.tell(news)

    def send_away(self) -> None:
        """End the stream and close, since the server stops."""
        self._interrupt(0, Flow(flow_controlled=False, paused=False), None)
        self._outbox.say_goodbye(GOING_AWAY)

    def abort(self) -> None:
        """Drop the client without a word: it does not read."""
        self._websocket.scope["extensions"][EXTENSION]["abort"]()

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            now = self._clock()
            if text is None:
                action = self._session.receive_binary(now)
            else:
                action = self._session.receive_text(text, now)
            await self._act(action)
            # Thousands of small messages may lie in one read: the other connections go between them.
            await asyncio.sleep(0)

    async def _act(self, action: Action | None) -> None:
        match action:
            case Reply(text):
                await self._outbox.reply(text)
            case Play():
                self._interrupt(action.request.epoch, action.flow, action.first)
                self._listen(action)
                self._awaited = (action.request.epoch, self._clock())
                stream = asyncio.create_task(self._stream(action, tuple(self._streams)))
                self._streams.add(stream)
                stream.add_done_callback(self._streams.discard)
                stream.add_done_callback(self._cancelled.discard)
            case Stop(text):
                self._interrupt(0, Flow(flow_controlled=False, paused=False), text)
                self._note(self._ear.ends(self._clock()))
            case Close(code, reason):
                log.warning("Closed a client", address=self._address, code=code, reason=reason)
                self._interrupt(0, Flow(flow_controlled=False, paused=False), None)
                self._outbox.say_goodbye(Goodbye(code, reason))

    def _listen(self, play: Play) -> None:
        """A seek or a switch in the middle of a track is the same play."""
        self._note(self._ear.begins(play.request, play.flow, self._clock()))
        play.flow.watch(lambda: self._ear.turn(self._clock()))

    def _note(self, heard: Heard | None) -> None:
        if heard is not None:
            self._history.heard(heard)

    def _interrupt(self, epoch: int, flow: Flow, first: str | None) -> None:
        """Cancel what plays, take back what waits of it, end it, and make way for ``epoch``."""
        self._cancel_streams()
        texts = self._closed(EndReason.STOPPED)
        self._outbox.restart(epoch, flow, texts if first is None else [*texts, first])

    def _cancel_streams(self) -> None:
        """Cancel each once: a second time would break into the cleaning up after the first.

        What a task says of itself would not do: a timeout that has just run out cancels it too, takes that
        back, and the stream would go on.
        """
        for stream in self._streams - self._cancelled:
            stream.cancel()
        self._cancelled |= self._streams

    def _closed(self, reason: EndReason) -> list[str]:
        """The last word on the stream that is open on the wire, if there is one."""
        end = self._session.close_stream(reason)
        if end is None:
            return []
        self._counts.ended(end.reason)
        return [end.text()]

    async def _stream(self, play: Play, earlier: tuple[asyncio.Task[None], ...]) -> None:
        """Make one stream, when all the earlier ones, cancelled by now, have let go."""
        if earlier:
            await asyncio.wait(earlier)
        request = play.request
        enhanced = request.stream_type is StreamType.ENHANCED
        make = self._source.stream_enhanced_audio if enhanced else self._source.stream_normal_audio
        try:
            with self._slots.hold(self._address):
                async with aclosing(make(request, play.flow)) as events:
                    async for event in events:
                        await self._outbox.put(event, request.epoch)
        except ServerBusy as error:
            log.warning("Refused a stream", address=self._address, reason=str(error))
            await self._outbox.put(_failed(request, ServerBusy), request.epoch)
        except Exception:
            # The one place where anything is caught: a defect ends its stream, not the connection.
            log.exception("Stream crashed", track_id=request.track_id, epoch=request.epoch)
            if self._outbox.epoch == request.epoch:
                self._counts.failed(TonearmError.code)
                texts = [_failed(request, TonearmError).text(), *self._closed(EndReason.ERRORED)]
                self._outbox.restart(request.epoch, play.flow, texts)

    async def _write(self) -> None:
        while True:
            item = await self._outbox.take()
            if not isinstance(item, str | Goodbye):
                self._session.sent(item)
                self._count(item)
            asked_at = self._asked_at(item)
            try:
                async with asyncio.timeout(self._times.stall_s):
                    await self._send(item)
            except TimeoutError:
                log.warning("Gave up a client that reads nothing", address=self._address)
                self.abort()
                return
            except (WebSocketDisconnect, RuntimeError):
                # Gone; uvicorn says RuntimeError where it closed the connection by itself.
                return
            if isinstance(item, Goodbye):
                return
            if asked_at is not None:
                self._counts.first_frame(self._clock() - asked_at, self._state)

    def _count(self, event: StreamEvent) -> None:
        """Count what can no longer be taken back."""
        match event:
            case StreamStarted():
                self._state, self._rate = event.mastering_state, event.rate
            case AudioFrame():
                self._ear.sent(event.frames / self._rate, self._clock())
            case StreamFailed():
                self._counts.failed(event.code)
            case StreamEnded():
                self._counts.ended(event.reason)
                whole = event.reason is EndReason.COMPLETED
                self._note((self._ear.completes if whole else self._ear.ends)(self._clock()))

    def _asked_at(self, item: Item) -> float | None:
        """When the stream was asked for whose first sound this is; None for all else."""
        epoch, since = self._awaited
        if not isinstance(item, AudioFrame) or item.request.epoch != epoch:
            return None
        self._awaited = NOTHING_AWAITED
        return since

    async def _send(self, item: Item) -> None:
        match item:
            case Goodbye(code, reason):
                await self._websocket.close(code, reason)
            case AudioFrame():
                for message in item.messages():
                    if isinstance(message, str):
                        await self._websocket.send_text(message)
                    else:
                        await self._websocket.send_bytes(message)
            case str():
                await self._websocket.send_text(item)
            case _:
                await self._websocket.send_text(item.text())

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._times.ping_s)
            await self._outbox.reply(PING)


def _failed(request: StreamRequest, error: type[TonearmError]) -> StreamFailed:
    return StreamFailed(
        track_id=request.track_id,
        code=error.code,
        sentence=error.sentence,
        stream_type=request.stream_type,
        epoch=request.epoch,
    )
