"""Fingerprint servers that do not do what they should, for the tests of what happens then."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer

from tonearm.fingerprints.service import fingerprint_pb2 as words
from tonearm.model.fingerprint import ALGORITHM_VERSION, DIMENSION_NAMES

Measure = Callable[["words.MeasureRequest", grpc.ServicerContext], Iterator["words.MeasureReply"]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def hanging() -> Iterator[str]:
    """Accepts every connection and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    held: list[socket.socket] = []
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                held.append(listener.accept()[0])
            except TimeoutError:
                continue

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        for connection in [*held, listener]:
            connection.close()


def plausible() -> "words.Fingerprint":
    """25 numbers that could be true."""
    values = dict.fromkeys(DIMENSION_NAMES, 0.5) | {"lufs": -18.0}
    bands = DIMENSION_NAMES[:7]
    values |= {name: 100.0 / len(bands) for name in bands}
    return words.Fingerprint(**values)


@contextmanager
def answering(fingerprint: "words.Fingerprint") -> Iterator[str]:
    """A gRPC server that is sure of itself and answers every ``Measure`` with these numbers."""

    def measure(
        request: "words.MeasureRequest", context: grpc.ServicerContext
    ) -> Iterator["words.MeasureReply"]:
        measures = words.Measures(
            frames=1_000_000,
            rate=44_100,
            channels=2,
            true_peak_dbtp=-1.0,
            lra_lu=5.0,
            plr_db=17.0,
            psr_p10_db=12.0,
            clipped_ppm=0.0,
            dc_offset=0.0,
            bass_phase_correlation=1.0,
            downmix_lufs=-18.0,
            downmix_true_peak_dbtp=-1.0,
            third_octaves_db=[-30.0] * 30,
            gating_histogram=[0] * 800,
            waveform=bytes(2000),
        )
        result = words.Result(fingerprint=fingerprint, measures=measures)
        yield words.MeasureReply(result=result, algorithm_version=ALGORITHM_VERSION, processing_time_ms=1)

    with _serving(measure) as address:
        yield address


@contextmanager
def silent() -> Iterator[str]:
    """A gRPC server that says it serves, takes every ``Measure`` and never says a word on it."""
    over = threading.Event()

    def measure(
        request: "words.MeasureRequest", context: grpc.ServicerContext
    ) -> Iterator["words.MeasureReply"]:
        over.wait()
        yield from ()

    health = HealthServicer()
    health.set("tonearm.fingerprint.v1.FingerprintService", health_pb2.HealthCheckResponse.SERVING)
    with _serving(measure, health) as address:
        try:
            yield address
        finally:
            over.set()


@contextmanager
def _serving(measure: Measure, health: HealthServicer | None = None) -> Iterator[str]:
    service = grpc.method_handlers_generic_handler(
        "tonearm.fingerprint.v1.FingerprintService",
        {
            "Measure": grpc.unary_stream_rpc_method_handler(
                measure,
                request_deserializer=words.MeasureRequest.FromString,
                response_serializer=words.MeasureReply.SerializeToString,
            )
        },
    )
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((service,))
    if health is not None:
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
