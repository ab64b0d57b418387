"""A measurement that is broken off leaves nothing behind, and the next play has its fingerprint."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fingerprint_server import busy, fingerprint_server, noise_file
from scanned import scanned
from structlog.testing import capture_logs

from tonearm.audio.decode import Decoder
from tonearm.audio.signature import file_signature
from tonearm.fingerprints.generator import FingerprintGenerator
from tonearm.fingerprints.service.client import FingerprintClient
from tonearm.fingerprints.sidecar import Sidecars
from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import FingerprintCounts
from tonearm.model.errors import FingerprintServerDown
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.track import Track
from tonearm.rendering.measure import measure_file

NOTHING = FingerprintCounts(total=1, complete=0, pending=1, failed=0)
DONE = FingerprintCounts(total=1, complete=1, pending=0, failed=0)
LONG_S = 300


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path}/library.db")
    yield opened
    opened.close()


@pytest.fixture
def track(library: RepositoryFactory, tmp_path: Path) -> Track:
    path = noise_file(tmp_path / "long.wav", LONG_S)
    signature = file_signature(path)
    library.tracks.store([scanned(path, signature.content, signature.mtime_ns, signature.size)])
    return library.tracks.page(1, 0).rows[0].track


@asynccontextmanager
async def generator(
    library: RepositoryFactory, address: str, folder: Path
) -> AsyncIterator[FingerprintGenerator]:
    with ThreadPoolExecutor(2) as executor:
        client = FingerprintClient(address, 30.0, Decoder, executor)
        sidecars = Sidecars(folder / "25d")
        made = FingerprintGenerator(library.fingerprints, sidecars, client, 30.0, executor)
        yield made
        await made.close()
        await client.close()


async def begun(server) -> int:
    """Wait until the worker works; its process."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(busy, server.workers()[0]):
            pass
    return server.workers()[0]


async def test_a_server_that_is_killed_or_a_client_that_leaves_leaves_no_row(
    library, track, tmp_path
) -> None:
    with fingerprint_server(tmp_path, "--workers", "1") as server:
        async with generator(library, server.address, tmp_path) as here:
            playing = asyncio.create_task(here.generate(track))
            await begun(server)
            server.process.kill()
            with pytest.raises(FingerprintServerDown):
                await playing
            assert library.fingerprints.counts() == NOTHING
            assert library.fingerprints.failure(track.id, track.signature) is None
    with fingerprint_server(tmp_path, "--workers", "1") as server:
        async with generator(library, server.address, tmp_path) as leaving:
            playing = asyncio.create_task(leaving.generate(track))
            worker = await begun(server)
        assert playing.cancelled()
        assert library.fingerprints.counts() == NOTHING
        assert not (tmp_path / "25d").exists()
        async with generator(library, server.address, tmp_path) as here:
            with capture_logs() as logs:
                asking = [asyncio.create_task(here.get_or_generate(track)) for _ in range(50)]
                found = await asyncio.gather(*asking)
        assert server.workers() == [worker], "it was told to stop, and did"
    assert found == [found[0]] * 50
    assert found[0].algorithm_version == ALGORITHM_VERSION
    assert [entry["event"] for entry in logs].count("Calling gRPC server") == 1
    assert library.fingerprints.counts() == DONE
    assert library.fingerprints.get(track.id, track.signature) == found[0]


async def test_a_server_with_other_roots_gives_what_it_would_of_the_file(library, track, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with fingerprint_server(elsewhere, "--workers", "1") as server:
        async with generator(library, server.address, tmp_path) as here:
            assert await here.generate(track) == measure_file(track.path)
