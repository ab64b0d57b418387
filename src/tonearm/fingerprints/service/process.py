"""One worker process, seen from the server: started, given one request at a time, stopped, killed."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final, Self

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service import pipe
from tonearm.fingerprints.service.limits import CPU_SIGNAL
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FileMissing,
    FingerprintServerFailed,
    FingerprintTimeout,
    NotEnoughAudio,
    TonearmError,
)

WORKER_COMMAND: Final = (sys.executable, "-m", "tonearm.fingerprints.service.worker")

START_LIMIT_S: Final = 300.0
"""Compiling every kernel for the first time on a small machine takes minutes."""

STALL_LIMIT_S: Final = 120.0
"""A worker that has said nothing for this long is stuck, whatever the deadline of the request. The
end of a long file is silent for some seconds of CPU, and background work gets little of it at times."""

FILE_LIMIT_S: Final = 1200.0
"""The longest that one file may take. The kernel limits the CPU time (see ``limits``); this is for
what is slow without using any, such as a disk that hands out one block a minute."""

SENDER_LIMIT_S: Final = 10.0
"""Whoever sends audio may not keep a worker waiting for longer."""

STOP_LIMIT_S: Final = 0.5

_ONE_THREAD: Final = {
    # Workers are the unit of parallelism; threads inside them would only fight for the cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}

_VERDICTS: Final[dict[str, type[TonearmError]]] = {
    error.code: error for error in (AnalysisTooLarge, DecodeError, FileMissing, NotEnoughAudio)
}


class WorkerProcess:
    """A process that measures; ``start`` makes one.

    Attributes:
        busy: a request has been sent and its end has not been received.
        gone: set once the process has ended, for whatever reason.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._frames: asyncio.Queue[tuple[bytes, bytes] | None] = asyncio.Queue()
        self._pump = asyncio.create_task(self._read_frames())
        self._fault: FingerprintTimeout | None = None
        self.busy = False
        self.gone = asyncio.Event()

    @classmethod
    async def start(cls, command: Sequence[str]) -> Self:
        """Start a worker by its command line and wait until it is warm.

        Raises:
            FingerprintServerFailed: it ended, or did not get ready in time.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
            start_new_session=True,
        )
        worker = cls(process)
        try:
            ready = await worker._next_frame(START_LIMIT_S)
        except TimeoutError as error:
            worker.kill()
            raise FingerprintServerFailed(f"worker {worker.pid}: not ready in time") from error
        except BaseException:
            worker.kill()
            raise
        if ready is None:
            raise FingerprintServerFailed(f"worker {worker.pid} did not start: {process.returncode}")
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    def measure(self, request: pb.MeasureRequest) -> AsyncGenerator[pb.MeasureReply, None]:
        """Have one file measured; the last reply holds the result.

        Raises:
            DecodeError, NotEnoughAudio, FileMissing: the worker's verdict on the file.
            AnalysisTooLong, AnalysisTooLarge: it used up what one file may take.
            AnalysisFailed: the worker died.
        """
        self.busy = True
        self._fault = None
        self._send(pipe.MEASURE, request.SerializeToString())
        return self._replies()

    async def measure_audio(
        self, first: bytes, others: AsyncIterator[bytes]
    ) -> AsyncGenerator[pb.MeasureReply, None]:
        """Have serialised AudioBlocks measured, which are asked for no faster than the worker takes them.

        Raises:
            FingerprintTimeout: the next block did not come in time.
            And as ``measure``.
        """
        self.busy = True
        self._fault = None
        self._send(pipe.BEGIN, first)
        feeding = asyncio.create_task(self._feed(others))
        try:
            yield pb.MeasureReply(progress=pb.Progress(frames=0))
            async with aclosing(self._replies()) as replies:
                async for reply in replies:
                    yield reply
        finally:
            feeding.cancel()

    async def _feed(self, blocks: AsyncIterator[bytes]) -> None:
        assert self._process.stdin is not None
        try:
            while True:
                async with asyncio.timeout(SENDER_LIMIT_S):
                    block = await anext(blocks)
                self._send(pipe.BLOCK, block)
                await self._process.stdin.drain()
        except StopAsyncIteration:
            self._send(pipe.END)
        except TimeoutError:
            self._fault = FingerprintTimeout(f"no audio for {SENDER_LIMIT_S:g} s")
            self._send(pipe.STOP)
        except ConnectionError:
            # The worker is gone, which whoever reads its replies finds out.
            return

    async def _replies(self) -> AsyncGenerator[pb.MeasureReply, None]:
        loop = asyncio.get_running_loop()
        latest = loop.time() + FILE_LIMIT_S
        while self.busy:
            kind, payload = await self._receive(min(STALL_LIMIT_S, latest - loop.time()))
            if kind == pipe.REPLY:
                reply = pb.MeasureReply.FromString(payload)
                self.busy = not reply.HasField("result")
                yield reply
            elif kind == pipe.ERROR:
                code, _, text = payload.decode().partition("\n")
                error = _VERDICTS.get(code, FingerprintServerFailed)
                # A worker that ran out of memory leaves; it stays busy until it is gone.
                self.busy = error is AnalysisTooLarge
                raise error(text)
            elif kind == pipe.STOPPED and self._fault is not None:
                self.busy = False
                raise self._fault
            else:
                raise FingerprintServerFailed(f"worker {self.pid}: unexpected {kind!r}")

    async def stop(self) -> None:
        """Have the worker drop its request; kill it if it does not at once. Never raises."""
        self._send(pipe.STOP)
        # A task of its own: in one that is being cancelled, as the caller's is when a client hangs up,
        # asyncio.timeout of Python 3.11.2 raises CancelledError, and a stuck worker would be kept.
        dropping = asyncio.ensure_future(self._drop())
        dropped = False
        try:
            done, _ = await asyncio.wait({dropping}, timeout=STOP_LIMIT_S)
            dropped = bool(done) and dropping.exception() is None
        finally:
            # Also when the whole server stops, which cancels this wait.
            dropping.cancel()
            await asyncio.gather(dropping, return_exceptions=True)
            if not dropped:
                self.kill()

    async def _drop(self) -> None:
        """Read on until the worker says that it has nothing to do any more."""
        while self.busy:
            kind, payload = await self._receive(STOP_LIMIT_S)
            self.busy = kind == pipe.REPLY and not pb.MeasureReply.FromString(payload).HasField("result")

    def kill(self) -> None:
        """End the process now; ``gone`` is set when it has ended."""
        if self._process.returncode is None:
            self._process.kill()

    def _send(self, kind: bytes, payload: bytes = b"") -> None:
        # A request is small and the worker is idle or dead, so the pipe never fills. Writing to a
        # dead one is noticed by the reader.
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(pipe.frame(kind, payload))

    async def _receive(self, limit_s: float) -> tuple[bytes, bytes]:
        """What the worker says next about the file that it has."""
        try:
            received = await self._next_frame(limit_s)
        except TimeoutError as error:
            raise AnalysisTooLong(f"worker {self.pid}: no word or no end in time") from error
        if received is None:
            if self._process.returncode == -CPU_SIGNAL:
                raise AnalysisTooLong(f"worker {self.pid} used up its CPU time")
            raise AnalysisFailed(f"worker {self.pid} died: {self._process.returncode}")
        return received

    async def _next_frame(self, limit_s: float) -> tuple[bytes, bytes] | None:
        async with asyncio.timeout(limit_s):
            return await self._frames.get()

    async def _read_frames(self) -> None:
        """Read frames until the process ends. A task of its own, so that no cancelled request can
        leave half a frame in the pipe."""
        assert self._process.stdout is not None
        try:
            while True:
                header = await self._process.stdout.readexactly(pipe.HEADER.size)
                kind, length = pipe.HEADER.unpack(header)
                self._frames.put_nowait((kind, await self._process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            await self._process.wait()
            self._frames.put_nowait(None)
            self.gone.set()
