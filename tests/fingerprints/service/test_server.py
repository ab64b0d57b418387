"""The real server in its own process, asked over a real socket."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from fingerprint_server import (
    Answer,
    RunningFingerprintServer,
    alive,
    busy,
    fingerprint_server,
    noise_file,
    until,
)
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from liars import free_port
from music import clip

from tonearm.audio.decode import Decoder
from tonearm.audio.signature import file_signature
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.client import SERVICE_NAME
from tonearm.fingerprints.service.messages import from_reply, probe_from_reply
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.rendering.measure import measure_file

LONG_S = 1200
MEDIUM_S = 400


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of every kind, one of them long enough to be caught in the middle of."""
    folder = tmp_path_factory.mktemp("library") / "music"
    folder.mkdir()
    for name in ("drum_roll.flac", "loop_tabla.flac"):
        (folder / name).write_bytes(clip(name).read_bytes())
    noise_file(folder / "long.wav", LONG_S)
    noise_file(folder / "medium.wav", MEDIUM_S)
    (folder / "text.mp3").write_text("#EXTM3U\nhttp://127.0.0.1/x.mp3\n" * 50)
    (folder / "empty.flac").touch()
    silence = np.zeros((44_100 * 3, 2), dtype=np.int16)
    soundfile.write(folder / "silent.wav", silence, 44_100)
    soundfile.write(folder / "short.wav", silence[:4_000] + 5_000, 44_100)
    (folder.parent / "music_private").mkdir()
    (folder.parent / "music_private" / "secret.flac").write_bytes(clip("loop_tabla.flac").read_bytes())
    (folder / "link.flac").symlink_to(folder.parent / "music_private" / "secret.flac")
    return folder


@pytest.fixture(scope="module")
def server(music: Path) -> Iterator[RunningFingerprintServer]:
    with fingerprint_server(music, "--workers", "1", "--queue", "2") as running:
        yield running


def works(server: RunningFingerprintServer, music: Path) -> bool:
    return server.measure(music / "drum_roll.flac").status is grpc.StatusCode.OK


def started(server: RunningFingerprintServer, path: Path, timeout_s: float = 60.0) -> grpc.Call:
    """A call whose work is under way."""
    call = server.measuring(pb.MeasureRequest(path=str(path)), timeout=timeout_s)
    assert next(call).HasField("progress")
    return call


def test_a_clip_is_measured_as_it_is_in_this_process(server, music: Path) -> None:
    path = music / "loop_tabla.flac"
    answer = server.measure(path, str(file_signature(path)))
    assert answer.status is grpc.StatusCode.OK
    assert from_reply(answer.replies[-1]) == measure_file(path)
    assert [reply.HasField("result") for reply in answer.replies].count(True) == 1
    assert answer.replies[-1].algorithm_version == ALGORITHM_VERSION
    assert answer.replies[-1].processing_time_ms > 0


def test_a_file_that_takes_its_time_tells_its_progress(server, music: Path) -> None:
    replies = server.measure(music / "medium.wav").replies
    told = [reply.progress.frames for reply in replies[:-1]]
    assert len(told) >= 2
    assert told == sorted(set(told))
    assert 0 < told[-1] <= MEDIUM_S * 44_100
    assert replies[-1].result.measures.frames == MEDIUM_S * 44_100


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("nothing.flac", grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND"),
        (".", grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND"),
        ("link.flac", grpc.StatusCode.PERMISSION_DENIED, "OUTSIDE_LIBRARY"),
        ("../music_private/secret.flac", grpc.StatusCode.PERMISSION_DENIED, "OUTSIDE_LIBRARY"),
        ("../music_private/nothing.flac", grpc.StatusCode.PERMISSION_DENIED, "OUTSIDE_LIBRARY"),
        ("text.mp3", grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ("empty.flac", grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ("silent.wav", grpc.StatusCode.FAILED_PRECONDITION, "NOT_ENOUGH_AUDIO"),
        ("short.wav", grpc.StatusCode.FAILED_PRECONDITION, "NOT_ENOUGH_AUDIO"),
    ],
)
def test_each_fault_has_its_status_and_names_no_path(
    server, music: Path, name: str, status: grpc.StatusCode, code: str
) -> None:
    answer = server.measure(f"{music}/{name}")
    assert (answer.status, answer.code) == (status, code)
    assert answer.details
    assert "/" not in answer.details
    assert "Traceback" not in answer.details
    assert works(server, music)


def test_another_state_of_the_file_is_not_found(server, music: Path) -> None:
    path = music / "loop_tabla.flac"
    signature = file_signature(path)
    answer = server.measure(path, f"{signature}0")
    assert (answer.status, answer.code) == (grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND")


def test_a_request_that_is_too_large_is_refused(server) -> None:
    answer = server.measure("/" + "x" * 100_000)
    assert answer.status is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_health_knows_the_server_and_the_service(server) -> None:
    assert server.health("") == health_pb2.HealthCheckResponse.SERVING
    assert server.health(SERVICE_NAME) == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_service(server) -> None:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (reply,) = reflection_pb2_grpc.ServerReflectionStub(server.channel).ServerReflectionInfo(iter([request]))
    assert SERVICE_NAME in {service.name for service in reply.list_services_response.service}


def test_a_worker_killed_amid_a_file_fails_that_request_alone(server, music: Path) -> None:
    call = started(server, music / "long.wav")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() is grpc.StatusCode.INTERNAL
    assert dict(call.trailing_metadata())["tonearm-code"] == "ANALYSIS_FAILED"
    assert works(server, music)
    assert worker not in server.workers()


def test_a_cancel_stops_the_work_and_keeps_the_worker(server, music: Path) -> None:
    assert works(server, music)
    (worker,) = server.workers()
    call = started(server, music / "long.wav")
    call.cancel()
    until(lambda: not busy(worker), 2)
    assert works(server, music)
    assert server.workers() == [worker]


def test_a_deadline_stops_the_work(server, music: Path) -> None:
    call = started(server, music / "long.wav", timeout_s=0.6)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    (worker,) = server.workers()
    until(lambda: not busy(worker), 2)
    assert works(server, music)


def test_a_worker_that_hangs_is_replaced_at_the_deadline(server, music: Path) -> None:
    call = started(server, music / "long.wav", timeout_s=1.0)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert works(server, music)
    assert not alive(worker)


def test_a_full_queue_refuses_and_then_works_again(server, music: Path) -> None:
    first = started(server, music / "long.wav")
    with ThreadPoolExecutor(5) as threads:
        answers: list[Answer] = list(
            threads.map(lambda _: server.measure(music / "long.wav", timeout_s=1.0), range(5))
        )
    refused = [answer for answer in answers if answer.status is grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert len(refused) == 3
    assert {answer.code for answer in refused} == {"FINGERPRINT_SERVER_BUSY"}
    first.cancel()
    assert works(server, music)


def test_asked_to_end_it_ends_within_two_seconds_with_its_workers(music: Path) -> None:
    with fingerprint_server(music, "--workers", "1") as server:
        call = started(server, music / "long.wav")
        (worker,) = server.workers()
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 10, "2 s on a machine that does nothing else"
        assert not alive(worker)
        with pytest.raises(grpc.RpcError):
            list(call)


def test_workers_end_with_a_server_that_is_killed(music: Path) -> None:
    with fingerprint_server(music, "--workers", "1") as server:
        started(server, music / "long.wav")
        (worker,) = server.workers()
        server.process.kill()
        until(lambda: not alive(worker), 1)


def test_a_taken_port_is_an_exit_code(server) -> None:
    command = [sys.executable, "-m", "tonearm.fingerprints.service.server", "--listen", server.address]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "cannot listen" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_front_process_holds_no_numerics() -> None:
    address = f"127.0.0.1:{free_port()}"
    front = textwrap.dedent(f"""
        import asyncio, sys, grpc
        from tonearm.fingerprints.service import fingerprint_pb2 as pb
        from tonearm.fingerprints.service.server import SERVICE_NAME, FingerprintServer
        async def main():
            server = FingerprintServer([], 1, 1)
            await server.start({address!r})
            async with grpc.aio.insecure_channel({address!r}) as channel:
                call = channel.unary_stream(
                    f"/{{SERVICE_NAME}}/Measure",
                    request_serializer=pb.MeasureRequest.SerializeToString,
                )(pb.MeasureRequest(path="/etc/passwd"))
                print((await call.code()).name)
            await server.stop()
            print(sorted({{"numpy", "scipy", "numba", "av"}} & set(sys.modules)))
        asyncio.run(main())
    """)
    ended = subprocess.run(
        [sys.executable, "-c", front], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout.splitlines()[-2:] == ["PERMISSION_DENIED", "[]"]


def audio_of(path: Path, frames: int = 6_000) -> Iterator[pb.AudioBlock]:
    with Decoder(path) as decoder:
        audio = decoder.info
        while len(samples := decoder.read(frames)):
            yield pb.AudioBlock(
                f32le=samples.tobytes(),
                rate=audio.format.rate,
                channels=audio.format.channels,
                layout=audio.channel_layout,
            )


def test_audio_that_was_sent_gives_what_the_file_gives(server, music: Path) -> None:
    path = music / "loop_tabla.flac"
    answer = server.measure_audio(audio_of(path))
    assert answer.status is grpc.StatusCode.OK
    assert from_reply(answer.replies[-1]) == measure_file(path)


BLOCK = pb.AudioBlock(f32le=np.ones(200, np.float32).tobytes(), rate=44_100, channels=2)


@pytest.mark.parametrize(
    ("blocks", "status", "code"),
    [
        ([], grpc.StatusCode.FAILED_PRECONDITION, "NOT_ENOUGH_AUDIO"),
        ([BLOCK], grpc.StatusCode.FAILED_PRECONDITION, "NOT_ENOUGH_AUDIO"),
        ([b"\xff\xff"], grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ([BLOCK, b"\xff\xff", BLOCK], grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ([pb.AudioBlock(rate=1, channels=2)], grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ([BLOCK, pb.AudioBlock(rate=48_000)], grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ([BLOCK, pb.AudioBlock(f32le=bytes(7))] * 40, grpc.StatusCode.INVALID_ARGUMENT, "DECODE_ERROR"),
        ([pb.AudioBlock(f32le=bytes(80_000))], grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
    ],
)
def test_audio_that_is_none_has_its_status(server, music: Path, blocks, status, code: str) -> None:
    answer = server.measure_audio(blocks)
    assert (answer.status, answer.code) == (status, code)
    assert works(server, music)


def test_one_who_hangs_up_amid_audio_frees_the_worker(server, music: Path) -> None:
    sent, hold = threading.Event(), threading.Event()

    def endless() -> Iterator[pb.AudioBlock]:
        noise = np.random.default_rng(5).uniform(-0.5, 0.5, 12_000).astype(np.float32).tobytes()
        for _ in range(4_000):
            yield pb.AudioBlock(f32le=noise, rate=44_100, channels=2)
        sent.set()
        hold.wait(30)

    call = server.measuring_audio(endless(), timeout=30)
    assert next(call).HasField("progress")
    assert sent.wait(20)
    (worker,) = server.workers()
    call.cancel()
    hold.set()
    assert works(server, music)
    assert server.workers() == [worker], "it was told to stop and did"


def test_a_worker_killed_amid_audio_fails_that_request_alone(server, music: Path) -> None:
    call = server.measuring_audio(audio_of(music / "long.wav"), timeout=60)
    assert next(call).HasField("progress")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() is grpc.StatusCode.INTERNAL
    assert works(server, music)


def test_a_probe_comes_before_everything_else_where_it_was_asked_for(server, music: Path) -> None:
    replies = server.measure(music / "medium.wav", probe_first=True).replies
    assert replies[0].HasField("probe")
    assert [reply.HasField("probe") for reply in replies].count(True) == 1
    probe, analysis = probe_from_reply(replies[0]), from_reply(replies[-1])
    assert probe.lufs == pytest.approx(analysis.fingerprint.lufs, abs=0.5)
    assert not any(reply.HasField("probe") for reply in server.measure(music / "drum_roll.flac").replies)
    silent = server.measure(music / "silent.wav", probe_first=True)
    assert (silent.status, silent.replies) == (grpc.StatusCode.FAILED_PRECONDITION, [])
