"""The pool of worker processes behind the fingerprint server."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Final

import structlog

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.process import WorkerProcess
from tonearm.model.errors import FingerprintServerBusy, FingerprintServerFailed

SPARE_IDLE_S: Final = 60.0
"""Workers beyond the first end after this time without work."""

RETRY_FIRST_S: Final = 0.5
RETRY_LAST_S: Final = 30.0

log = structlog.get_logger()


class WorkerPool:
    """At most ``workers`` processes, started when needed, each with one request at a time.

    A worker that dies fails the request it had and nothing else; one that does not stop when told
    to is killed. One worker is always kept warm.

    Args:
        command: the command line of a worker.
        workers: most processes at a time, >= 1.
        queue: most requests that wait for a process; one more is refused.
        on_change: told True when a worker can be had, False when none can be started.
        spare_idle_s: after this time without work, workers beyond the first end.
    """

    def __init__(
        self,
        command: Sequence[str],
        workers: int,
        queue: int,
        on_change: Callable[[bool], None],
        spare_idle_s: float = SPARE_IDLE_S,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self._command = tuple(command)
        self._slots = asyncio.Semaphore(workers)
        self._queue = queue
        self._waiting = 0
        self._on_change = on_change
        self._spare_idle_s = spare_idle_s
        self._idle: list[tuple[float, WorkerProcess]] = []
        self._alive: set[WorkerProcess] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._warming = False
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers."""
        return sorted(worker.pid for worker in self._alive)

    def start(self) -> None:
        """Start the first worker in the background."""
        self._keep_warm()

    async def measure(self, request: pb.MeasureRequest) -> AsyncGenerator[pb.MeasureReply, None]:
        """Have one file measured. Closing or cancelling the iterator stops the work.

        Raises:
            FingerprintServerBusy: the queue is full.
            FingerprintServerFailed: the worker died or cannot be started.
            DecodeError, NotEnoughAudio, FileMissing: the verdict on the file.
        """
        await self._take_slot()
        hired = asyncio.create_task(self._hire())
        try:
            # A new worker goes on starting when the one who asked for it no longer waits.
            worker = await asyncio.shield(hired)
            async with aclosing(worker.measure(request)) as replies:
                async for reply in replies:
                    yield reply
        finally:
            self._spawn(self._give_back(hired))

    async def close(self) -> None:
        """Kill all workers and wait until they are gone."""
        self._closed = True
        for worker in self._alive:
            worker.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.gone.wait() for worker in self._alive))

    async def _take_slot(self) -> None:
        if self._slots.locked() and self._waiting >= self._queue:
            raise FingerprintServerBusy(f"{self._waiting} requests are waiting already")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1

    async def _hire(self) -> WorkerProcess:
        return self._idle.pop()[1] if self._idle else await self._start_worker()

    async def _give_back(self, hired: asyncio.Task[WorkerProcess]) -> None:
        """End a request: its slot is free once its worker is idle or gone."""
        try:
            worker = await hired
            if worker.busy:
                await worker.stop()
            if worker.busy:
                await worker.gone.wait()
            if not worker.gone.is_set():
                self._rest(worker)
        except FingerprintServerFailed:
            # It could not be started, which the one who asked has been told.
            pass
        finally:
            self._slots.release()

    def _rest(self, worker: WorkerProcess) -> None:
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time(), worker))
        loop.call_later(self._spare_idle_s, self._end_spares)

    def _end_spares(self) -> None:
        """End workers that have been idle for long; the list is used as a stack, oldest first."""
        now = asyncio.get_running_loop().time()
        # Timers may fire a clock tick early.
        while self._idle and len(self._alive) > 1 and now - self._idle[0][0] >= self._spare_idle_s - 0.01:
            worker = self._idle.pop(0)[1]
            self._alive.discard(worker)
            worker.kill()

    async def _start_worker(self) -> WorkerProcess:
        try:
            worker = await WorkerProcess.start(self._command)
        except FingerprintServerFailed:
            self._on_change(False)
            self._keep_warm()
            raise
        self._alive.add(worker)
        self._spawn(self._watch(worker))
        self._on_change(True)
        return worker

    async def _watch(self, worker: WorkerProcess) -> None:
        """Forget a worker once it is gone, and see that there is another."""
        await worker.gone.wait()
        self._idle = [(since, other) for since, other in self._idle if other is not worker]
        if worker in self._alive:
            self._alive.discard(worker)
            log.warning("Fingerprint worker ended", pid=worker.pid)
        self._keep_warm()

    def _keep_warm(self) -> None:
        if not (self._alive or self._warming or self._closed):
            self._warming = True
            self._spawn(self._start_first())

    async def _start_first(self) -> None:
        delay_s = RETRY_FIRST_S
        try:
            while not self._alive:
                async with self._slots:
                    if not self._alive and await self._started_idle():
                        return
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RETRY_LAST_S)
        finally:
            self._warming = False

    async def _started_idle(self) -> bool:
        try:
            self._rest(await self._start_worker())
        except FingerprintServerFailed as error:
            log.warning("Fingerprint worker does not start", reason=str(error))
            return False
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
