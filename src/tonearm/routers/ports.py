"""What the routers need of others, as they see it."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tonearm.audio.streamed import StreamKind
from tonearm.model.plan import MasteringState
from tonearm.model.track import Track
from tonearm.protocol.messages import StreamRequest


class Scans(Protocol):
    """The one scan that may run at a time."""

    def start(self, directories: Sequence[Path]) -> None:
        """Begin a scan; none given means every root.

        Raises:
            ScanInProgress: one is running.
            OutsideLibrary: a directory does not lie below the roots.
        """

    def status(self) -> dict[str, Any]:
        """How far it is, or how the last one ended; for people, so no paths."""
        ...


class AnalysisQueue(Protocol):
    """Where a track is put that should be measured soon."""

    def request(self, track: Track) -> None:
        """Measure this track before the others that wait; returns at once."""


class Readiness(Protocol):
    """Whether each part of the server can do its work."""

    async def components(self) -> dict[str, str]:
        """``ok`` or a word for what is wrong, for: database, fingerprint_server, kernels, scan."""
        ...


class AnalysisStatus(Protocol):
    """How fast the library is being measured."""

    def estimated_remaining_s(self, pending: int) -> float | None:
        """Seconds until ``pending`` more tracks are measured; None while that is not known."""
        ...


class Rendition(Protocol):
    """One track as it will be sent."""

    @property
    def state(self) -> MasteringState:
        """On what the sound rests."""
        ...

    @property
    def media_type(self) -> str:
        """What comes out."""
        ...

    @property
    def tag(self) -> str:
        """Names what comes out."""
        ...

    @property
    def length(self) -> int | None:
        """Bytes in all, where that is known before."""
        ...

    @property
    def divisible(self) -> bool:
        """Whether a part can be made by itself."""
        ...

    def pieces(self, first: int = 0, end: int | None = None, /) -> AsyncGenerator[bytes, None]:
        """The bytes from ``first`` up to ``end``, a little at a time.

        Raises:
            TonearmError: the file cannot be opened, or is damaged; what came before is sound.
            BadMessage: the start lies at or beyond the end.
        """
        ...


class Renditions(Protocol):
    """What answers a request for sound."""

    async def prepare(self, request: StreamRequest, kind: StreamKind, /) -> Rendition:
        """What the request will be answered with.

        Raises:
            TonearmError: why it cannot be played.
            BadMessage: the start lies at or beyond the end.
        """
        ...

    async def untouched(self, request: StreamRequest, /) -> Rendition:
        """The track's file itself, as it is now.

        Raises:
            TonearmError: why there is none.
        """
        ...
