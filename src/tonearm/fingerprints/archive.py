"""What has been measured: in the database and in the ``.25d`` files, read and written off the loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol, TypeVar

import structlog

from tonearm.model.errors import LibraryUnavailable, TrackNotFound
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis, Stored
from tonearm.model.track import FileSignature, Track

T = TypeVar("T")

log = structlog.get_logger()


class FingerprintStore(Protocol):
    """The database's fingerprints. Calls block, and raise LibraryUnavailable; those that write raise
    TrackNotFound if the track has left the library meanwhile."""

    def get(self, track_id: int, signature: FileSignature) -> Analysis | None: ...

    def failure(self, track_id: int, signature: FileSignature) -> str | None:
        """Why the present algorithm has no fingerprint of this state of the file, if it was tried."""
        ...

    def put(self, track_id: int, signature: FileSignature, analysis: Analysis) -> None: ...

    def record_failure(self, track_id: int, signature: FileSignature, code: str) -> None: ...


class FingerprintFiles(Protocol):
    """The ``.25d`` files. Calls block; ``store`` raises OSError."""

    def load(self, signature: FileSignature) -> Analysis | None: ...

    def store(self, signature: FileSignature, analysis: Analysis) -> None: ...


class Archive:
    """The database and the files as one place. No method raises: what fails is logged and told.

    Args:
        store, files: where fingerprints are kept.
        executor: runs the blocking calls to them.
    """

    def __init__(self, store: FingerprintStore, files: FingerprintFiles, executor: Executor) -> None:
        self._store = store
        self._files = files
        self._executor = executor
        # One writes at a time, as the database has it, so that a database that is locked takes one
        # thread and not all those in which plays look their tracks up.
        self._writing = asyncio.Lock()

    async def lookup(self, track: Track) -> Stored | None:
        """What is known of the track already, by whichever algorithm; None if nothing is.

        A database that cannot be read does not keep a track from being measured: it is logged, and
        the search goes on with the file.
        """
        stored = await self._from_database(track)
        if stored is not None:
            log.info(
                "Loaded fingerprint from database", track_id=track.id, lufs=round(stored.fingerprint.lufs, 2)
            )
            return Stored(stored, "database")
        kept = await self._blocking(lambda: self._files.load(track.signature))
        if kept is None:
            return None
        log.info("Loaded fingerprint from .25d file", track_id=track.id, lufs=round(kept.fingerprint.lufs, 2))
        await self._put_in_database(track, kept)
        return Stored(kept, "sidecar")

    async def present(self, track: Track) -> Analysis | None:
        """What the present algorithm gave, if it is in the database."""
        stored = await self._from_database(track)
        return stored if stored is not None and stored.algorithm_version == ALGORITHM_VERSION else None

    async def failure(self, track: Track) -> str | None:
        """The code of the error that the present algorithm ended in on this state of the file."""
        try:
            return await self._blocking(lambda: self._store.failure(track.id, track.signature))
        except LibraryUnavailable as error:
            log.warning("Failure not looked up in database", track_id=track.id, reason=str(error))
            return None

    async def keep(self, track: Track, analysis: Analysis) -> None:
        """Store it in both places."""
        in_database = await self._put_in_database(track, analysis)
        in_file = await self._put_in_file(track, analysis)
        if in_database or in_file:
            log.info(
                "Generated and cached fingerprint", track_id=track.id, database=in_database, file=in_file
            )

    async def record_failure(self, track: Track, code: str) -> None:
        """Note why there is no fingerprint."""
        try:
            async with self._writing:
                await self._blocking(lambda: self._store.record_failure(track.id, track.signature, code))
        except (LibraryUnavailable, TrackNotFound) as error:
            log.warning("Failure not stored in database", track_id=track.id, reason=str(error))

    async def _from_database(self, track: Track) -> Analysis | None:
        try:
            return await self._blocking(lambda: self._store.get(track.id, track.signature))
        except LibraryUnavailable as error:
            log.warning("Fingerprint not looked up in database", track_id=track.id, reason=str(error))
            return None

    async def _put_in_database(self, track: Track, analysis: Analysis) -> bool:
        try:
            async with self._writing:
                await self._blocking(lambda: self._store.put(track.id, track.signature, analysis))
        except (LibraryUnavailable, TrackNotFound) as error:
            log.warning("Fingerprint not stored in database", track_id=track.id, reason=str(error))
            return False
        return True

    async def _put_in_file(self, track: Track, analysis: Analysis) -> bool:
        try:
            await self._blocking(lambda: self._files.store(track.signature, analysis))
        except OSError as error:
            log.warning("Fingerprint not stored in .25d file", track_id=track.id, reason=error.strerror)
            return False
        return True

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)
