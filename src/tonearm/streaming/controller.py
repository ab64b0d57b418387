"""What happens when someone presses play: track -> fingerprint -> plan -> blocks -> messages."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack, aclosing, closing
from dataclasses import replace

import structlog

from tonearm.model.errors import (
    AlbumNotMeasured,
    DecodeError,
    FileMissing,
    NoAlbum,
    NotEnoughAudio,
    TonearmError,
    TrackNotFound,
)
from tonearm.model.measures import Analysis
from tonearm.model.plan import AlbumLevel, Target
from tonearm.model.stream import Joint
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
from tonearm.streaming.decisions import (
    Asked,
    Sound,
    decide,
    fallback,
    fallback_sentence,
    needs_no_plan,
    unchanged_sentence,
    unplanned,
)
from tonearm.streaming.listening import Listening
from tonearm.streaming.pacing import Pacer
from tonearm.streaming.playback import Playback
from tonearm.streaming.pool import PooledRenderer, RenderPool
from tonearm.streaming.ports import Albums, Counts, Fingerprints, Opening, OpenStream, Plans, Tracks
from tonearm.streaming.telling import FIRST_IMPRESSION, STILL_ANALYZING, failed, progress

log = structlog.get_logger()


class AudioStreamController:
    """Makes streams. Holds no state of any one of them.

    Args:
        tracks, albums: the library; its calls run in ``queries``.
        fingerprints, plans, target: where a plan comes from, and what it aims at, but for the loudness.
        open_stream: opens a track for a listener; runs in ``pool``, as all its steps do.
        lead_s: the most that is rendered ahead of the listener, seconds.
        start_wait_s: the longest a play waits for a first impression or a fingerprint, seconds.
        clock: seconds that never go back.
        counts: told what plays begin with, and what they do not get.
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
        open_stream: OpenStream,
        pool: RenderPool,
        lead_s: float,
        start_wait_s: float,
        clock: Callable[[], float],
        counts: Counts,
    ) -> None:
        self._tracks = tracks
        self._albums = albums
        self._queries = queries
        self._fingerprints = fingerprints
        self._plans = plans
        self._target = target
        self._open_stream = open_stream
        self._pool = pool
        self._lead_s = lead_s
        self._start_wait_s = start_wait_s
        self._clock = clock
        self._counts = counts

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
        async with aclosing(self._stream(request, flow)) as events:
            async for event in events:
                yield event

    async def stream_normal_audio(
        self, request: StreamRequest, flow: Flow
    ) -> AsyncGenerator[StreamEvent, None]:
        """Play a track as it is, bit for bit or matched in level; events as of a mastered one."""
        log.info("Received play_normal", track_id=request.track_id, start_position=request.start_position)
        async with aclosing(self._stream(request, flow)) as events:
            async for event in events:
                yield event

    async def sound_of(self, request: StreamRequest) -> tuple[Track, Sound]:
        """The track, and what it sounds like as things stand: what becomes known later is not awaited.

        Raises:
            NoAlbum, AlbumNotMeasured: the level of an album is asked for, and there is none.
            TonearmError: why it cannot be played.
        """
        asked = await self._asked(request)
        if asked.no_album is not None:
            raise asked.no_album
        async with AsyncExitStack() as cleanup:
            steps = self._ensure_fingerprint_available(asked, cleanup)
            async for step in await cleanup.enter_async_context(aclosing(steps)):
                if isinstance(step, Sound):
                    sound = step
        sound.listening = None
        return asked.track, sound

    async def _stream(self, request: StreamRequest, flow: Flow) -> AsyncGenerator[StreamEvent, None]:
        try:
            asked = await self._asked(request)
            if asked.no_album is not None:
                log.warning(
                    "Streaming at the level of the track",
                    track_id=asked.track.id,
                    code=asked.no_album.code,
                    reason=str(asked.no_album),
                )
                self._counts.fell_back(asked.no_album.code)
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

    async def _asked(self, request: StreamRequest) -> Asked:
        """What is asked for, looked up.

        Raises:
            TrackNotFound, FileMissing, DecodeError, LibraryUnavailable: there is nothing to play.
        """

        def look_up() -> Asked:
            track = self._tracks.get(request.track_id)
            target, no_album = replace(self._target, lufs=request.target_lufs), None
            if request.level == "album" and not needs_no_plan(request):
                try:
                    target = replace(target, level="album", album=self._album_level(track))
                except (NoAlbum, AlbumNotMeasured) as error:
                    no_album = error
            earlier, joint = None, None
            if request.after_track_id is not None:
                try:
                    earlier = self._tracks.get(request.after_track_id)
                except (TrackNotFound, FileMissing, DecodeError) as error:
                    joint = Joint(gapless=False, reason=f"The track before: {error.sentence}")
            return Asked(request, track, target, no_album, earlier, joint)

        return await asyncio.get_running_loop().run_in_executor(self._queries, look_up)

    def _album_level(self, track: Track) -> AlbumLevel:
        """What the album measures that a track is a part of.

        Raises:
            NoAlbum, AlbumNotMeasured: there is none.
        """
        if track.album_id is None:
            raise NoAlbum(f"track {track.id} belongs to no album")
        album = self._albums.level(track.album_id)
        if album is None:
            raise AlbumNotMeasured(f"album {track.album_id} of track {track.id}")
        return album

    async def _counted(self, track: Track) -> int | None:
        """The track's length where an analysis has counted it and the container cannot say it."""
        if track.info.frames_exact:
            return None
        stored = await self._fingerprints.lookup(track)
        return None if stored is None else stored.analysis.measures.frames

    async def _ensure_fingerprint_available(
        self, asked: Asked, cleanup: AsyncExitStack
    ) -> AsyncGenerator[FingerprintProgress | Sound, None]:
        """Tell how the fingerprint comes along; the last value is the sound that rests on it."""
        request, track = asked.request, asked.track
        if needs_no_plan(request):
            yield Sound.settled(unplanned(request), await self._counted(track))
            return
        log.info("FingerprintGenerator available", track_id=track.id)
        stored = await self._fingerprints.lookup(track)
        if stored is not None:
            yield progress(request, FingerprintStatus.CACHED, "This track has been measured before.")
            self._counts.begins_with(stored.place)
            yield self._fitted(asked, stored.analysis)
            return
        yield progress(request, FingerprintStatus.ANALYZING, "Measuring this track for the first time.")
        listening = await cleanup.enter_async_context(Listening(self._fingerprints, track))
        if not await listening.within(self._start_wait_s):
            reason = f"neither a first impression nor the fingerprint came within {self._start_wait_s:g} s"
            said = f"{STILL_ANALYZING} {fallback_sentence(request)}"
            yield progress(request, FingerprintStatus.ANALYZING, said)
            yield self._standard(asked, "START_WAIT", reason, listening)
            return
        probe = listening.take_probe()
        if probe is not None:
            yield progress(request, FingerprintStatus.ANALYZING, FIRST_IMPRESSION)
            self._counts.begins_with("probe")
            impressed = decide(self._plans, asked, probe)
            yield Sound(
                impressed.plan,
                match_gain_db=impressed.match_gain_db,
                listening=listening,
                impressed=True,
            )
            return
        try:
            analysis = listening.result()
        except NotEnoughAudio as error:
            self._counts.begins_with("none")
            yield progress(request, FingerprintStatus.FAILED, unchanged_sentence(error))
            yield Sound.settled(unplanned(request, error.sentence), None)
        except TonearmError as error:
            yield progress(
                request, FingerprintStatus.FAILED, f"{error.sentence} {fallback_sentence(request)}"
            )
            yield self._standard(asked, error.code, str(error), None)
        else:
            self._counts.begins_with("service")
            yield progress(request, FingerprintStatus.COMPLETE, "This track has been measured.")
            yield self._fitted(asked, analysis)

    def _fitted(self, asked: Asked, analysis: Analysis) -> Sound:
        return Sound.settled(decide(self._plans, asked, analysis), analysis.measures.frames)

    def _standard(self, asked: Asked, code: str, reason: str, listening: Listening | None) -> Sound:
        """The stated fallback: told to the log and the metrics here, to the client by the stream."""
        mastered = asked.request.stream_type is StreamType.ENHANCED
        event = "Streaming with standard adaptive mastering" if mastered else "Streaming without level match"
        log.warning(event, track_id=asked.track.id, code=code, reason=reason)
        self._counts.fell_back(code)
        self._counts.begins_with("none")
        return Sound(fallback(asked), listening=listening, told_failed=listening is None)

    async def _play(self, asked: Asked, flow: Flow, sound: Sound) -> AsyncGenerator[StreamEvent, None]:
        """Open the track where it shall begin, and play it to its end.

        Raises:
            TonearmError: before the start; after it, errors are told and the stream is ended.
        """
        request, track = asked.request, asked.track
        start = round(request.start_position * track.info.format.rate)
        opening = Opening(track, sound.source, start, sound.match_gain_db or 0.0, asked.earlier)
        async with await PooledRenderer.open(self._pool, lambda: self._open_stream(opening)) as renderer:
            form = renderer.still.format
            capped = request.transport is Transport.BASE64
            pacing = Pacer(
                flow, form.rate, form.channels, self._lead_s, capped, self._clock, self._counts.late
            )
            with closing(pacing) as pacer:
                playback = Playback(
                    asked,
                    sound,
                    renderer,
                    pacer,
                    decide=lambda stage: decide(self._plans, asked, stage),
                    counts=self._counts,
                )
                async with aclosing(playback.events()) as events:
                    async for event in events:
                        yield event
