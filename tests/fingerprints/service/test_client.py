"""The client against servers that answer, lie, fail, hang, vanish and come back."""

import asyncio
import math
import time

import grpc
import pytest
from analyses import analysis, probe, track
from fingerprint_clients import client, measured, server, truthful
from liars import answering, free_port, hanging, plausible

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.messages import to_probe_reply
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FingerprintServerBusy,
    FingerprintServerDown,
    FingerprintServerFailed,
    FingerprintTimeout,
    InvalidFingerprint,
    NotEnoughAudio,
    TonearmError,
)


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
        assert time.monotonic() - began < 10


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
        assert 0.25 < time.monotonic() - began < 20
        await asyncio.wait_for(cancelled.wait(), 20)


async def test_one_who_accepts_and_says_nothing_is_left_at_the_deadline() -> None:
    with hanging() as address:
        async with client(address, deadline_s=0.3) as asking:
            began = time.monotonic()
            with pytest.raises(FingerprintTimeout):
                await measured(asking, track())
            assert not await asking.healthy()
            assert time.monotonic() - began < 20


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
            assert time.monotonic() - back < 5.0
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
