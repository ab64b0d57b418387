"""The threads in which sound is made: few of them, and the stream with the least lead goes first.

A step is short (at most 0.5 s of audio), so a fair order is all it takes for many streams to share
a few cores. A stream that is cancelled leaves its running step to finish; its renderer is closed in
the pool after that, never beside it.
"""

import asyncio
import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from tonearm.model.errors import ProcessorUnavailable

OPENING_LEAD_S: Final = 0.5
"""Where a stream that has not begun stands in the queue: behind those that are about to run dry."""


class Closing(Protocol):
    """What is let go of when its stream has ended."""

    def close(self) -> None: ...


PRESSING_S: Final = 2.0
"""Who has less than this left is about to run dry."""

T = TypeVar("T")
R = TypeVar("R", bound=Closing)


@dataclass(order=True, slots=True)
class _Job:
    dry_at: float
    """When its listener has nothing left, on the clock."""
    number: int
    work: Callable[[], Any] = field(compare=False)
    future: Future[Any] = field(compare=False)


class RenderPool:
    """``workers`` threads that do first what is needed first: the step of the least lead.

    Leads shrink while steps wait, so a step is done before all that are submitted after its listener
    would have come as near to the end: none waits for ever behind those that come with less.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"wanted at least one worker, got {workers}")
        self._jobs: list[_Job] = []
        self._begun: dict[int, float] = {}
        self._numbers = itertools.count()
        self._arrived = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"render-{n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, lead_s: float, work: Callable[[], T]) -> Future[T]:
        """Do ``work`` in the pool, before all that have a larger lead now.

        Raises:
            ProcessorUnavailable: the pool is closed.
        """
        future: Future[T] = Future()
        with self._arrived:
            if self._closed:
                raise ProcessorUnavailable("the render pool is closed")
            heapq.heappush(self._jobs, _Job(time.monotonic() + lead_s, next(self._numbers), work, future))
            self._arrived.notify()
        return future

    def pressed(self) -> bool:
        """Whether sound is being made, or waits to be, for someone who is about to run dry or has not heard
        anything yet. Who works for nobody in particular does well to stand aside then."""
        with self._arrived:
            soonest = min((*self._begun.values(), *(job.dry_at for job in self._jobs[:1])), default=math.inf)
        # What goes before everything is nobody's sound.
        return -math.inf < soonest < time.monotonic() + PRESSING_S

    def close(self, patience_s: float) -> None:
        """Finish what is queued, take nothing more, and wait at most ``patience_s`` for the threads."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
        deadline = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while (job := self._next()) is not None:
            _do(job)
            with self._arrived:
                del self._begun[job.number]
            # A waiting thread must not keep a closed renderer alive.
            del job

    def _next(self) -> _Job | None:
        with self._arrived:
            while not self._jobs:
                if self._closed:
                    return None
                self._arrived.wait()
            job = heapq.heappop(self._jobs)
            self._begun[job.number] = job.dry_at
            return job


def _do(job: _Job) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    try:
        result = job.work()
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits, as executors do
        job.future.set_exception(error)
    else:
        job.future.set_result(result)


class PooledRenderer(Generic[R]):
    """A renderer that only the pool's threads touch, one step at a time.

    An asynchronous context: leaving it closes the renderer in the pool, without waiting for that.
    """

    def __init__(self, pool: RenderPool, renderer: R) -> None:
        self._pool = pool
        self._renderer = renderer
        self._step: Future[Any] = Future()
        self._step.set_result(None)

    @classmethod
    async def open(cls, pool: RenderPool, make: Callable[[], R]) -> Self:
        """Make a renderer in the pool; one that is finished after its stream was cancelled is closed."""
        future = pool.submit(OPENING_LEAD_S, make)
        try:
            renderer = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(lambda made: _close_orphan(pool, made))
            raise
        return cls(pool, renderer)

    @property
    def still(self) -> R:
        """The renderer, to read what it says about itself between two steps.

        Raises:
            RuntimeError: a step is running.
        """
        if not self._step.done():
            raise RuntimeError("the renderer is in the middle of a step")
        return self._renderer

    async def run(self, lead_s: float, step: Callable[[R], T]) -> T:
        """Do one step on the renderer in the pool.

        Raises:
            RuntimeError: the step before is still running.
            ProcessorUnavailable: the pool is closed.
        """
        if not self._step.done():
            raise RuntimeError("a renderer takes one step at a time")
        self._step = self._pool.submit(lead_s, lambda: step(self._renderer))
        result: T = await asyncio.wrap_future(self._step)
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A future keeps its callbacks: one that led back to it would keep the renderer in memory.
        pool, renderer = self._pool, self._renderer
        self._step.add_done_callback(lambda _: _close(pool, renderer))


def _close_orphan(pool: RenderPool, made: Future[R]) -> None:
    if not made.cancelled() and made.exception() is None:
        _close(pool, made.result())


def _close(pool: RenderPool, renderer: Closing) -> None:
    try:
        pool.submit(0.0, renderer.close)
    except ProcessorUnavailable:
        # The pool is going down: its threads take nothing more, and the step is over.
        renderer.close()
