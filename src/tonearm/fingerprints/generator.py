"""Where a fingerprint comes from: the database, the ``.25d`` file, or the service."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing
from typing import Any, Final, Protocol

import structlog

from tonearm.fingerprints.archive import Archive, FingerprintFiles, FingerprintStore
from tonearm.fingerprints.flight import Flight
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FingerprintServerDown,
    FingerprintServerFailed,
    FingerprintTimeout,
    FingerprintUnavailable,
    NotEnoughAudio,
    TonearmError,
)
from tonearm.model.measures import Analysis, Stored
from tonearm.model.probe import Probe
from tonearm.model.track import FileSignature, Track

POLL_S: Final = 1.0
"""How often a suspect service is asked whether it works again."""

BACKGROUND_PATIENCE: Final = 30
"""So many times the deadline of a play may a background measurement take: it gets what time is left."""

ATTEMPTS: Final = 2
"""A file on which the worker dies so often in a row is not tried again."""

_VERDICTS: Final[dict[str, type[TonearmError]]] = {
    error.code: error
    for error in (AnalysisFailed, AnalysisTooLarge, AnalysisTooLong, DecodeError, NotEnoughAudio)
}
"""What is recorded as a failure of the file, and raised again without asking the service."""

log = structlog.get_logger()


class FingerprintService(Protocol):
    """The one who measures."""

    def measure_stream(
        self, track: Track, *, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        """The analysis, after a probe if one was asked for and can be had.

        Raises the FingerprintUnavailable tree, NotEnoughAudio, DecodeError and FileMissing.
        """
        ...

    async def healthy(self) -> bool: ...


class FingerprintGenerator:
    """Looks a fingerprint up, or has it measured, once for all who ask, and keeps it.

    After a time-out the service is suspect: nobody is made to wait for it until it says that it
    works again, which it is asked every ``POLL_S``.

    A play that wants a track which is being measured in the background does not wait for that: the
    measurement begins anew as a play's, on a worker that background work cannot have, and whoever
    waited for the other gets its outcome.

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
        self._archive = Archive(store, files, executor)
        self._service = service
        self._deadline_s = deadline_s
        self._flights: dict[tuple[int, FileSignature], Flight] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._poll: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[bool] | None = None
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
        return await self.generate(track) if known is None else known.analysis

    async def lookup(self, track: Track) -> Stored | None:
        """What is known of the track already; None if nothing is. A database that cannot be read is
        logged, and the search goes on with the file."""
        return await self._archive.lookup(track)

    async def generate(self, track: Track, *, background: bool = False) -> Analysis:
        """Have the track measured, and stored before it is returned.

        All who ask for one track at a time share one measurement; it goes on when one of them, or
        all, stop waiting.

        Args:
            background: nobody waits to hear the track; plays go first.

        Raises:
            FingerprintUnavailable: no fingerprint can be had; the subclass says why. While the
                service is suspect that is FingerprintServerDown, at once.
            NotEnoughAudio, DecodeError, AnalysisFailed: the verdict on the file, recorded in the
                database. It stands until the file or the algorithm changes: the service is not asked
                again.
            FileMissing: the file is gone, or is not the one that was scanned.
        """
        return await asyncio.shield(self._join(track, background=background, probe_first=False).analysis)

    async def generate_stages(self, track: Track) -> AsyncGenerator[Probe | Analysis, None]:
        """As ``generate`` for a play, with a probe before the analysis if one comes in time."""
        flight = self._join(track, background=False, probe_first=True)
        stages: set[asyncio.Future[Any]] = {flight.probe, flight.analysis}
        await asyncio.wait(stages, return_when=asyncio.FIRST_COMPLETED)
        if flight.probe.done() and not flight.analysis.done():
            yield flight.probe.result()
        yield await asyncio.shield(flight.analysis)

    async def check_health(self) -> bool:
        """Ask the service whether it works; a yes clears the suspicion."""
        healthy = await self._service.healthy()
        if healthy and self._suspect:
            self._suspect = False
            log.info("Fingerprint server works again")
        return healthy

    def look_after(self) -> asyncio.Future[bool]:
        """Hear from a play that waited as long as it may: ask the service whether it works.

        If it does not, it is suspect. All who wonder meanwhile share one answer, and it is looked for to
        the end when they cancel theirs.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return asyncio.shield(self._looking)

    async def _look(self) -> bool:
        healthy = await self.check_health()
        if not healthy:
            self._doubt()
        return healthy

    def _doubt(self) -> None:
        self._suspect = True
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._ask_until_healthy())

    async def close(self) -> None:
        """End all measurements and the asking after health."""
        tasks: list[asyncio.Task[Any]] = [flight.analysis for flight in self._flights.values()]
        tasks += [task for task in (self._looking, self._poll) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _join(self, track: Track, *, background: bool, probe_first: bool) -> Flight:
        if self._suspect:
            raise FingerprintServerDown(f"track {track.id}: the service has not answered in time lately")
        key = (track.id, track.signature)
        flight = self._flights.get(key)
        if flight is None:
            flight = Flight(background=background, probe_first=probe_first)
            flight.take_off(lambda begun: self._measure_and_store(begun, track))
            self._flights[key] = flight
            self._idle.clear()
            flight.analysis.add_done_callback(lambda done: self._landed(key, done))
        elif not background:
            flight.hurry(probe_first=probe_first)
        return flight

    def _landed(self, key: tuple[int, FileSignature], analysis: asyncio.Task[Analysis]) -> None:
        del self._flights[key]
        if not self._flights:
            self._idle.set()
        if not analysis.cancelled():
            # Looked at here, since all who wanted it may have stopped waiting. It has been logged.
            analysis.exception()

    async def _ask_until_healthy(self) -> None:
        while self._suspect:
            await asyncio.sleep(POLL_S)
            await self.check_health()

    async def _measure_and_store(self, flight: Flight, track: Track) -> Analysis:
        # Looked up once more: a measurement may have landed since the caller looked.
        stored = await self._archive.present(track)
        if stored is not None:
            return stored
        verdict = _VERDICTS.get(await self._archive.failure(track) or "")
        if verdict is not None:
            raise verdict(f"track {track.id}: known to have no fingerprint")
        log.info("Fingerprint not cached, generating via gRPC", track_id=track.id)
        try:
            analysis = await self._measure_repeatedly(flight, track)
        except tuple(_VERDICTS.values()) as error:
            log.warning("Track cannot be measured", track_id=track.id, code=error.code)
            await self._archive.record_failure(track, error.code)
            raise
        await self._archive.keep(track, analysis)
        return analysis

    async def _measure_repeatedly(self, flight: Flight, track: Track) -> Analysis:
        """A worker that died once may have been killed by whoever wanted its memory."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._measure(flight, track)
            except AnalysisFailed:
                log.info("Fingerprint worker died, trying once more", track_id=track.id)
        return await self._measure(flight, track)

    async def _measure(self, flight: Flight, track: Track) -> Analysis:
        if flight.background:
            done = await flight.unless_urgent(self._ask(flight, track, background=True))
            if done is not None:
                return done
        return await self._ask(flight, track, background=False)

    async def _ask(self, flight: Flight, track: Track, *, background: bool) -> Analysis:
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline_s = self._deadline_s * (BACKGROUND_PATIENCE if background else 1)
        log.info("Calling gRPC server", track_id=track.id, deadline_s=deadline_s, background=background)
        try:
            async with asyncio.timeout(deadline_s):
                analysis = await self._last_stage(flight, track, background=background)
        except (TimeoutError, FingerprintTimeout) as error:
            log.warning("Fingerprint server timeout", track_id=track.id, deadline_s=deadline_s)
            if not background:
                self._doubt()
            raise FingerprintTimeout(f"track {track.id}: no answer in {deadline_s:g} s") from error
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

    async def _last_stage(self, flight: Flight, track: Track, *, background: bool) -> Analysis:
        stages = self._service.measure_stream(track, background=background, probe_first=flight.probe_first)
        async with aclosing(stages):
            async for stage in stages:
                if isinstance(stage, Analysis):
                    return stage
                flight.tell(stage)
        raise FingerprintServerFailed(f"track {track.id}: the service ended without an analysis")
