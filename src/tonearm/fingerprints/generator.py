"""Where a fingerprint comes from: the database, the ``.25d`` file, or the service."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, Protocol, TypeVar

import structlog

from tonearm.model.errors import (
    DecodeError,
    FingerprintServerDown,
    FingerprintTimeout,
    FingerprintUnavailable,
    LibraryUnavailable,
    NotEnoughAudio,
    TrackNotFound,
)
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis
from tonearm.model.track import FileSignature, Track

POLL_S: Final = 1.0
"""How often a suspect service is asked whether it works again."""

T = TypeVar("T")

log = structlog.get_logger()


class FingerprintStore(Protocol):
    """The database's fingerprints. Calls block, and raise LibraryUnavailable; those that write raise
    TrackNotFound if the track has left the library meanwhile."""

    def get(self, track_id: int, signature: FileSignature) -> Analysis | None: ...

    def put(self, track_id: int, signature: FileSignature, analysis: Analysis) -> None: ...

    def record_failure(self, track_id: int, signature: FileSignature, code: str) -> None: ...


class FingerprintFiles(Protocol):
    """The ``.25d`` files. Calls block; ``store`` raises OSError."""

    def load(self, signature: FileSignature) -> Analysis | None: ...

    def store(self, signature: FileSignature, analysis: Analysis) -> None: ...


class FingerprintService(Protocol):
    """The one who measures. ``measure`` raises the FingerprintUnavailable tree, NotEnoughAudio and
    DecodeError."""

    async def measure(self, track: Track) -> Analysis: ...

    async def healthy(self) -> bool: ...


class FingerprintGenerator:
    """Looks a fingerprint up, or has it measured, once for all who ask, and keeps it.

    After a time-out the service is suspect: nobody is made to wait for it until it says that it
    works again, which it is asked every ``POLL_S``.

    Args:
        store, files, service: where fingerprints are kept and come from.
        deadline_s: seconds that one measurement may take.
        executor: runs the blocking calls to ``store`` and ``files``.
    """

    def __init__(
        self,
        store: FingerprintStore,
        files: FingerprintFiles,
        service: FingerprintService,
        deadline_s: float,
        executor: Executor,
    ) -> None:
        self._store = store
        self._files = files
        self._service = service
        self._deadline_s = deadline_s
        self._executor = executor
        self._flights: dict[tuple[int, FileSignature], asyncio.Task[Analysis]] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._poll: asyncio.Task[None] | None = None
        self._suspect = False
        log.info("FingerprintGenerator available", deadline_s=deadline_s)

    @property
    def suspect(self) -> bool:
        """A time-out happened, and the service has not said SERVING since."""
        return self._suspect

    @property
    def measuring(self) -> int:
        """How many measurements are under way."""
        return len(self._flights)

    async def idle(self) -> None:
        """Wait until no measurement is under way."""
        await self._idle.wait()

    async def get_or_generate(self, track: Track) -> Analysis:
        """``lookup``, then ``generate``; raises what they raise."""
        known = await self.lookup(track)
        return await self.generate(track) if known is None else known

    async def lookup(self, track: Track) -> Analysis | None:
        """What is known of the track already; None if nothing is.

        A database that cannot be read does not keep a track from being measured: it is logged, and
        the search goes on with the file.
        """
        stored = await self._from_database(track)
        if stored is not None:
            log.info(
                "Loaded fingerprint from database", track_id=track.id, lufs=round(stored.fingerprint.lufs, 2)
            )
            return stored
        kept = await self._blocking(lambda: self._files.load(track.signature))
        if kept is not None:
            log.info(
                "Loaded fingerprint from .25d file", track_id=track.id, lufs=round(kept.fingerprint.lufs, 2)
            )
            await self._put_in_database(track, kept)
        return kept

    async def generate(self, track: Track) -> Analysis:
        """Have the track measured, and stored before it is returned.

        All who ask for one track at a time share one measurement; it goes on when one of them, or
        all, stop waiting.

        Raises:
            FingerprintUnavailable: no fingerprint can be had; the subclass says why. While the
                service is suspect that is FingerprintServerDown, at once.
            NotEnoughAudio, DecodeError: the verdict on the file, recorded in the database.
        """
        if self._suspect:
            raise FingerprintServerDown(f"track {track.id}: the service has not answered in time lately")
        key = (track.id, track.signature)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._measure_and_store(track))
            self._flights[key] = flight
            self._idle.clear()
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    async def check_health(self) -> bool:
        """Ask the service whether it works; a yes clears the suspicion."""
        healthy = await self._service.healthy()
        if healthy and self._suspect:
            self._suspect = False
            log.info("Fingerprint server works again")
        return healthy

    def report_slow(self) -> None:
        """Hear from a play that waited as long as it may, and found the service not healthy."""
        self._suspect = True
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._ask_until_healthy())

    async def close(self) -> None:
        """End all measurements and the asking after health."""
        tasks = [*self._flights.values(), *([self._poll] if self._poll is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: tuple[int, FileSignature], flight: asyncio.Task[Analysis]) -> None:
        del self._flights[key]
        if not self._flights:
            self._idle.set()
        if not flight.cancelled():
            # Looked at here, since all who wanted it may have stopped waiting. It has been logged.
            flight.exception()

    async def _ask_until_healthy(self) -> None:
        while self._suspect:
            await asyncio.sleep(POLL_S)
            await self.check_health()

    async def _measure_and_store(self, track: Track) -> Analysis:
        # Looked up once more: a measurement may have landed since the caller looked.
        stored = await self._from_database(track)
        if stored is not None and stored.algorithm_version == ALGORITHM_VERSION:
            return stored
        log.info("Fingerprint not cached, generating via gRPC", track_id=track.id)
        try:
            analysis = await self._measure(track)
        except (NotEnoughAudio, DecodeError) as error:
            log.warning("Track cannot be measured", track_id=track.id, code=error.code)
            await self._record_failure(track, error.code)
            raise
        in_database = await self._put_in_database(track, analysis)
        in_file = await self._put_in_file(track, analysis)
        if in_database or in_file:
            log.info(
                "Generated and cached fingerprint",
                track_id=track.id,
                database=in_database,
                file=in_file,
            )
        return analysis

    async def _measure(self, track: Track) -> Analysis:
        loop = asyncio.get_running_loop()
        started = loop.time()
        log.info("Calling gRPC server", track_id=track.id, deadline_s=self._deadline_s)
        try:
            async with asyncio.timeout(self._deadline_s):
                analysis = await self._service.measure(track)
        except (TimeoutError, FingerprintTimeout) as error:
            log.warning("Fingerprint server timeout", track_id=track.id, deadline_s=self._deadline_s)
            self.report_slow()
            raise FingerprintTimeout(f"track {track.id}: no answer in {self._deadline_s:g} s") from error
        except FingerprintUnavailable as error:
            log.warning("Fingerprint server gave none", track_id=track.id, code=error.code, reason=str(error))
            raise
        log.info(
            "gRPC server returned fingerprint",
            track_id=track.id,
            seconds=round(loop.time() - started, 3),
            lufs=round(analysis.fingerprint.lufs, 2),
            crest_db=round(analysis.fingerprint.crest_db, 2),
        )
        return analysis

    async def _from_database(self, track: Track) -> Analysis | None:
        try:
            return await self._blocking(lambda: self._store.get(track.id, track.signature))
        except LibraryUnavailable as error:
            log.warning("Fingerprint not looked up in database", track_id=track.id, reason=str(error))
            return None

    async def _put_in_database(self, track: Track, analysis: Analysis) -> bool:
        try:
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

    async def _record_failure(self, track: Track, code: str) -> None:
        try:
            await self._blocking(lambda: self._store.record_failure(track.id, track.signature, code))
        except (LibraryUnavailable, TrackNotFound) as error:
            log.warning("Failure not stored in database", track_id=track.id, reason=str(error))

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)
