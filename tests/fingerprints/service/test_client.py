"""The client against servers that answer, lie, fail, hang, vanish and come back."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from analyses import analysis, probe, signed, track
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from liars import answering, free_port, hanging, plausible
from music import clip
from structlog.testing import capture_logs

from tonearm.audio.decode import Decoder
from tonearm.audio.signature import file_signature
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.client import SERVICE_NAME, FingerprintClient
from tonearm.fingerprints.service.messages import to_probe_reply, to_reply
from tonearm.fingerprints.service.upload import OpenAudio
from tonearm.model.audio import Block
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FileMissing,
    FingerprintServerBusy,
    FingerprintServerDown,
    FingerprintServerFailed,
    FingerprintTimeout,
    InvalidFingerprint,
    NotEnoughAudio,
    TonearmError,
)
from tonearm.model.measures import Analysis
from tonearm.model.track import Track

Measure = Callable[[pb.MeasureRequest, grpc.aio.ServicerContext], Awaitable[None]]


async def truthful(request: pb.MeasureRequest, context: grpc.aio.ServicerContext) -> None:
    await context.write(pb.MeasureReply(progress=pb.Progress(frames=10), algorithm_version=1))
    await context.write(to_reply(analysis(), 5))


@asynccontextmanager
async def server(measure: Measure, port: int = 0, **others: grpc.RpcMethodHandler) -> AsyncIterator[str]:
    """A gRPC server with a ``Measure`` of the test's own, which says SERVING."""
    handler = grpc.unary_stream_rpc_method_handler(
        measure, pb.MeasureRequest.FromString, pb.MeasureReply.SerializeToString
    )
    running = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    running.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE_NAME, {"Measure": handler, **others}),)
    )
    status = health.aio.HealthServicer()
    await status.set(SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(status, running)
    port = running.add_insecure_port(f"127.0.0.1:{port}")
    await running.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await running.stop(None)


def unreadable(path: Path) -> Decoder:
    raise AssertionError("nobody asked for the audio")


@asynccontextmanager
async def client(
    address: Callable[[], str] | str, deadline_s: float = 10.0, open_audio: OpenAudio = unreadable
):
    with ThreadPoolExecutor(1) as executor:
        made = FingerprintClient(address, deadline_s, open_audio, executor)
        try:
            yield made
        finally:
            await made.close()


async def measured(asking: FingerprintClient, wanted: Track, **how: bool) -> Analysis:
    """The last stage of a measurement."""
    chosen = {"background": False, "probe_first": False} | how
    (analysis,) = [stage async for stage in asking.measure_stream(wanted, **chosen)]
    assert isinstance(analysis, Analysis)
    return analysis


async def test_a_truthful_answer_is_an_analysis() -> None:
    seen: list[pb.MeasureRequest] = []

    async def measure(request, context) -> None:
        seen.append(request)
        await truthful(request, context)

    async with server(measure) as address, client(address) as asking:
        assert await measured(asking, track(track_id=7)) == analysis()
        assert await asking.healthy()
    (request,) = seen
    assert request.path == "/music/song.flac"
    assert request.signature == str(track().signature)
    assert request.track_id == 7
    assert not request.background
    assert not request.probe_first


async def test_a_probe_comes_first_where_it_was_asked_for() -> None:
    async def measure(request, context) -> None:
        assert request.probe_first
        await context.write(to_probe_reply(probe(), 1))
        await truthful(request, context)

    async with server(measure) as address, client(address) as asking:
        stages = asking.measure_stream(track(), background=False, probe_first=True)
        assert [stage async for stage in stages] == [probe(), analysis()]


async def test_background_work_says_so_and_has_more_time() -> None:
    async def measure(request, context) -> None:
        assert request.background
        await asyncio.sleep(0.5)
        await truthful(request, context)

    async with server(measure) as address, client(address, deadline_s=0.2) as asking:
        assert await measured(asking, track(), background=True) == analysis()


@pytest.mark.parametrize("error", [AnalysisFailed, AnalysisTooLarge, AnalysisTooLong])
async def test_a_verdict_on_the_file_is_told_from_a_fault_of_the_server(error: type[TonearmError]) -> None:
    async def measure(request, context) -> None:
        metadata = (("tonearm-code", error.code),)
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "said so", metadata)

    async with server(measure) as address, client(address) as asking:
        with pytest.raises(error) as caught:
            await measured(asking, track())
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("name", "value"), [("chroma_energy", None), ("tempo_bpm", math.nan), ("lufs", 31.0), ("mid_pct", 50.0)]
)
async def test_a_lie_is_no_fingerprint(name: str, value: float | None) -> None:
    lie = plausible()
    if value is None:
        lie.ClearField(name)
    else:
        setattr(lie, name, value)
    with answering(lie) as address:
        async with client(address) as asking:
            with pytest.raises(InvalidFingerprint):
                await measured(asking, track())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, FingerprintServerDown),
        (grpc.StatusCode.CANCELLED, FingerprintServerDown),
        (grpc.StatusCode.DEADLINE_EXCEEDED, FingerprintTimeout),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, FingerprintServerBusy),
        (grpc.StatusCode.INTERNAL, FingerprintServerFailed),
        (grpc.StatusCode.UNKNOWN, FingerprintServerFailed),
        (grpc.StatusCode.UNIMPLEMENTED, FingerprintServerFailed),
        (grpc.StatusCode.INVALID_ARGUMENT, DecodeError),
        (grpc.StatusCode.FAILED_PRECONDITION, NotEnoughAudio),
    ],
)
async def test_each_status_is_a_typed_error(status: grpc.StatusCode, error: type[TonearmError]) -> None:
    async def measure(request, context) -> None:
        await context.write(pb.MeasureReply(progress=pb.Progress(frames=10)))
        await context.abort(status, "said so")

    async with server(measure) as address, client(address) as asking:
        with pytest.raises(error) as caught:
            await measured(asking, track())
    assert type(caught.value) is error


async def test_an_error_after_the_result_counts() -> None:
    async def measure(request, context) -> None:
        await truthful(request, context)
        await context.abort(grpc.StatusCode.INTERNAL, "after all")

    async with server(measure) as address, client(address) as asking:
        with pytest.raises(FingerprintServerFailed):
            await measured(asking, track())


async def test_a_stream_without_a_result_is_a_failure() -> None:
    async def measure(request, context) -> None:
        await context.write(pb.MeasureReply(progress=pb.Progress(frames=10)))

    async with server(measure) as address, client(address) as asking:
        with pytest.raises(FingerprintServerFailed, match="without a result"):
            await measured(asking, track())


async def test_a_refused_connection_is_known_at_once() -> None:
    async with client(f"127.0.0.1:{free_port()}", deadline_s=30) as asking:
        began = time.monotonic()
        with pytest.raises(FingerprintServerDown):
            await measured(asking, track())
        assert not await asking.healthy()
        assert time.monotonic() - began < 0.5


async def test_no_address_is_down_at_once() -> None:
    async with client(lambda: "") as asking:
        with pytest.raises(FingerprintServerDown):
            await measured(asking, track())
        assert not await asking.healthy()


async def test_one_who_never_answers_is_left_at_the_deadline() -> None:
    cancelled = asyncio.Event()

    async def measure(request, context) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async with server(measure) as address, client(address, deadline_s=0.3) as asking:
        began = time.monotonic()
        with pytest.raises(FingerprintTimeout):
            await measured(asking, track())
        assert 0.25 < time.monotonic() - began < 2
        await asyncio.wait_for(cancelled.wait(), 2)


async def test_one_who_accepts_and_says_nothing_is_left_at_the_deadline() -> None:
    with hanging() as address:
        async with client(address, deadline_s=0.3) as asking:
            began = time.monotonic()
            with pytest.raises(FingerprintTimeout):
                await measured(asking, track())
            assert not await asking.healthy()
            assert time.monotonic() - began < 2.5


async def test_cancelling_the_caller_cancels_the_call_on_the_server() -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def measure(request, context) -> None:
        arrived.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async with server(measure) as address, client(address) as asking:
        waiting = asyncio.create_task(measured(asking, track()))
        await asyncio.wait_for(arrived.wait(), 5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_server_that_vanishes_in_the_middle_is_down() -> None:
    arrived = asyncio.Event()

    async def measure(request, context) -> None:
        arrived.set()
        await asyncio.sleep(60)

    async with client(lambda: address) as asking:
        async with server(measure) as address:
            waiting = asyncio.create_task(measured(asking, track()))
            await asyncio.wait_for(arrived.wait(), 5)
        with pytest.raises(FingerprintServerDown):
            await waiting


async def test_a_server_that_comes_back_is_seen_soon() -> None:
    port = free_port()
    async with client(f"127.0.0.1:{port}") as asking:
        async with server(truthful, port):
            await measured(asking, track())
        for _ in range(20):
            assert not await asking.healthy()
            await asyncio.sleep(0.1)
        async with server(truthful, port):
            back = time.monotonic()
            while not await asking.healthy():
                await asyncio.sleep(0.02)
            assert time.monotonic() - back < 2.0
            assert await measured(asking, track()) == analysis()


async def test_the_address_is_followed() -> None:
    async with server(truthful) as first, server(truthful) as second:
        addresses = [first]
        async with client(lambda: addresses[-1]) as asking:
            await measured(asking, track())
            addresses.append(f"127.0.0.1:{free_port()}")
            with pytest.raises(FingerprintServerDown):
                await measured(asking, track())
            addresses.append(second)
            await measured(asking, track())


async def test_a_call_under_way_is_down_when_the_address_moves_or_the_client_closes() -> None:
    arrived = asyncio.Semaphore(0)

    async def measure(request, context) -> None:
        arrived.release()
        await asyncio.sleep(60)

    async with server(measure) as first, server(truthful) as second:
        addresses = [first]
        async with client(lambda: addresses[-1]) as asking:
            waiting = asyncio.create_task(measured(asking, track()))
            await asyncio.wait_for(arrived.acquire(), 5)
            addresses.append(second)
            await measured(asking, track())
            with pytest.raises(FingerprintServerDown):
                await waiting
            addresses.append(first)
            waiting = asyncio.create_task(measured(asking, track()))
            await asyncio.wait_for(arrived.acquire(), 5)
        with pytest.raises(FingerprintServerDown):
            await waiting


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("grpc_proxy", f"http://127.0.0.1:{free_port()}")
    async with server(truthful) as address, client(address) as asking:
        assert await measured(asking, track()) == analysis()


async def test_a_name_that_is_not_utf_8_can_be_asked_for() -> None:
    seen: list[str] = []

    async def measure(request, context) -> None:
        seen.append(request.path)
        await truthful(request, context)

    odd = track(track().path.with_name("caf\udce9.flac"))
    async with server(measure) as address, client(address) as asking:
        await measured(asking, odd)
    assert seen == ["file:///music/caf%E9.flac"]


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
