"""One stream from its first word to its last: start, plan, frames, news, end."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from tonearm.mastering.describe import describe
from tonearm.model.errors import NotEnoughAudio, TonearmError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, MasteringState
from tonearm.model.probe import Probe
from tonearm.model.stream import MeterReading
from tonearm.protocol.frames import AudioFrame, FrameGrid, StreamEvent, pack
from tonearm.protocol.messages import (
    EndReason,
    FingerprintStatus,
    PlanChanged,
    StreamEnded,
    StreamType,
)
from tonearm.streaming.decisions import (
    Asked,
    Decision,
    Sound,
    fallback_sentence,
    impression_sentence,
    told_of_album,
    unchanged_sentence,
    unplanned,
)
from tonearm.streaming.listening import Listening
from tonearm.streaming.pacing import Pacer
from tonearm.streaming.pool import OPENING_LEAD_S, PooledRenderer
from tonearm.streaming.ports import Counts, StreamRenderer
from tonearm.streaming.telling import NOT_SERVING, beyond_end, failed, log_start, progress, started

GLIDE_S: Final = 3.0

LISTENING_LEAD_S: Final = 5.0
"""So little is made ahead while a better plan may come: what has been sent cannot take it up."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Packed:
    """So many frames, as they travel."""

    frames: int
    samples: bytes
    reading: MeterReading


class Playback:
    """Plays one opened track.

    Args:
        asked: what was asked for.
        sound: what it will sound like.
        renderer: the track, opened with ``sound`` where it shall begin.
        pacer: says when the next frame may be made.
        decide: decides by a first impression or a fingerprint that arrives late.
        counts: told where a first impression is all there will be, and shown the stream while it plays.
    """

    def __init__(
        self,
        asked: Asked,
        sound: Sound,
        renderer: PooledRenderer[StreamRenderer],
        pacer: Pacer,
        decide: Callable[[Probe | Analysis], Decision],
        counts: Counts,
    ) -> None:
        self._asked = asked
        self._request = asked.request
        self._sound = sound
        self._renderer = renderer
        self._pacer = pacer
        self._decide = decide
        self._counts = counts
        self._started = started(asked, renderer.still, sound)
        self._state = self._started.mastering_state
        # Decided for the whole stream: what may still come to be changed counts as changed.
        whole = renderer.still.sixteen_bits and not sound.match_gain_db and sound.listening is None
        self._dithered = not whole
        self._grid = FrameGrid(self._started.rate, self._started.start_frame, self._started.total_frames)

    @property
    def stream_type(self) -> StreamType:
        """What was asked for."""
        return self._request.stream_type

    @property
    def state(self) -> MasteringState:
        """On what the sound rests now."""
        return self._state

    @property
    def margin_s(self) -> float | None:
        """Seconds that keep the listener from a gap; None while the client holds the stream itself."""
        return self._pacer.margin_s

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """The whole stream; it has started only if its first sound could be made.

        Raises:
            TonearmError: before the start; after it, errors are told and the stream is ended.
        """
        request, rate = self._request, self._started.rate
        first = await self._step(self._grid.next_frames, OPENING_LEAD_S)
        if not first.frames and self._started.start_frame:
            raise beyond_end(self._started)
        log_start(self._started)
        yield self._started
        yield self._told(self._renderer.still.plan, self._sound.match_gain_db)
        try:
            with self._counts.running(self):
                async with aclosing(self._frames(first)) as frames:
                    async for event in frames:
                        yield event
        except TonearmError as error:
            log.warning("Stream broke off", track_id=request.track_id, code=error.code, reason=str(error))
            yield failed(request, error, self._grid.position / rate)
            yield self._ended(EndReason.ERRORED)
        else:
            yield self._ended(EndReason.COMPLETED)

    async def _frames(self, packed: _Packed) -> AsyncGenerator[StreamEvent, None]:
        """Frames from the first, which is made already, to the end, and the news between them."""
        if self._sound.listening is not None:
            self._sound.listening.tell(self._pacer)
            self._pacer.limit(LISTENING_LEAD_S)
        while packed.frames:
            short = packed.frames < self._grid.next_frames
            self._pacer.sent(packed.frames)
            place = self._grid.place(packed.frames)
            yield AudioFrame(
                self._request, place, packed.frames, self._started.channels, packed.samples, packed.reading
            )
            for event in await self._news():
                yield event
            if short:
                await self._confirm_end()
                return
            while not await self._pacer.turn(self._grid.next_frames):
                for event in await self._news():
                    yield event
            packed = await self._step(self._grid.next_frames, self._pacer.lead_s)

    async def _step(self, frames: int, lead_s: float) -> _Packed:
        """The next ``frames`` frames, packed where they were made: in the pool."""
        request, dithered = self._request, self._dithered

        def step(opened: StreamRenderer) -> _Packed:
            first = opened.position
            rendered = opened.read(frames)
            samples = pack(rendered.block, request, first, dithered)
            return _Packed(len(rendered.block), samples, rendered.reading)

        return await self._renderer.run(lead_s, step)

    async def _confirm_end(self) -> None:
        """Read once more: a damaged file says so only after its last sound block."""
        if (await self._step(1, self._pacer.lead_s)).frames:
            raise RuntimeError("the renderer gave less than asked, and then went on")

    async def _news(self) -> Sequence[StreamEvent]:
        """Fold in what has become known of the track since the stream started."""
        sound, listening = self._sound, self._sound.listening
        if listening is None:
            return ()
        events: Sequence[StreamEvent] = ()
        if listening.done:
            sound.listening = None
            events = await self._outcome(listening)
        elif listening.take_bad_health():
            sound.told_failed = True
            said = f"{NOT_SERVING} {self._without()}"
            events = (progress(self._request, FingerprintStatus.FAILED, said),)
        elif (probe := listening.take_probe()) is not None:
            # A server that has said so much is at work on the rest.
            sound.impressed, sound.told_failed = True, False
            events = (await self._glide_to(self._decide(probe)),)
        self._pacer.limit(LISTENING_LEAD_S if self._awaits_better else None)
        return events

    @property
    def _awaits_better(self) -> bool:
        return self._sound.listening is not None and not self._sound.told_failed

    async def _outcome(self, listening: Listening) -> Sequence[StreamEvent]:
        """What measuring came to."""
        request, sound = self._request, self._sound
        try:
            analysis = listening.result()
        except NotEnoughAudio as error:
            said = progress(request, FingerprintStatus.FAILED, unchanged_sentence(error))
            return said, await self._glide_to(unplanned(request, error.sentence))
        except TonearmError as error:
            if sound.told_failed:
                return ()
            return (progress(request, FingerprintStatus.FAILED, self._going_on(error)),)
        self._grid.expect(analysis.measures.frames)
        return (
            progress(request, FingerprintStatus.COMPLETE, "This track has been measured."),
            await self._glide_to(self._decide(analysis)),
        )

    async def _glide_to(self, decision: Decision) -> PlanChanged:
        """Glide to what rests on what is known now."""
        plan, match_gain_db = decision.plan, decision.match_gain_db
        await self._renderer.run(
            self._pacer.lead_s, lambda opened: opened.retarget(plan, match_gain_db or 0.0, GLIDE_S)
        )
        self._state = plan.state
        return self._told(plan, match_gain_db)

    def _told(self, plan: MasteringPlan, match_gain_db: float | None) -> PlanChanged:
        request = self._request
        description = describe(told_of_album(plan, self._asked)) | {"level": self._asked.target.level}
        if request.level_match:
            description["level_match_gain_db"] = match_gain_db
        return PlanChanged(request.track_id, request.epoch, description)

    def _going_on(self, error: TonearmError) -> str:
        """What a listener is told of a measurement that failed while the track plays."""
        log.warning(
            "Playing on without a fingerprint",
            track_id=self._request.track_id,
            state=self._state.value,
            code=error.code,
            reason=str(error),
        )
        if self._sound.impressed:
            self._counts.fell_back(error.code)
        return f"{error.sentence} {self._without()}"

    def _without(self) -> str:
        """What the listener hears while there is no fingerprint."""
        return (impression_sentence if self._sound.impressed else fallback_sentence)(self._request)

    def _ended(self, reason: EndReason) -> StreamEnded:
        return StreamEnded(
            track_id=self._request.track_id,
            stream_type=self._request.stream_type,
            epoch=self._request.epoch,
            total_frames=self._grid.position,
            rate=self._started.rate,
            reason=reason,
        )
