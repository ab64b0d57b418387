"""The fingerprint server: a front process that speaks gRPC, and a pool of processes that measure.

The front imports neither numpy nor numba nor the decoder, so it stays small and nothing in a file
can crash it.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
import structlog
from google.protobuf.message import DecodeError as MalformedMessage
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.lifeline import TAKEN, Lifeline
from tonearm.fingerprints.service.names import CODE_METADATA, SERVICE_NAME
from tonearm.fingerprints.service.paths import permitted, to_text
from tonearm.fingerprints.service.pool import WorkerPool
from tonearm.fingerprints.service.process import SENDER_LIMIT_S, WORKER_COMMAND
from tonearm.fingerprints.service.slots import Work
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FileMissing,
    FingerprintServerBusy,
    FingerprintServerFailed,
    FingerprintTimeout,
    NotEnoughAudio,
    OutsideLibrary,
    TonearmError,
)

DEFAULT_LISTEN: Final = "127.0.0.1:50051"
QUEUE_LIMIT: Final = 64
GRACE_S: Final = 0.5
LARGEST_REQUEST: Final = 64 * 1024

_STATUS: Final[dict[type[TonearmError], grpc.StatusCode]] = {
    AnalysisFailed: grpc.StatusCode.INTERNAL,
    AnalysisTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    AnalysisTooLong: grpc.StatusCode.DEADLINE_EXCEEDED,
    DecodeError: grpc.StatusCode.INVALID_ARGUMENT,
    FileMissing: grpc.StatusCode.NOT_FOUND,
    FingerprintServerBusy: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FingerprintServerFailed: grpc.StatusCode.INTERNAL,
    FingerprintTimeout: grpc.StatusCode.DEADLINE_EXCEEDED,
    NotEnoughAudio: grpc.StatusCode.FAILED_PRECONDITION,
    OutsideLibrary: grpc.StatusCode.PERMISSION_DENIED,
}

log = structlog.get_logger()


class FingerprintServicer:
    """Answers calls: checks the path, hands the request to the pool, passes the replies on.

    The deadline of a request and a cancel by the client both cancel the method, which stops the
    work in the pool.
    """

    def __init__(self, pool: WorkerPool, roots: Sequence[Path], executor: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._roots = tuple(roots)
        self._executor = executor

    def handler(self) -> grpc.GenericRpcHandler:
        """What a gRPC server needs to route calls here."""
        # Audio is passed on as it came; a worker reads it.
        measure_audio = grpc.stream_stream_rpc_method_handler(
            self.measure_audio, response_serializer=pb.MeasureReply.SerializeToString
        )
        measure = grpc.unary_stream_rpc_method_handler(
            self.measure,
            request_deserializer=pb.MeasureRequest.FromString,
            response_serializer=pb.MeasureReply.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(
            SERVICE_NAME, {"Measure": measure, "MeasureAudio": measure_audio}
        )

    async def measure(self, request: pb.MeasureRequest, context: grpc.aio.ServicerContext) -> None:
        """One call; errors go out as a status, a sentence and a code, never with a path or a cause."""
        try:
            await self._answer(request, context)
        except TonearmError as error:
            await _refuse(error, request.track_id, context)

    async def measure_audio(self, blocks: AsyncIterable[bytes], context: grpc.aio.ServicerContext) -> None:
        """One call of ``MeasureAudio``, for serialised blocks; errors as in ``measure``."""
        track_id = 0
        others = aiter(blocks)
        try:
            serialised = await _first_block(others)
            first = _parsed(serialised)
            track_id = first.track_id
            work = Work.BACKGROUND if first.background else Work.PLAY
            job = self._pool.employ(work, lambda worker: worker.measure_audio(serialised, others))
            await _pass_on(job, context)
        except TonearmError as error:
            await _refuse(error, track_id, context)

    async def _answer(self, request: pb.MeasureRequest, context: grpc.aio.ServicerContext) -> None:
        loop = asyncio.get_running_loop()
        path = await loop.run_in_executor(self._executor, permitted, request.path, self._roots)
        resolved = pb.MeasureRequest()
        resolved.CopyFrom(request)
        resolved.path = to_text(path)
        await _pass_on(self._pool.measure(resolved), context)


async def _pass_on(job: AsyncGenerator[pb.MeasureReply, None], context: grpc.aio.ServicerContext) -> None:
    async with contextlib.aclosing(job) as replies:
        async for reply in replies:
            await context.write(reply)


async def _refuse(error: TonearmError, track_id: int, context: grpc.aio.ServicerContext) -> None:
    status = _STATUS[type(error)]
    log.warning("Not measured", track_id=track_id, status=status.name, reason=str(error))
    await context.abort(status, error.sentence, ((CODE_METADATA, error.code),))


async def _first_block(blocks: AsyncIterator[bytes]) -> bytes:
    try:
        async with asyncio.timeout(SENDER_LIMIT_S):
            return await anext(blocks)
    except StopAsyncIteration:
        raise NotEnoughAudio("no audio at all") from None
    except TimeoutError as error:
        raise FingerprintTimeout(f"no audio for {SENDER_LIMIT_S:g} s") from error


def _parsed(serialised: bytes) -> pb.AudioBlock:
    block = pb.AudioBlock()
    try:
        block.ParseFromString(serialised)
    except MalformedMessage as error:
        raise DecodeError(f"not an AudioBlock: {error}") from error
    return block


class FingerprintServer:
    """The gRPC server with its pool, health and reflection.

    Args:
        roots: directories below which files may be read; none means that every request is refused.
        workers: most worker processes; see ``Slots``.
        queue: most plays, and most background requests, that wait for a worker.
    """

    def __init__(self, roots: Sequence[Path], workers: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="paths")
        self._health = health.aio.HealthServicer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pool = WorkerPool(WORKER_COMMAND, workers, queue, self._on_change)
        self._server = grpc.aio.server(
            options=(
                # Without this a second server shares the port in silence, and takes half the calls.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", LARGEST_REQUEST),
            )
        )
        servicer = FingerprintServicer(self._pool, roots, self._executor)
        self._server.add_generic_rpc_handlers((servicer.handler(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self, listen: str) -> str:
        """Listen on ``host:port`` (port 0: any free one) and return the address, port included.

        Raises:
            OSError: the address is taken or not of this machine.
        """
        await self._set_health(False)
        try:
            port = self._server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}") from error
        await self._server.start()
        self._pool.start()
        return f"{listen.rpartition(':')[0]}:{port}"

    async def stop(self) -> None:
        """Take no more requests, give the present ones ``GRACE_S``, end all workers."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(GRACE_S)
        await self._pool.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _on_change(self, works: bool) -> None:
        task = asyncio.create_task(self._set_health(works))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_health(self, works: bool) -> None:
        status = health_pb2.HealthCheckResponse
        for name in ("", SERVICE_NAME):
            await self._health.set(name, status.SERVING if works else status.NOT_SERVING)


async def serve(listen: str, roots: Sequence[Path], workers: int, queue: int = QUEUE_LIMIT) -> int:
    """Serve until SIGTERM, SIGINT or the end of the supervisor; return the exit code."""
    lifeline = Lifeline.inherited()
    server = FingerprintServer(roots, workers, queue)
    try:
        address = await server.start(listen)
    except OSError as error:
        log.warning("Fingerprint server cannot listen", reason=str(error))
        if lifeline is not None:
            await lifeline.say(TAKEN)
        return 1
    if not listen.startswith(("127.", "localhost:", "[::1]:")):
        log.warning("Fingerprint server is open to the network, and asks nobody who they are", listen=listen)
    log.info(
        "Fingerprint server is listening", address=address, roots=[str(r) for r in roots], workers=workers
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if lifeline is None:
        await stopped.wait()
    else:
        await lifeline.say(address)
        await _first(stopped.wait(), lifeline.cut())
    await server.stop()
    return 0


async def _first(*works: Coroutine[Any, Any, Any]) -> None:
    """Return when the first of them is done; the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def run_server(listen: str, roots: Sequence[Path], workers: int) -> int:
    """Run the fingerprint server in this process until it is told to stop. Blocking.

    Args:
        listen: ``host:port``; port 0 takes any free one.
        roots: directories below which files may be read; none means that every request is refused.
        workers: most worker processes, >= 1.

    Returns:
        The exit code: 0 when stopped, 1 when the address cannot be listened on.
    """
    return asyncio.run(serve(listen, roots, workers))


def main(arguments: Sequence[str]) -> int:
    """``python -m tonearm.fingerprints.service.server``: the server without the rest of the program."""
    parser = argparse.ArgumentParser(prog="fingerprint-server")
    parser.add_argument("--listen", default=DEFAULT_LISTEN, metavar="HOST:PORT")
    parser.add_argument("--root", action="append", default=[], type=Path, metavar="DIR")
    parser.add_argument("--workers", default=os.cpu_count() or 1, type=int)
    parser.add_argument("--queue", default=QUEUE_LIMIT, type=int)
    chosen = parser.parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    return asyncio.run(serve(chosen.listen, chosen.root, chosen.workers, chosen.queue))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
