"""What playing needs of others, as it sees it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.audio import AudioFormat, AudioInfo, Block
from tonearm.model.fingerprint import Fingerprint
from tonearm.model.measures import Analysis, Stored, TrackMeasures
from tonearm.model.plan import AlbumLevel, MasteringPlan, MasteringState, Preset, Target
from tonearm.model.probe import Probe
from tonearm.model.stream import Joint, Rendered
from tonearm.model.track import Track
from tonearm.protocol.messages import StreamType


class Tracks(Protocol):
    """The library, as far as playing reads it; calls block."""

    def get(self, track_id: int, /) -> Track:
        """One track.

        Raises:
            TrackNotFound: there is none of this number.
            LibraryUnavailable: the database does not answer.
        """
        ...


class Albums(Protocol):
    """What is known of albums; calls block."""

    def level(self, album_id: int | None, /) -> AlbumLevel | None:
        """How loud the album is as a whole; None for no album, and until all its tracks are measured.

        Raises:
            LibraryUnavailable: the database does not answer.
        """
        ...


class Fingerprints(Protocol):
    """Where fingerprints come from."""

    async def lookup(self, track: Track, /) -> Stored | None:
        """What is stored for this state of the file, or None.

        Raises:
            LibraryUnavailable: the database does not answer.
        """
        ...

    def generate_stages(self, track: Track, /) -> AsyncGenerator[Probe | Analysis, None]:
        """Have the track measured, once for all who ask; a waiter may be cancelled.

        The analysis is the last to come, after a probe if there is one in time.

        Raises:
            FingerprintUnavailable: it cannot be had now.
            NotEnoughAudio, DecodeError, FileMissing, LibraryUnavailable: why there is none.
        """
        ...

    def look_after(self) -> asyncio.Future[bool]:
        """A play has waited in vain: ask the service whether it works, once for all who wonder.

        If it does not, nobody is made to wait until it does. Goes on when the caller cancels the answer.
        """
        ...


class Running(Protocol):
    """A stream that plays, for whoever watches it."""

    @property
    def stream_type(self) -> StreamType:
        """What was asked for."""
        ...

    @property
    def state(self) -> MasteringState:
        """On what its sound rests now."""
        ...

    @property
    def margin_s(self) -> float | None:
        """Seconds that keep the listener from a gap; None while the client holds the stream itself."""
        ...


Origin = Literal["database", "sidecar", "service", "probe", "none"]
"""Where what a play begins with came from."""


class Counts(Protocol):
    """What is counted of streams. Calls return at once: some come from between two frames."""

    def begins_with(self, origin: Origin, /) -> None:
        """A play that wanted a fingerprint begins with what came from here."""

    def fell_back(self, code: str, /) -> None:
        """A play gets less than it asked for."""

    def late(self) -> None:
        """A frame was made after real time had overtaken its stream."""

    def running(self, stream: Running, /) -> AbstractContextManager[None]:
        """The stream plays until the context is left."""
        ...


class Plans(Protocol):
    """The decision."""

    def plan(
        self,
        fingerprint: Fingerprint,
        measures: TrackMeasures,
        preset: Preset,
        intensity: float,
        target: Target,
    ) -> MasteringPlan:
        """What to do to a track; pure."""
        ...

    def plan_from_probe(
        self, probe: Probe, preset: Preset, intensity: float, target: Target
    ) -> MasteringPlan:
        """What to do to a track of which only a first impression is known; pure."""
        ...


class Renderer(Protocol):
    """A track being mastered, block by block; calls block, one at a time."""

    @property
    def format(self) -> AudioFormat:
        """What comes out: the source's rate, at most two channels."""
        ...

    @property
    def info(self) -> AudioInfo:
        """What the container says about the source."""
        ...

    @property
    def position(self) -> int:
        """The absolute frame of the next sample out."""
        ...

    @property
    def plan(self) -> MasteringPlan:
        """The plan in force."""
        ...

    def read(self, frames: int, /) -> Block:
        """Exactly ``frames`` mastered frames, fewer at the end, none after it.

        Raises:
            DecodeError: the file is damaged here; what came before is sound.
        """
        ...

    def retarget(self, plan: MasteringPlan, glide_s: float, /) -> None:
        """Glide to another plan from here on."""

    def close(self) -> None:
        """Let go of the file."""


class StreamRenderer(Protocol):
    """A track as a listener is sent it: mastered, matched in level, metered; calls block, one at a time."""

    @property
    def format(self) -> AudioFormat:
        """What comes out: the source's rate, at most two channels."""
        ...

    @property
    def info(self) -> AudioInfo:
        """What the container says about the source."""
        ...

    @property
    def position(self) -> int:
        """The absolute frame of the next sample out."""
        ...

    @property
    def plan(self) -> MasteringPlan:
        """The plan in force."""
        ...

    @property
    def joint(self) -> Joint | None:
        """How it joins the track before, where one was named."""
        ...

    @property
    def sixteen_bits(self) -> bool:
        """Whether the chain passes on the samples of a source of at most 16 bits."""
        ...

    def read(self, frames: int, /) -> Rendered:
        """Exactly ``frames`` frames, fewer at the end, none after it.

        Raises:
            DecodeError: the file is damaged here; what came before is sound.
        """
        ...

    def retarget(self, plan: MasteringPlan, match_gain_db: float, glide_s: float, /) -> None:
        """Glide to another plan and another level match from here on."""

    def close(self) -> None:
        """Let go of the file."""


Source = MasteringPlan | HybridProcessor
"""What decides the sound: a plan, or the stated fallback that makes its plans as it listens."""

OpenRenderer = Callable[[Track, Source, int], Renderer]
"""Opens a track at an absolute frame; blocks. Raises DecodeError, FileMissing."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a stream begins with.

    Attributes:
        track, source, start_frame: what is heard, and from where.
        match_gain_db: what it is turned down by behind the limiter, dB <= 0.
        earlier: the track that has just played, and whose end the chain shall go through first.
    """

    track: Track
    source: Source
    start_frame: int
    match_gain_db: float = 0.0
    earlier: Track | None = None


OpenStream = Callable[[Opening], StreamRenderer]
"""Opens a track for a listener; blocks. Raises DecodeError, FileMissing."""
