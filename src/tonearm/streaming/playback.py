"""One stream from its first word to its last: start, plan, frames, news, end."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from tonearm.mastering.describe import describe
from tonearm.model.errors import TonearmError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, MasteringState
from tonearm.model.probe import Probe
from tonearm.model.stream import MeterReading
from tonearm.protocol.frames import AudioFrame, FrameGrid, StreamEvent, pack
from tonearm.protocol.messages import (
    EndReason,
    FingerprintProgress,
    FingerprintStatus,
    PlanChanged,
    StreamEnded,
    StreamFailed,
    StreamRequest,
    StreamStarted,
    StreamType,
)
from tonearm.protocol.requests import BadMessage, ErrorKind
from tonearm.streaming.decisions import Asked, Decision, Sound, fallback_sentence
from tonearm.streaming.listening import Listening
from tonearm.streaming.pacing import Pacer
from tonearm.streaming.pool import OPENING_LEAD_S, PooledRenderer
from tonearm.streaming.ports import StreamRenderer

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
        count_fallback: told a code where a first impression is all there will be.
    """

    def __init__(
        self,
        asked: Asked,
        sound: Sound,
        renderer: PooledRenderer[StreamRenderer],
        pacer: Pacer,
        decide: Callable[[Probe | Analysis], Decision],
        count_fallback: Callable[[str], None],
    ) -> None:
        self._request = asked.request
        self._level = asked.target.level
        self._sound = sound
        self._renderer = renderer
        self._pacer = pacer
        self._decide = decide
        self._count_fallback = count_fallback
        self._started = _started(asked, renderer.still, sound)
        # Decided for the whole stream: what may still come to be changed counts as changed.
        whole = renderer.still.sixteen_bits and not sound.match_gain_db and sound.listening is None
        self._dithered = not whole
        self._grid = FrameGrid(self._started.rate, self._started.start_frame, self._started.total_frames)

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """The whole stream; it has started only if its first sound could be made.

        Raises:
            TonearmError: before the start; after it, errors are told and the stream is ended.
        """
        request, rate = self._request, self._started.rate
        first = await self._step(self._grid.next_frames, OPENING_LEAD_S)
        if not first.frames and self._started.start_frame:
            raise _beyond_end(self._started)
        _log_start(self._started)
        yield self._started
        yield self._told(self._renderer.still.plan, self._sound.match_gain_db)
        try:
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
            said = f"{NOT_SERVING} {fallback_sentence(self._request)}"
            events = (progress(self._request, FingerprintStatus.FAILED, said),)
        elif (probe := listening.take_probe()) is not None:
            events = (await self._change(probe),)
        self._pacer.limit(LISTENING_LEAD_S if self._awaits_better else None)
        return events

    @property
    def _awaits_better(self) -> bool:
        return self._sound.listening is not None and not self._sound.told_failed

    async def _outcome(self, listening: Listening) -> Sequence[StreamEvent]:
        """What measuring came to."""
        request = self._request
        try:
            analysis = listening.result()
        except TonearmError as error:
            if self._sound.told_failed:
                return ()
            return (progress(request, FingerprintStatus.FAILED, self._going_on(error)),)
        self._grid.expect(analysis.measures.frames)
        return (
            progress(request, FingerprintStatus.COMPLETE, "This track has been measured."),
            await self._change(analysis),
        )

    async def _change(self, stage: Probe | Analysis) -> PlanChanged:
        """Glide to the plan that rests on what is known now."""
        decision = self._decide(stage)
        plan, match_gain_db = decision.plan, decision.match_gain_db
        await self._renderer.run(
            self._pacer.lead_s, lambda opened: opened.retarget(plan, match_gain_db or 0.0, GLIDE_S)
        )
        return self._told(plan, match_gain_db)

    def _told(self, plan: MasteringPlan, match_gain_db: float | None) -> PlanChanged:
        request = self._request
        description = describe(plan) | {"level": self._level}
        if request.level_match:
            description["level_match_gain_db"] = match_gain_db
        return PlanChanged(request.track_id, request.epoch, description)

    def _going_on(self, error: TonearmError) -> str:
        """What a listener is told of a measurement that failed while the track plays."""
        state = self._renderer.still.plan.state
        log.warning(
            "Playing on without a fingerprint",
            track_id=self._request.track_id,
            state=state.value,
            code=error.code,
            reason=str(error),
        )
        if state is MasteringState.PROVISIONAL:
            self._count_fallback(error.code)
            return f"{error.sentence} Playing on from the first impression."
        return f"{error.sentence} {fallback_sentence(self._request)}"

    def _ended(self, reason: EndReason) -> StreamEnded:
        return StreamEnded(
            track_id=self._request.track_id,
            stream_type=self._request.stream_type,
            epoch=self._request.epoch,
            total_frames=self._grid.position,
            rate=self._started.rate,
            reason=reason,
        )


NOT_SERVING: Final = "The fingerprint server does not answer or is not ready yet."


def progress(request: StreamRequest, status: FingerprintStatus, message: str) -> FingerprintProgress:
    return FingerprintProgress(request.track_id, status, message, request.stream_type)


def failed(request: StreamRequest, error: TonearmError, position_s: float | None) -> StreamFailed:
    return StreamFailed(
        track_id=request.track_id,
        code=error.code,
        sentence=error.sentence,
        stream_type=request.stream_type,
        epoch=request.epoch,
        recovery_position=position_s,
    )


def _started(asked: Asked, renderer: StreamRenderer, sound: Sound) -> StreamStarted:
    return StreamStarted(
        request=asked.request,
        rate=renderer.format.rate,
        channels=renderer.format.channels,
        start_frame=renderer.position,
        total_frames=renderer.info.frames if sound.frames is None else sound.frames,
        duration_exact=sound.frames is not None or renderer.info.frames_exact,
        mastering_state=renderer.plan.state,
        level=asked.target.level,
        level_match_gain_db=sound.match_gain_db,
        joint=asked.joint or renderer.joint,
    )


def _beyond_end(started: StreamStarted) -> BadMessage:
    return BadMessage(
        ErrorKind.VALIDATION,
        f"position {started.request.start_position:g} s lies at or beyond the end of track "
        f"{started.request.track_id}, which is {started.total_frames / started.rate:.3f} s long",
    )


def _log_start(started: StreamStarted) -> None:
    request = started.request
    enhanced = request.stream_type is StreamType.ENHANCED
    log.info(
        "Starting audio stream",
        track_id=request.track_id,
        preset=request.preset.value if enhanced else "none",
        intensity=request.intensity if enhanced else 0.0,
        chunks=started.total_chunks,
        state=started.mastering_state.value,
        start_position=started.start_frame / started.rate,
    )
