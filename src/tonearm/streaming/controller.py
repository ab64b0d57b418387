"""What happens when someone presses play: track -> fingerprint -> plan -> blocks -> messages."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Final

import structlog

from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.errors import AlbumNotMeasured, NoAlbum, NotEnoughAudio, TonearmError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Target, untouched
from tonearm.model.probe import Probe
from tonearm.model.track import Track
from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import StreamEvent
from tonearm.protocol.messages import (
    FingerprintProgress,
    FingerprintStatus,
    RequestRefused,
    StreamRequest,
    StreamType,
)
from tonearm.protocol.requests import BadMessage, Transport
from tonearm.streaming.listening import Listening
from tonearm.streaming.pacing import Pacer
from tonearm.streaming.playback import Playback, Sound, failed, progress, standard_sentence
from tonearm.streaming.pool import PooledRenderer, RenderPool
from tonearm.streaming.ports import Albums, Fingerprints, OpenRenderer, Plans, Tracks

MAX_CHANNELS: Final = 2
FIRST_IMPRESSION: Final = "Playing from a first impression of this track while all of it is measured."
STILL_ANALYZING: Final = "Measuring takes a while. Playing with standard mastering until it is done."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for: the request, the track that it names, and where its level should go."""

    request: StreamRequest
    track: Track
    target: Target


class AudioStreamController:
    """Makes streams. Holds no state of any one of them.

    Args:
        tracks, albums: the library; its calls run in ``queries``.
        fingerprints, plans, target: where a plan comes from, and what it aims at.
        open_renderer: opens a track for rendering; runs in ``pool``, as all its steps do.
        lead_s: the most that is rendered ahead of the listener, seconds.
        start_wait_s: the longest a play waits for a first impression or a fingerprint, seconds.
        clock: seconds that never go back.
        count_fallback: told a code each time a play goes without a fingerprint.
    """

    def __init__(
        self,
        *,
        tracks: Tracks,
        albums: Albums,
        queries: Executor,
        fingerprints: Fingerprints,
        plans: Plans,
        target: Target,
        open_renderer: OpenRenderer,
        pool: RenderPool,
        lead_s: float,
        start_wait_s: float,
        clock: Callable[[], float],
        count_fallback: Callable[[str], None],
    ) -> None:
        self._tracks = tracks
        self._albums = albums
        self._queries = queries
        self._fingerprints = fingerprints
        self._plans = plans
        self._target = target
        self._open_renderer = open_renderer
        self._pool = pool
        self._lead_s = lead_s
        self._start_wait_s = start_wait_s
        self._clock = clock
        self._count_fallback = count_fallback

    async def stream_enhanced_audio(
        self, request: StreamRequest, flow: Flow
    ) -> AsyncGenerator[StreamEvent, None]:
        """Play a track mastered: progress, start, plan, frames, end; an error at any point."""
        log.info(
            "Received play_enhanced",
            track_id=request.track_id,
            preset=request.preset.value,
            intensity=request.intensity,
            start_position=request.start_position,
        )
        try:
            asked = await self._asked(request)
            async with AsyncExitStack() as cleanup:
                steps = self._ensure_fingerprint_available(asked, cleanup)
                async for step in await cleanup.enter_async_context(aclosing(steps)):
                    if isinstance(step, Sound):
                        sound = step
                    else:
                        yield step
                async with aclosing(self._play(asked, flow, sound)) as events:
                    async for event in events:
                        yield event
        except BadMessage as error:
            yield RequestRefused(error)
        except TonearmError as error:
            yield failed(request, error, None)

    async def stream_normal_audio(
        self, request: StreamRequest, flow: Flow
    ) -> AsyncGenerator[StreamEvent, None]:
        """Play a track as it is, bit for bit: start, plan, frames, end; an error at any point."""
        log.info("Received play_normal", track_id=request.track_id, start_position=request.start_position)
        try:
            asked = await self._asked(request)
            async with aclosing(self._play(asked, flow, await self._original(asked.track))) as events:
                async for event in events:
                    yield event
        except BadMessage as error:
            yield RequestRefused(error)
        except TonearmError as error:
            yield failed(request, error, None)

    async def sound_of(self, request: StreamRequest) -> tuple[Track, Sound]:
        """The track, and what it sounds like as things stand: what becomes known later is not awaited.

        Raises:
            TonearmError: why it cannot be played.
        """
        asked = await self._asked(request)
        if request.stream_type is StreamType.NORMAL:
            return asked.track, await self._original(asked.track)
        async with AsyncExitStack() as cleanup:
            steps = self._ensure_fingerprint_available(asked, cleanup)
            async for step in await cleanup.enter_async_context(aclosing(steps)):
                if isinstance(step, Sound):
                    sound = step
        sound.listening = None
        return asked.track, sound

    async def _asked(self, request: StreamRequest) -> _Asked:
        """What is asked for, looked up.

        Raises:
            TrackNotFound, FileMissing, DecodeError, LibraryUnavailable: there is nothing to play.
            NoAlbum, AlbumNotMeasured: the level of an album is asked for, and there is none.
        """

        def look_up() -> _Asked:
            track = self._tracks.get(request.track_id)
            if request.level != "album" or not request.intensity:
                return _Asked(request, track, self._target)
            if track.album_id is None:
                raise NoAlbum(f"track {track.id} belongs to no album")
            album = self._albums.level(track.album_id)
            if album is None:
                raise AlbumNotMeasured(f"album {track.album_id} of track {track.id}")
            return _Asked(request, track, replace(self._target, level="album", album=album))

        return await asyncio.get_running_loop().run_in_executor(self._queries, look_up)

    async def _original(self, track: Track) -> Sound:
        plan = untouched("the original was asked for: the source passes bit for bit")
        return Sound(plan, await self._counted(track))

    async def _counted(self, track: Track) -> int | None:
        """The track's length where an analysis has counted it and the container cannot say it."""
        if track.info.frames_exact:
            return None
        stored = await self._fingerprints.lookup(track)
        return None if stored is None else stored.measures.frames

    async def _ensure_fingerprint_available(
        self, asked: _Asked, cleanup: AsyncExitStack
    ) -> AsyncGenerator[FingerprintProgress | Sound, None]:
        """Tell how the fingerprint comes along; the last value is the sound that rests on it."""
        request, track = asked.request, asked.track
        if request.intensity == 0:
            plan = untouched("intensity 0: the source passes bit for bit", request.preset)
            yield Sound(plan, await self._counted(track))
            return
        log.info("FingerprintGenerator available", track_id=track.id)
        stored = await self._fingerprints.lookup(track)
        if stored is not None:
            yield progress(request, FingerprintStatus.CACHED, "This track has been measured before.")
            yield self._fitted(asked, stored)
            return
        yield progress(request, FingerprintStatus.ANALYZING, "Measuring this track for the first time.")
        listening = await cleanup.enter_async_context(Listening(self._fingerprints, track))
        if not await listening.within(self._start_wait_s):
            reason = f"neither a first impression nor the fingerprint came within {self._start_wait_s:g} s"
            yield progress(request, FingerprintStatus.ANALYZING, STILL_ANALYZING)
            yield self._standard(asked, "START_WAIT", reason, listening)
            return
        probe = listening.take_probe()
        if probe is not None:
            yield progress(request, FingerprintStatus.ANALYZING, FIRST_IMPRESSION)
            yield Sound(self._decide(asked, probe), listening=listening)
            return
        try:
            analysis = listening.result()
        except NotEnoughAudio as error:
            yield progress(request, FingerprintStatus.FAILED, f"{error.sentence} It plays unchanged.")
            yield Sound(untouched(error.sentence, request.preset, request.intensity))
        except TonearmError as error:
            yield progress(request, FingerprintStatus.FAILED, standard_sentence(error))
            yield self._standard(asked, error.code, str(error), None)
        else:
            yield progress(request, FingerprintStatus.COMPLETE, "This track has been measured.")
            yield self._fitted(asked, analysis)

    def _fitted(self, asked: _Asked, analysis: Analysis) -> Sound:
        return Sound(self._decide(asked, analysis), analysis.measures.frames)

    def _decide(self, asked: _Asked, stage: Probe | Analysis) -> MasteringPlan:
        wanted = (asked.request.preset, asked.request.intensity, asked.target)
        if isinstance(stage, Probe):
            plan = self._plans.plan_from_probe(stage, *wanted)
            said = "Adaptive mastering will use a first impression"
        else:
            plan = self._plans.plan(stage.fingerprint, stage.measures, *wanted)
            said = "Adaptive mastering will use fingerprint-optimized parameters"
        log.info(
            said,
            track_id=asked.track.id,
            policy=None if plan.lwrp is None else plan.lwrp.policy.value,
            gain_db=round(plan.gain_db, 2),
        )
        return plan

    def _standard(self, asked: _Asked, code: str, reason: str, listening: Listening | None) -> Sound:
        """The stated fallback: told to the log and the metrics here, to the client by the stream."""
        request, track = asked.request, asked.track
        log.warning("Streaming with standard adaptive mastering", track_id=track.id, code=code, reason=reason)
        self._count_fallback(code)
        form = track.info.format
        hybrid = HybridProcessor(
            form.rate, min(form.channels, MAX_CHANNELS), request.preset, request.intensity, asked.target
        )
        return Sound(hybrid, listening=listening, told_failed=listening is None)

    async def _play(self, asked: _Asked, flow: Flow, sound: Sound) -> AsyncGenerator[StreamEvent, None]:
        """Open the track where it shall begin, and play it to its end.

        Raises:
            TonearmError: before the start; after it, errors are told and the stream is ended.
        """
        request, track = asked.request, asked.track
        start = round(request.start_position * track.info.format.rate)
        opening = PooledRenderer.open(self._pool, lambda: self._open_renderer(track, sound.source, start))
        async with await opening as renderer:
            form = renderer.still.format
            capped = request.transport is Transport.BASE64
            pacer = Pacer(flow, form.rate, form.channels, self._lead_s, capped, self._clock)
            playback = Playback(
                request,
                sound,
                renderer,
                pacer,
                decide=lambda stage: self._decide(asked, stage),
                count_fallback=self._count_fallback,
            )
            async with aclosing(playback.events()) as events:
                async for event in events:
                    yield event
