"""The pool with its real workers: started when needed, ended when idle, replaced when dead."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from fingerprint_server import alive, children
from music import clip
from structlog.testing import capture_logs

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.pool import WorkerPool
from tonearm.fingerprints.service.process import WORKER_COMMAND
from tonearm.model.errors import FingerprintServerFailed

CLIP = pb.MeasureRequest(path=str(clip("drum_roll.flac")))


@asynccontextmanager
async def pool(
    workers: int, queue: int = 8, spare_idle_s: float = 60.0, command: Sequence[str] = WORKER_COMMAND
):
    """A pool and the list of what it said about itself."""
    said: list[bool] = []
    made = WorkerPool(command, workers, queue, said.append, spare_idle_s)
    made.start()
    try:
        yield made, said
    finally:
        await made.close()


async def until(condition, limit_s: float = 60.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.02)


async def measure(made: WorkerPool) -> pb.MeasureReply:
    async with aclosing(made.measure(CLIP)) as replies:
        return [reply async for reply in replies][-1]


async def test_workers_start_when_needed_and_spares_end_when_idle() -> None:
    async with pool(2, spare_idle_s=0.5) as (made, said):
        await until(lambda: made.pids)
        assert said == [True]
        assert len(made.pids) == 1
        for reply in await asyncio.gather(*(measure(made) for _ in range(4))):
            assert reply.HasField("result")
        both = made.pids
        assert len(both) == 2
        await until(lambda: len(made.pids) == 1, 3)
        await until(lambda: [alive(pid) for pid in both].count(True) == 1, 3)
        await asyncio.sleep(0.6)
        assert len(made.pids) == 1, "one is kept warm"
        assert (await measure(made)).HasField("result")
        # A worker goes on starting when the one who asked for it no longer waits.
        first, second = (asyncio.create_task(measure(made)) for _ in range(2))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await until(lambda: len(made.pids) == 2)
    assert not any(map(alive, both))


async def test_a_worker_killed_while_idle_is_replaced_without_being_asked() -> None:
    with capture_logs() as logs:
        async with pool(1) as (made, _):
            await until(lambda: made.pids)
            (first,) = made.pids
            os.kill(first, signal.SIGKILL)
            await until(lambda: made.pids not in ([], [first]))
            assert (await measure(made)).HasField("result")
    assert [entry["event"] for entry in logs] == ["Fingerprint worker ended"]


async def test_a_worker_that_cannot_start_is_told_and_tried_again(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with pool(1, command=(sys.executable, "-c", "raise SystemExit(1)")) as (made, said):
            await until(lambda: len(said) == 2)
            assert said == [False, False]
            with pytest.raises(FingerprintServerFailed):
                await measure(made)
    assert {entry["event"] for entry in logs} == {"Fingerprint worker does not start"}


async def test_closing_ends_workers_that_are_just_starting() -> None:
    async with pool(1):
        await until(lambda: children(os.getpid()))
        starting = children(os.getpid())
    await until(lambda: not any(map(alive, starting)), 3)
