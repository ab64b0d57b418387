"""A real fingerprint server as a process, and what it and its workers are up to."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import soundfile
from grpc_health.v1 import health_pb2, health_pb2_grpc
from liars import free_port

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.client import SERVICE_NAME

WARM_LIMIT_S = 120.0


@dataclass
class Answer:
    """How a call of ``Measure`` ended."""

    status: grpc.StatusCode
    replies: list[pb.MeasureReply]
    details: str = ""
    code: str = ""


class RunningFingerprintServer:
    """A started server, and a channel to it."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, channel: grpc.Channel) -> None:
        self.process = process
        self.address = address
        self.channel = channel
        self.measuring = channel.unary_stream(
            f"/{SERVICE_NAME}/Measure",
            request_serializer=pb.MeasureRequest.SerializeToString,
            response_deserializer=pb.MeasureReply.FromString,
        )

        self.measuring_audio = channel.stream_stream(
            f"/{SERVICE_NAME}/MeasureAudio",
            request_serializer=lambda block: block if isinstance(block, bytes) else block.SerializeToString(),
            response_deserializer=pb.MeasureReply.FromString,
        )

    def measure(
        self, path: Path | str, signature: str = "", timeout_s: float = 60.0, probe_first: bool = False
    ) -> Answer:
        request = pb.MeasureRequest(path=str(path), signature=signature, probe_first=probe_first)
        return _answer(self.measuring(request, timeout=timeout_s))

    def measure_audio(self, blocks: Iterable[pb.AudioBlock | bytes], timeout_s: float = 60.0) -> Answer:
        return _answer(self.measuring_audio(iter(blocks), timeout=timeout_s))

    def health(self, service: str = "") -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return health_pb2_grpc.HealthStub(self.channel).Check(request, timeout=5).status

    def serving(self) -> bool:
        try:
            return self.health() == health_pb2.HealthCheckResponse.SERVING
        except grpc.RpcError:
            return False

    def workers(self) -> list[int]:
        return children(self.process.pid)


def _answer(call: grpc.Call) -> Answer:
    replies: list[pb.MeasureReply] = []
    try:
        replies.extend(call)
    except grpc.RpcError:
        trailing = dict(call.trailing_metadata() or ())
        return Answer(call.code(), replies, call.details(), trailing.get("tonearm-code", ""))
    return Answer(call.code(), replies)


@contextmanager
def fingerprint_server(root: Path, *arguments: str) -> Iterator[RunningFingerprintServer]:
    """A fingerprint server for the files below ``root``, warm when the block starts."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "tonearm.fingerprints.service.server", "--listen", address]
    process = subprocess.Popen(
        [*command, "--root", str(root), *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    options = (("grpc.max_reconnect_backoff_ms", 200),)
    try:
        with grpc.insecure_channel(address, options) as channel:
            server = RunningFingerprintServer(process, address, channel)
            until(server.serving, WARM_LIMIT_S)
            yield server
    finally:
        process.kill()
        process.wait()


def noise_file(path: Path, seconds: int) -> Path:
    """Stereo noise at 44.1 kHz, long enough to be caught in the middle of."""
    noise = np.random.default_rng(5).normal(0, 3000, (44_100, 2)).clip(-32768, 32767).astype(np.int16)
    with soundfile.SoundFile(path, "w", 44_100, 2, "PCM_16") as file:
        for _ in range(seconds):
            file.write(noise)
    return path


def until(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return _status(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def busy(pid: int) -> bool:
    """Whether the process used the processor in the last tenth of a second."""
    before = _status(pid)[11:13]
    time.sleep(0.1)
    return _status(pid)[11:13] != before


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def _status(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
