"""A server that does not see the file is sent the audio, no faster than it takes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from analyses import analysis, signed, track
from fingerprint_clients import client, measured, server, truthful
from music import clip
from structlog.testing import capture_logs

from tonearm.audio.decode import Decoder
from tonearm.audio.signature import file_signature
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.model.audio import Block
from tonearm.model.errors import (
    AnalysisFailed,
    DecodeError,
    FileMissing,
    FingerprintServerBusy,
    FingerprintServerFailed,
)
from tonearm.model.track import Track


class Listener:
    """A service that sees no file, and hears audio until ``patience`` blocks have come."""

    def __init__(self, status: grpc.StatusCode, patience: int = 1_000_000) -> None:
        self._status = status
        self._patience = patience
        self.asked = 0
        self.blocks: list[pb.AudioBlock] = []
        self.release = asyncio.Event()
        self.release.set()

    async def measure(self, request, context) -> None:
        self.asked += 1
        await context.abort(self._status, "not here")

    async def measure_audio(self, blocks, context) -> None:
        await context.write(pb.MeasureReply(progress=pb.Progress(frames=0)))
        async for block in blocks:
            await self.release.wait()
            self.blocks.append(block)
            if len(self.blocks) >= self._patience:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "enough")
        await truthful(None, context)


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[str]:
    audio = grpc.stream_stream_rpc_method_handler(
        listener.measure_audio, pb.AudioBlock.FromString, pb.MeasureReply.SerializeToString
    )
    async with server(listener.measure, MeasureAudio=audio) as address:
        yield address


def clip_track() -> Track:
    path = clip("loop_tabla.flac")
    return signed(track(path), file_signature(path))


@pytest.mark.parametrize("status", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED])
async def test_a_server_that_does_not_see_the_file_is_sent_the_audio(status: grpc.StatusCode) -> None:
    here = Listener(status)
    with capture_logs() as logs:
        async with listening(here) as address, client(address, open_audio=Decoder) as asking:
            assert await measured(asking, clip_track()) == analysis()
            assert await measured(asking, clip_track(), background=True) == analysis()
    assert [entry["log_level"] for entry in logs] == ["warning"], "told once"
    assert here.asked == 2
    samples, rate = soundfile.read(clip_track().path, dtype="float32")
    assert b"".join(block.f32le for block in here.blocks) == 2 * samples.tobytes()
    assert {(block.rate, block.channels, block.layout) for block in here.blocks} == {(rate, 2, "stereo")}
    assert max(block.ByteSize() for block in here.blocks) < 64 * 1024
    assert [block.background for block in here.blocks] == sorted(block.background for block in here.blocks)
    assert here.blocks[-1].background


async def test_no_more_is_decoded_than_the_server_takes() -> None:
    here = Listener(grpc.StatusCode.NOT_FOUND)
    here.release.clear()
    opened: list[Endless] = []

    def open_audio(path: Path) -> Endless:
        opened.append(Endless(path))
        return opened[-1]

    async with listening(here) as address, client(address, open_audio=open_audio) as asking:
        waiting = asyncio.create_task(measured(asking, clip_track()))
        async with asyncio.timeout(20):
            before = -1
            while not opened or before < opened[0].frames:
                before = opened[0].frames if opened else -1
                await asyncio.sleep(0.3)
        assert opened[0].frames * 8 < 64 * 2**20
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert opened[0].closed


class Endless(Decoder):
    """A file without an end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.frames = 0
        self.closed = False

    def read(self, frames: int) -> Block:
        self.frames += frames
        return np.zeros((frames, 2), np.float32)

    def close(self) -> None:
        self.closed = True
        super().close()


async def test_an_end_amid_the_audio_ends_the_sending() -> None:
    here = Listener(grpc.StatusCode.NOT_FOUND, patience=3)
    async with listening(here) as address, client(address, open_audio=Endless) as asking:
        # The status itself, or what is left of it: grpc.aio overwrites it when a write fails.
        with pytest.raises((DecodeError, AnalysisFailed)):
            await measured(asking, clip_track())


async def test_a_refusal_of_the_first_block_is_told_as_it_is() -> None:
    async def full(blocks, context) -> None:
        await anext(aiter(blocks))
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    audio = grpc.stream_stream_rpc_method_handler(
        full, pb.AudioBlock.FromString, pb.MeasureReply.SerializeToString
    )
    unseen = Listener(grpc.StatusCode.NOT_FOUND)
    async with (
        server(unseen.measure, MeasureAudio=audio) as address,
        client(address, open_audio=Endless) as asking,
    ):
        for _ in range(20):
            with pytest.raises(FingerprintServerBusy):
                await measured(asking, clip_track())


async def test_a_file_that_is_damaged_gone_or_another_is_told_as_such(tmp_path: Path) -> None:
    here = Listener(grpc.StatusCode.NOT_FOUND)
    cut_off = tmp_path / "cut_off.flac"
    cut_off.write_bytes(clip("loop_tabla.flac").read_bytes()[:60_000])
    async with listening(here) as address, client(address, open_audio=Decoder) as asking:
        with pytest.raises(DecodeError):
            await measured(asking, signed(track(cut_off), file_signature(cut_off)))
        with pytest.raises(FileMissing):
            await measured(asking, track(tmp_path / "absent.flac"))
        with pytest.raises(FileMissing):
            await measured(asking, track(cut_off))
        assert await measured(asking, clip_track()) == analysis()


async def test_a_server_that_takes_no_audio_has_failed() -> None:
    async def measure(request, context) -> None:
        await context.abort(grpc.StatusCode.NOT_FOUND, "not here")

    async with server(measure) as address, client(address, open_audio=Decoder) as asking:
        with pytest.raises(FingerprintServerFailed, match="UNIMPLEMENTED"):
            await measured(asking, clip_track())
