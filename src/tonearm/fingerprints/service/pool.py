"""The pool of worker processes behind the fingerprint server."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Final

import structlog

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.pipe import BACKGROUND_FLAG
from tonearm.fingerprints.service.process import WorkerProcess
from tonearm.fingerprints.service.slots import Slots, Work
from tonearm.model.errors import FingerprintServerBusy, FingerprintServerFailed

SPARE_IDLE_S: Final = 60.0
"""Workers beyond the first end after this time without work."""

RETRY_FIRST_S: Final = 0.5
RETRY_LAST_S: Final = 30.0

log = structlog.get_logger()

Job = Callable[[WorkerProcess], AsyncGenerator[pb.MeasureReply, None]]
"""What a worker is hired for."""


class WorkerPool:
    """Processes for plays and nice ones for background work, started when needed, each with one request
    at a time.

    A worker that dies fails the request it had and nothing else; one that does not stop when told
    to is killed. One worker for plays is always kept warm. How many there are, and whose turn it is,
    see ``Slots``.

    Args:
        command: the command line of a worker.
        workers: most processes at a time, >= 1; for 1, background work has one beside it.
        queue: most requests of either kind that wait for a process; one more is refused.
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
        self._commands = {Work.PLAY: tuple(command), Work.BACKGROUND: (*command, BACKGROUND_FLAG)}
        self._slots = Slots(workers, queue)
        self._on_change = on_change
        self._spare_idle_s = spare_idle_s
        self._idle: dict[Work, list[tuple[float, WorkerProcess]]] = {work: [] for work in Work}
        self._alive: dict[Work, set[WorkerProcess]] = {work: set() for work in Work}
        self._starting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._warming = False
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers."""
        return sorted(worker.pid for alive in self._alive.values() for worker in alive)

    def start(self) -> None:
        """Start the first worker in the background."""
        self._keep_warm()

    async def measure(self, request: pb.MeasureRequest) -> AsyncGenerator[pb.MeasureReply, None]:
        """Have one file measured; as ``employ``.

        Raises:
            DecodeError, NotEnoughAudio, FileMissing: the verdict on the file.
            AnalysisFailed: the worker died on it, or used up what one file may take.
        """
        work = Work.BACKGROUND if request.background else Work.PLAY
        async with aclosing(self.employ(work, lambda worker: worker.measure(request))) as replies:
            async for reply in replies:
                yield reply

    async def employ(self, work: Work, job: Job) -> AsyncGenerator[pb.MeasureReply, None]:
        """Hire a worker for one job. Closing or cancelling the iterator stops the work.

        Raises:
            FingerprintServerBusy: the queue is full.
            FingerprintServerFailed: a worker cannot be started.
            And whatever the job raises.
        """
        await self._slots.take(work)
        hired = asyncio.create_task(self._hire(work))
        try:
            # A new worker goes on starting when the one who asked for it no longer waits.
            worker = await asyncio.shield(hired)
            async with aclosing(job(worker)) as replies:
                async for reply in replies:
                    yield reply
        finally:
            self._spawn(self._give_back(work, hired))

    async def close(self) -> None:
        """Kill all workers and wait until they are gone."""
        self._closed = True
        workers = [worker for alive in self._alive.values() for worker in alive]
        for worker in workers:
            worker.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.gone.wait() for worker in workers))

    async def _hire(self, work: Work) -> WorkerProcess:
        if self._idle[work]:
            return self._idle[work].pop()[1]
        return await self._start_worker(work)

    def _make_room(self) -> None:
        """End the idle worker of the other kind that stands in the way of one more process."""
        for idle in self._idle.values():
            while idle and self._starting + sum(map(len, self._alive.values())) >= self._slots.total:
                self._dismiss(idle.pop(0)[1])

    async def _give_back(self, work: Work, hired: asyncio.Task[WorkerProcess]) -> None:
        """End a request: its slot is free once its worker is idle or gone."""
        try:
            worker = await hired
            if worker.busy:
                await worker.stop()
            if worker.busy:
                await worker.gone.wait()
            if not worker.gone.is_set():
                self._rest(work, worker)
        except FingerprintServerFailed:
            # It could not be started, which the one who asked has been told.
            pass
        finally:
            self._slots.release(work)

    def _rest(self, work: Work, worker: WorkerProcess) -> None:
        loop = asyncio.get_running_loop()
        self._idle[work].append((loop.time(), worker))
        loop.call_later(self._spare_idle_s, self._end_spares)

    def _end_spares(self) -> None:
        """End workers that have been idle for long; the lists are used as stacks, oldest first."""
        # Timers may fire a clock tick early.
        latest = asyncio.get_running_loop().time() - self._spare_idle_s + 0.01
        for work, idle in self._idle.items():
            kept = 1 if work is Work.PLAY else 0
            while idle and len(self._alive[work]) > kept and idle[0][0] <= latest:
                self._dismiss(idle.pop(0)[1])

    def _dismiss(self, worker: WorkerProcess) -> None:
        for alive in self._alive.values():
            alive.discard(worker)
        worker.kill()

    async def _start_worker(self, work: Work) -> WorkerProcess:
        self._make_room()
        self._starting += 1
        try:
            worker = await WorkerProcess.start(self._commands[work])
        except FingerprintServerFailed:
            self._on_change(False)
            self._keep_warm()
            raise
        finally:
            self._starting -= 1
        self._alive[work].add(worker)
        self._spawn(self._watch(work, worker))
        self._on_change(True)
        return worker

    async def _watch(self, work: Work, worker: WorkerProcess) -> None:
        """Forget a worker once it is gone, and see that there is another."""
        await worker.gone.wait()
        self._idle[work] = [(since, other) for since, other in self._idle[work] if other is not worker]
        if worker in self._alive[work]:
            self._alive[work].discard(worker)
            log.warning("Fingerprint worker ended", pid=worker.pid, work=work.value)
        self._keep_warm()

    def _keep_warm(self) -> None:
        if not (self._alive[Work.PLAY] or self._warming or self._closed):
            self._warming = True
            self._spawn(self._start_first())

    async def _start_first(self) -> None:
        delay_s = RETRY_FIRST_S
        try:
            while not self._alive[Work.PLAY]:
                if await self._started_idle():
                    return
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RETRY_LAST_S)
        finally:
            self._warming = False

    async def _started_idle(self) -> bool:
        """Start a worker for plays unless there is one by now; False if that is to be tried again."""
        try:
            await self._slots.take(Work.PLAY)
        except FingerprintServerBusy:
            return False
        try:
            if not self._alive[Work.PLAY]:
                self._rest(Work.PLAY, await self._start_worker(Work.PLAY))
        except FingerprintServerFailed as error:
            log.warning("Fingerprint worker does not start", reason=str(error))
            return False
        finally:
            self._slots.release(Work.PLAY)
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
