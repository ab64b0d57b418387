"""The same sound for those who fetch it: a track rendered by its plan and encoded as it goes.

The plan is had as for a play on the socket, and the renderer is the same, so the samples before
encoding are the same. The plan does not change in the course of one answer: what becomes known of
the track meanwhile is for the next.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Protocol

import tonearm
from tonearm.audio.streamed import FLOAT_BYTES, WAV_HEAD_BYTES, StreamKind, stream_encoder
from tonearm.dsp.gain import Gain
from tonearm.mastering.describe import describe
from tonearm.model.audio import AudioFormat
from tonearm.model.errors import DecodeError
from tonearm.model.plan import MasteringPlan, MasteringState
from tonearm.model.track import Track
from tonearm.protocol.messages import StreamRequest
from tonearm.protocol.requests import BadMessage, ErrorKind
from tonearm.streaming.decisions import Sound
from tonearm.streaming.pacing import PlayClock
from tonearm.streaming.pool import OPENING_LEAD_S, PooledRenderer, RenderPool
from tonearm.streaming.ports import OpenRenderer, Renderer
from tonearm.streaming.untouched import UntouchedFile

MAX_CHANNELS: Final = 2
_STEPS_PER_SECOND: Final = 2


class Sounds(Protocol):
    """Says what a track sounds like."""

    async def sound_of(self, request: StreamRequest, /) -> tuple[Track, Sound]:
        """The track, and what it sounds like as things stand.

        Raises:
            TonearmError: why it cannot be played.
        """
        ...


class Rendition:
    """One track as it will be encoded from one position on; nothing is opened before it is asked for.

    Args:
        request: what was asked for.
        kind: what the bytes shall be.
        track, sound: what it is, and what it sounds like.
        open_renderer: opens the track; runs in ``pool``, as all work on the sound does.
        clock: seconds that never go back.

    Raises:
        BadMessage: the start lies at or beyond the end.
    """

    def __init__(
        self,
        request: StreamRequest,
        kind: StreamKind,
        track: Track,
        sound: Sound,
        open_renderer: OpenRenderer,
        pool: RenderPool,
        clock: Callable[[], float],
    ) -> None:
        self._request, self._kind, self._track, self._sound = request, kind, track, sound
        self._open_renderer, self._pool, self._clock = open_renderer, pool, clock
        source = track.info.format
        self._format = AudioFormat(source.rate, min(source.channels, MAX_CHANNELS))
        self._start = round(request.start_position * source.rate)
        frames = sound.frames if sound.frames is not None else track.info.frames
        self._frames = frames - self._start if self._counted() else None
        if self._start and self._frames is not None and self._frames <= 0:
            raise self._beyond_end()

    @property
    def state(self) -> MasteringState:
        """On what the sound rests."""
        return self._plan.state

    @property
    def media_type(self) -> str:
        return self._kind.media_type

    @property
    def tag(self) -> str:
        """Names what comes out: another file, plan, kind, start or counted length has another name."""
        plan = json.dumps(describe(self._plan), sort_keys=True)
        counted = f"{self._start} {self._frames}"
        matched = f"{self._match_gain_db:.6f}"
        parts = (tonearm.__version__, str(self._track.signature), self._kind, counted, matched, plan)
        return _digest("\n".join(parts))

    @property
    def length(self) -> int | None:
        """Bytes in all, where that is known before."""
        if self._kind is not StreamKind.WAV or self._frames is None:
            return None
        return WAV_HEAD_BYTES + self._frames * self._frame_bytes

    @property
    def divisible(self) -> bool:
        """Whether a part can be made by itself: the fallback goes by what it has heard before."""
        return self.length is not None and isinstance(self._sound.source, MasteringPlan)

    async def pieces(self, first: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes, at most half a second of sound at a time; of a divisible one also a part, from byte
        ``first`` up to ``end``.

        Raises:
            TonearmError: the file cannot be opened, or is damaged; what came before is sound.
            BadMessage: the start lies at or beyond the end.
        """
        skipped = max(0, first - WAV_HEAD_BYTES) // self._frame_bytes
        position = WAV_HEAD_BYTES + skipped * self._frame_bytes if skipped else 0
        whole = self.length
        end = whole if end is None else end
        async with aclosing(self._from(skipped)) as encoded:
            async for piece in encoded:
                begin, position = position, position + len(piece)
                kept = piece[max(0, first - begin) : None if end is None else max(0, end - begin)]
                if kept:
                    yield kept
                if end is not None and position >= end:
                    return
        if whole is not None:
            raise DecodeError(f"{self._track.path}: gave {position} bytes of {whole}")

    async def _from(self, skipped: int) -> AsyncGenerator[bytes, None]:
        """The encoded track from ``skipped`` frames behind the start; its head comes only with the start."""
        start, source = self._start + skipped, self._sound.source
        step_frames = self._format.rate // _STEPS_PER_SECOND
        encoder = stream_encoder(self._kind, self._format, self._frames, sixteen_bits=self._sixteen_bits())
        match = Gain(self._match_gain_db, start)
        if skipped:
            encoder.finish()

        def step(opened: Renderer) -> tuple[int, bytes]:
            block = match.process(opened.read(step_frames))
            return len(block), encoder.encode(block) if len(block) else encoder.finish()

        opening = PooledRenderer.open(self._pool, lambda: self._open_renderer(self._track, source, start))
        made = 0
        async with await opening as renderer:
            # Who fetches faster than time passes waits for those who are about to run dry; who was paused
            # and comes back has played all it was given, and no more.
            played = PlayClock(self._format.rate)
            played.run(True, self._clock())
            lead_s = OPENING_LEAD_S
            while True:
                frames, piece = await renderer.run(lead_s, step)
                if not made and not frames and self._start:
                    raise self._beyond_end()
                made += frames
                played.send(frames, self._clock())
                lead_s = played.ahead(self._clock()) / self._format.rate
                if piece:
                    yield piece
                if not frames:
                    return

    @property
    def _plan(self) -> MasteringPlan:
        source = self._sound.source
        return source if isinstance(source, MasteringPlan) else source.plan

    @property
    def _match_gain_db(self) -> float:
        """What it is turned down by to be as loud as its other, dB <= 0."""
        return self._sound.match_gain_db or 0.0

    @property
    def _frame_bytes(self) -> int:
        return FLOAT_BYTES * self._format.channels

    def _counted(self) -> bool:
        return self._sound.frames is not None or self._track.info.frames_exact

    def _sixteen_bits(self) -> bool:
        """Whether what comes out are the samples of a source of at most 16 bits."""
        info = self._track.info
        same = self._plan.bypass and info.format == self._format and not self._match_gain_db
        return same and info.bit_depth is not None and info.bit_depth <= 16

    def _beyond_end(self) -> BadMessage:
        return BadMessage(
            ErrorKind.VALIDATION,
            f"start {self._request.start_position:g} s lies at or beyond the end of track {self._track.id}",
        )


class Renditions:
    """Makes renditions. Holds no state of any one of them.

    Args:
        sounds: says what a track sounds like.
        open_renderer, pool, clock: as for ``Rendition``.
    """

    def __init__(
        self, sounds: Sounds, open_renderer: OpenRenderer, pool: RenderPool, clock: Callable[[], float]
    ) -> None:
        self._sounds = sounds
        self._open_renderer, self._pool, self._clock = open_renderer, pool, clock

    async def prepare(self, request: StreamRequest, kind: StreamKind) -> Rendition:
        """What a request will be answered with.

        Raises:
            TonearmError: why it cannot be played.
            BadMessage: the start lies at or beyond the end.
        """
        track, sound = await self._sounds.sound_of(request)
        return Rendition(request, kind, track, sound, self._open_renderer, self._pool, self._clock)

    async def untouched(self, request: StreamRequest) -> UntouchedFile:
        """The file itself; only which track is asked for matters.

        Raises:
            TonearmError: why there is none.
        """
        track, _ = await self._sounds.sound_of(request)
        return await UntouchedFile.look_at(track.path, track.info.container)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
