"""What the routers need of others, as they see it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tonearm.model.track import Track


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
