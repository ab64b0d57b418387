"""Fingerprint services of a test's own, and the client that asks them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
from analyses import analysis
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tonearm.audio.decode import Decoder
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.client import SERVICE_NAME, FingerprintClient
from tonearm.fingerprints.service.messages import to_reply
from tonearm.fingerprints.service.upload import OpenAudio
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis
from tonearm.model.track import Track

Measure = Callable[[pb.MeasureRequest, grpc.aio.ServicerContext], Awaitable[None]]


async def truthful(request: pb.MeasureRequest, context: grpc.aio.ServicerContext) -> None:
    await context.write(pb.MeasureReply(progress=pb.Progress(frames=10), algorithm_version=ALGORITHM_VERSION))
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
