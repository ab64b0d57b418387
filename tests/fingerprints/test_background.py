"""The library is measured one track at a time, and plays go first."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from analyses import analysis, track
from structlog.testing import capture_logs

from tonearm.fingerprints.background import BackgroundAnalysis
from tonearm.model.errors import (
    DecodeError,
    FingerprintServerDown,
    FingerprintServerFailed,
    LibraryUnavailable,
    TonearmError,
)
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis, Stored
from tonearm.model.track import Track


class Library:
    """Tracks 1..n, pending until they are measured; also the generator that measures them."""

    def __init__(self, count: int) -> None:
        self.waiting = [track(track_id=number) for number in range(1, count + 1)]
        self.known: dict[int, Analysis] = {}
        self.faults: dict[int, TonearmError] = {}
        self.asked: list[int] = []
        self.at_once = 0
        self.most_at_once = 0
        self.no_plays = asyncio.Event()
        self.no_plays.set()
        self.broken = False

    def pending(self, limit: int) -> list[Track]:
        if self.broken:
            raise LibraryUnavailable("locked")
        return self.waiting[:limit]

    async def idle(self) -> None:
        await self.no_plays.wait()

    async def lookup(self, wanted: Track) -> Stored | None:
        found = self.known.get(wanted.id)
        if found is not None and found.algorithm_version == ALGORITHM_VERSION:
            self._done(wanted)
        return None if found is None else Stored(found, "database")

    async def generate(self, wanted: Track, *, background: bool) -> Analysis:
        assert background
        self.asked.append(wanted.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if wanted.id in self.faults:
            raise self.faults[wanted.id]
        self._done(wanted)
        return analysis()

    def _done(self, wanted: Track) -> None:
        self.waiting = [other for other in self.waiting if other.id != wanted.id]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@asynccontextmanager
async def background(library: Library, executor: ThreadPoolExecutor):
    running = BackgroundAnalysis(library, library, executor)
    running.start()
    yield running
    await running.stop()


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def test_every_pending_track_is_measured_once_one_at_a_time(executor) -> None:
    library = Library(120)
    async with background(library, executor) as running:
        await until(lambda: running.progress.measured == 120)
    assert sorted(library.asked) == list(range(1, 121))
    assert library.most_at_once == 1
    assert running.progress.failed == 0
    assert running.progress.mean_s > 0
    assert running.progress.track_id is None


async def test_a_track_that_fails_is_passed_over_and_the_others_are_measured(executor) -> None:
    library = Library(5)
    library.faults = {1: DecodeError("not audio"), 2: FingerprintServerFailed("worker died")}
    async with background(library, executor) as running:
        await until(lambda: running.progress.measured == 3)
        library.waiting.append(track(track_id=6))
        running.notify()
        await until(lambda: running.progress.measured == 4)
    assert running.progress.failed == 2
    assert sorted(library.asked) == [1, 2, 3, 4, 5, 6]


async def test_plays_go_first(executor) -> None:
    library = Library(1)
    library.no_plays.clear()
    async with background(library, executor) as running:
        await asyncio.sleep(0.3)
        assert library.asked == []
        library.no_plays.set()
        await until(lambda: running.progress.measured == 1)


async def test_it_waits_for_a_service_that_is_down(executor) -> None:
    library = Library(3)
    library.faults = {number: FingerprintServerDown("refused") for number in (1, 2, 3)}
    async with background(library, executor) as running:
        await until(lambda: library.asked)
        await asyncio.sleep(0.2)
        assert library.asked == [1], "one question, not one per track"
        library.faults = {}
        await until(lambda: running.progress.measured == 3)
    assert running.progress.failed == 0


async def test_it_waits_for_a_database_that_is_locked(executor) -> None:
    library = Library(1)
    library.broken = True
    with capture_logs() as logs:
        async with background(library, executor) as running:
            await until(lambda: logs)
            library.broken = False
            running.notify()
            await until(lambda: running.progress.measured == 1)
    assert logs[0]["log_level"] == "warning"


async def test_old_numbers_are_measured_again_and_present_ones_are_not(executor) -> None:
    library = Library(2)
    library.known = {1: analysis(), 2: replace(analysis(), algorithm_version=ALGORITHM_VERSION - 1)}
    async with background(library, executor) as running:
        await until(lambda: running.progress.measured == 2)
    assert library.asked == [2]


async def test_a_track_that_was_asked_for_comes_first(executor) -> None:
    library = Library(20)
    library.no_plays.clear()
    async with background(library, executor) as running:
        await asyncio.to_thread(running.request, track(track_id=17))
        library.no_plays.set()
        await until(lambda: running.progress.measured >= 3)
    assert 17 in library.asked[:2], "one may have been under way already"
    assert running.estimated_remaining_s(10) == pytest.approx(10 * running.progress.mean_s)
