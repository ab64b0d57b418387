"""The whole library, measured one track at a time while nobody needs the service for a play."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from tonearm.model.errors import (
    DecodeError,
    FileMissing,
    FingerprintServerBusy,
    FingerprintServerDown,
    FingerprintTimeout,
    FingerprintUnavailable,
    LibraryUnavailable,
    NotEnoughAudio,
)
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis, Stored
from tonearm.model.track import FileSignature, Track

BATCH: Final = 50
LOOK_AGAIN_S: Final = 30.0
"""How often a library without pending tracks is asked for new ones, unless told of some."""

MOST_ASKED: Final = 1_000
"""So many tracks that somebody asked for wait before the others; of more, the latest do."""

BACKOFF_FIRST_S: Final = 1.0
BACKOFF_LAST_S: Final = 30.0

log = structlog.get_logger()


class PendingTracks(Protocol):
    """The database's list of tracks that have no present fingerprint and no recorded failure.

    ``pending`` blocks, and raises LibraryUnavailable.
    """

    def pending(self, limit: int) -> list[Track]: ...


class Generator(Protocol):
    """Where fingerprints come from; see ``FingerprintGenerator``."""

    async def idle(self) -> None: ...

    async def lookup(self, track: Track) -> Stored | None: ...

    async def generate(self, track: Track, *, background: bool) -> Analysis: ...


@dataclass(frozen=True, slots=True)
class BackgroundProgress:
    """What was done since the start.

    Attributes:
        measured: tracks that have a fingerprint now.
        failed: tracks that gave none.
        mean_s: seconds per measured track, 0 before the first.
        track_id: the track being measured, None while there is none.
    """

    measured: int = 0
    failed: int = 0
    mean_s: float = 0.0
    track_id: int | None = None


class BackgroundAnalysis:
    """Takes pending tracks one at a time, gives way to plays, backs off while the service is down.

    Tracks that somebody asked for come first. A track on which the service fails is not tried again
    before the next start or until its file changes, so that one poisonous file cannot keep the others
    waiting.

    Args:
        tracks: where the pending tracks are listed.
        generator: measures and stores; records a verdict on a file as a failure.
        executor: runs the blocking calls to ``tracks``.
    """

    def __init__(self, tracks: PendingTracks, generator: Generator, executor: Executor) -> None:
        self._tracks = tracks
        self._generator = generator
        self._executor = executor
        self._passed_over: set[tuple[int, FileSignature]] = set()
        self._asked: dict[int, Track] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._delay_s = BACKOFF_FIRST_S
        self._measured = 0
        self._failed = 0
        self._seconds = 0.0
        self._track_id: int | None = None

    @property
    def progress(self) -> BackgroundProgress:
        mean_s = self._seconds / self._measured if self._measured else 0.0
        return BackgroundProgress(self._measured, self._failed, mean_s, self._track_id)

    def start(self) -> None:
        """Begin in the background."""
        self._loop = asyncio.get_running_loop()
        self._loop_task = asyncio.create_task(self._run())

    def request(self, track: Track) -> None:
        """Measure this track before the others that wait; from any thread, returns at once."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._put_first, track)

    def estimated_remaining_s(self, pending: int) -> float | None:
        """Seconds until ``pending`` more tracks are measured; None before the first was."""
        return pending * self.progress.mean_s if self._measured else None

    def notify(self) -> None:
        """Hear that there may be new tracks, as after a scan."""
        self._news.set()

    async def stop(self) -> None:
        """Stop at once; what is being measured is dropped."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
            self._loop_task = None

    def _put_first(self, track: Track) -> None:
        self._asked.pop(track.id, None)
        self._asked[track.id] = track
        while len(self._asked) > MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            batch = await self._next_batch()
            for track in batch:
                if not await self._measure(track):
                    await self._back_off()
                    break
                if self._asked:
                    break
            if not batch:
                await self._wait_for_news()

    async def _next_batch(self) -> list[Track]:
        if self._asked:
            return [self._asked.pop(next(reversed(self._asked)))]
        loop = asyncio.get_running_loop()
        limit = BATCH + len(self._passed_over)
        try:
            pending = await loop.run_in_executor(self._executor, self._tracks.pending, limit)
        except LibraryUnavailable as error:
            log.warning("Background analysis waits for the database", reason=str(error))
            await self._back_off()
            return []
        return [track for track in pending if (track.id, track.signature) not in self._passed_over]

    async def _measure(self, track: Track) -> bool:
        """See that one track is measured; False if the service cannot be had at the moment."""
        await self._generator.idle()
        self._track_id = track.id
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            known = await self._generator.lookup(track)
            if known is None or known.analysis.algorithm_version != ALGORITHM_VERSION:
                await self._generator.generate(track, background=True)
        except (FingerprintServerDown, FingerprintServerBusy):
            return False
        except (NotEnoughAudio, DecodeError, FileMissing, FingerprintUnavailable) as error:
            # Logged where it happened. Passed over even where the verdict was recorded, because
            # recording it may have failed.
            self._failed += 1
            self._passed_over.add((track.id, track.signature))
            if isinstance(error, FingerprintTimeout):
                return False
        else:
            self._measured += 1
            self._seconds += loop.time() - started
        finally:
            self._track_id = None
        self._delay_s = BACKOFF_FIRST_S
        return True

    async def _back_off(self) -> None:
        await asyncio.sleep(self._delay_s)
        self._delay_s = min(2 * self._delay_s, BACKOFF_LAST_S)

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._news.wait()
        except TimeoutError:
            return
