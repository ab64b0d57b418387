"""Background analysis on a real database: it goes on where it was, and tries nothing in vain."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from analyses import analysis
from scanned import scanned

from tonearm.fingerprints.background import BackgroundAnalysis
from tonearm.fingerprints.generator import FingerprintGenerator
from tonearm.fingerprints.sidecar import Sidecars
from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import FingerprintCounts
from tonearm.model.errors import AnalysisFailed, DecodeError, FingerprintServerDown, TonearmError
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis
from tonearm.model.probe import Probe
from tonearm.model.track import Track

COUNT = 12


class Service:
    """Measures all but what ``faults`` names; goes away after ``lives`` measurements."""

    def __init__(self, lives: int = 1_000) -> None:
        self.asked: list[str] = []
        self.faults: dict[str, TonearmError] = {}
        self.lives = lives

    async def measure_stream(
        self, wanted: Track, *, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        assert background
        if self.lives <= 0:
            raise FingerprintServerDown("gone")
        self.lives -= 1
        self.asked.append(wanted.path.name)
        if wanted.path.name in self.faults:
            raise self.faults[wanted.path.name]
        yield analysis(lufs=-9.5)

    async def healthy(self) -> bool:
        return True


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path}/library.db")
    opened.tracks.store([scanned(f"/music/{n}.flac", content=f"c{n}") for n in range(COUNT)])
    yield opened
    opened.close()


@asynccontextmanager
async def running(
    library: RepositoryFactory, service: Service, folder: Path
) -> AsyncIterator[BackgroundAnalysis]:
    with ThreadPoolExecutor(2) as executor:
        generator = FingerprintGenerator(
            library.fingerprints, Sidecars(folder / "25d"), service, 10.0, executor
        )
        background = BackgroundAnalysis(library.fingerprints, generator, executor)
        background.start()
        yield background
        await background.stop()
        await generator.close()


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def finished(library: RepositoryFactory, service: Service, folder: Path) -> None:
    """Run it until nothing is pending."""
    async with running(library, service, folder):
        await until(lambda: not library.fingerprints.pending(1))


async def test_what_was_broken_off_goes_on_where_it_was(library, tmp_path) -> None:
    first, second = Service(lives=5), Service()
    async with running(library, first, tmp_path) as background:
        await until(lambda: background.progress.measured == 5 and first.lives == 0)
    assert library.fingerprints.counts() == FingerprintCounts(COUNT, 5, COUNT - 5, 0)
    await finished(library, second, tmp_path)
    assert library.fingerprints.counts() == FingerprintCounts(COUNT, COUNT, 0, 0)
    assert sorted(first.asked + second.asked) == sorted(f"{n}.flac" for n in range(COUNT)), "each once"


async def test_a_failure_is_one_row_with_its_reason_and_is_not_tried_again(library, tmp_path) -> None:
    service = Service()
    service.faults = {"3.flac": DecodeError("no audio"), "5.flac": AnalysisFailed("-9")}
    await finished(library, service, tmp_path)
    assert library.fingerprints.counts() == FingerprintCounts(COUNT, COUNT - 2, 0, 2)
    assert sorted(failures(tmp_path)) == [("3.flac", "DECODE_ERROR"), ("5.flac", "ANALYSIS_FAILED")]
    assert service.asked.count("5.flac") == 2, "a worker may die once"
    again = Service()
    await finished(library, again, tmp_path)
    async with running(library, again, tmp_path) as background:
        for track in tracks(library):
            background.request(track)
        await asyncio.sleep(0.2)
    assert again.asked == []


async def test_a_failed_file_that_changes_is_tried_again_at_once(library, tmp_path) -> None:
    service = Service()
    service.faults = {"3.flac": DecodeError("no audio")}
    async with running(library, service, tmp_path) as background:
        await until(lambda: not library.fingerprints.pending(1))
        service.faults = {}
        library.tracks.store([scanned("/music/3.flac", content="mended")])
        assert library.fingerprints.counts() == FingerprintCounts(COUNT, COUNT - 1, 1, 0)
        background.notify()
        await until(lambda: not library.fingerprints.pending(1))
    assert library.fingerprints.counts() == FingerprintCounts(COUNT, COUNT, 0, 0)
    assert failures(tmp_path) == []


async def test_a_new_algorithm_measures_again_while_old_values_stay_in_use(library, tmp_path) -> None:
    old = replace(analysis(lufs=-20.0), algorithm_version=ALGORITHM_VERSION - 1)
    for track in tracks(library):
        library.fingerprints.put(track.id, track.signature, old)
    service = Service(lives=4)
    service.faults = {"0.flac": DecodeError("the new one trips over it")}
    async with running(library, service, tmp_path) as background:
        await until(lambda: background.progress.measured == 3 and service.lives == 0)
        assert library.fingerprints.counts() == FingerprintCounts(COUNT, COUNT, 0, 0)
        assert loudness(library) == [-20.0] * (COUNT - 3) + [-9.5] * 3
    after = Service()
    await finished(library, after, tmp_path)
    assert loudness(library) == [-20.0] + [-9.5] * (COUNT - 1)
    assert "0.flac" not in after.asked


def tracks(library: RepositoryFactory) -> list[Track]:
    return [row.track for row in library.tracks.page(COUNT, 0).rows]


def loudness(library: RepositoryFactory) -> list[float]:
    found = [library.fingerprints.get(track.id, track.signature) for track in tracks(library)]
    return sorted(known.fingerprint.lufs for known in found if known is not None)


def failures(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "library.db")) as database:
        rows = database.execute(
            "SELECT path, error_code FROM analyses JOIN tracks ON tracks.id = track_id"
            " WHERE error_code IS NOT NULL"
        ).fetchall()
    return [(Path(bytes(path).decode()).name, code) for path, code in rows]
