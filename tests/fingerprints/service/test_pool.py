"""The pool with its real workers: started when needed, ended when idle, replaced when dead."""

import asyncio
import os
import signal
import struct
import sys
from collections.abc import Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from audio_files import by_libsndfile
from fingerprint_server import alive, children
from music import clip
from structlog.testing import capture_logs

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.pool import WorkerPool
from tonearm.fingerprints.service.process import WORKER_COMMAND
from tonearm.model.errors import AnalysisTooLarge, AnalysisTooLong, FingerprintServerFailed

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


async def measure(made: WorkerPool, request: pb.MeasureRequest = CLIP) -> pb.MeasureReply:
    async with aclosing(made.measure(request)) as replies:
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
        await until(lambda: len(made.pids) == 1, 20)
        await until(lambda: [alive(pid) for pid in both].count(True) == 1, 20)
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
    await until(lambda: not any(map(alive, starting)), 20)


def as_background() -> pb.MeasureRequest:
    request = pb.MeasureRequest()
    request.CopyFrom(CLIP)
    request.background = True
    return request


async def test_background_work_has_a_nice_process_that_ends_when_idle() -> None:
    async with pool(1, spare_idle_s=0.5) as (made, _):
        assert (await measure(made)).HasField("result")
        (play,) = made.pids
        assert (await measure(made, as_background())).HasField("result")
        (nice,) = set(made.pids) - {play}
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, play) == own
        assert os.getpriority(os.PRIO_PROCESS, nice) == min(own + 10, 19)
        await until(lambda: made.pids == [play], 20)
        await until(lambda: not alive(nice), 20)


async def test_an_idle_process_of_one_kind_makes_room_for_the_other() -> None:
    async with pool(2) as (made, _):
        await measure(made, as_background())
        await until(lambda: len(made.pids) == 2)
        before = made.pids
        await asyncio.gather(measure(made), measure(made))
        assert len(made.pids) == 2
        assert made.pids != before
        assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in made.pids} == {
            os.getpriority(os.PRIO_PROCESS, 0)
        }


def hour_of_zeros(path: Path) -> Path:
    """A stereo WAV of 16 bits that takes no room on the disk, and several seconds to measure."""
    rate, frame_bytes = 44_100, 4
    size = 3_600 * rate * frame_bytes
    form = struct.pack("<HHIIHH", 1, 2, rate, rate * frame_bytes, frame_bytes, 16)
    head = struct.pack("<4sI4s4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16) + form
    path.write_bytes(head + struct.pack("<4sI", b"data", size))
    os.truncate(path, path.stat().st_size + size)
    return path


async def test_a_file_that_takes_more_time_or_memory_than_one_may_fails_alone(tmp_path: Path) -> None:
    endless = pb.MeasureRequest(path=str(hour_of_zeros(tmp_path / "long.wav")))
    noise = np.random.default_rng(5).uniform(-0.5, 0.5, (192_000, 8))
    wide = pb.MeasureRequest(path=str(by_libsndfile(tmp_path / "wide.wav", noise, 192_000)))
    with capture_logs() as logs:
        async with pool(1, command=(*WORKER_COMMAND, "--cpu-limit-s", "1")) as (made, _):
            with pytest.raises(AnalysisTooLong):
                await measure(made, endless)
            assert (await measure(made)).HasField("result")
        async with pool(1, command=(*WORKER_COMMAND, "--memory-limit", "50000000")) as (made, _):
            with pytest.raises(AnalysisTooLarge):
                await measure(made, wide)
    assert {entry["event"] for entry in logs} == {"Fingerprint worker ended"}
