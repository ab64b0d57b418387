"""The render pool: order, and who touches a renderer when."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from tonearm.model.errors import DecodeError, ProcessorUnavailable
from tonearm.streaming.pool import OPENING_LEAD_S, PooledRenderer, RenderPool


class Gated:
    """A renderer whose read waits for the test, and that notices being closed in the middle of one."""

    def __init__(self) -> None:
        self.reading = threading.Event()
        self.go_on = threading.Event()
        self.closed = threading.Event()
        self.closed_while_reading = False
        self.closed_in = ""
        self._busy = False

    def read(self, frames: int) -> np.ndarray:
        self._busy = True
        self.reading.set()
        assert self.go_on.wait(10)
        self._busy = False
        return np.zeros((frames, 2), np.float32)

    def close(self) -> None:
        self.closed_while_reading = self._busy
        self.closed_in = threading.current_thread().name
        self.closed.set()


@pytest.fixture
def pool() -> Iterator[RenderPool]:
    made = RenderPool(1)
    yield made
    made.close(5)


async def waited(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, 10)


def test_the_least_lead_goes_first_and_equals_in_order(pool):
    gate, started, done = threading.Event(), threading.Event(), []

    def blocker() -> None:
        started.set()
        gate.wait(10)

    pool.submit(0.0, blocker)
    assert started.wait(10)
    futures = [
        pool.submit(lead, lambda name=name: done.append(name))
        for lead, name in [(900, "rich"), (50, "poor"), (300, "first"), (300, "second"), (0, "starving")]
    ]
    gate.set()
    for future in futures:
        future.result(10)
    assert done == ["starving", "poor", "first", "second", "rich"]


def test_a_lead_shrinks_while_its_step_waits(pool):
    gate, started, done = threading.Event(), threading.Event(), []

    def blocker() -> None:
        started.set()
        gate.wait(10)

    pool.submit(0.0, blocker)
    assert started.wait(10)
    waiting = pool.submit(0.3, lambda: done.append("waited"))
    time.sleep(0.2)
    later = pool.submit(0.2, lambda: done.append("came later"))
    gate.set()
    waiting.result(10)
    later.result(10)
    assert done == ["waited", "came later"]


def test_errors_reach_whoever_waits_and_the_thread_goes_on(pool):
    def broken() -> None:
        raise DecodeError("no")

    with pytest.raises(DecodeError):
        pool.submit(0.0, broken).result(10)
    assert pool.submit(0.0, lambda: 7).result(10) == 7


def test_the_pool_is_pressed_while_someone_who_is_about_to_run_dry_waits_or_is_served(pool):
    assert not pool.pressed()
    plenty, opening = Gated(), Gated()
    first = pool.submit(3600.0, lambda: plenty.read(1))
    assert plenty.reading.wait(10)
    assert not pool.pressed(), "who has an hour left is in no hurry"
    second = pool.submit(OPENING_LEAD_S, lambda: opening.read(1))
    assert pool.pressed(), "someone waits for the first sound"
    plenty.go_on.set()
    first.result(10)
    assert opening.reading.wait(10)
    assert pool.pressed(), "it is being made"
    opening.go_on.set()
    second.result(10)
    # The thread says so right after it has told the result.
    assert pool.submit(3600.0, pool.pressed).result(10) is False


def test_closing_finishes_what_is_queued_and_takes_no_more():
    pool = RenderPool(2)
    futures = [pool.submit(0.0, lambda n=n: n) for n in range(20)]
    pool.close(10)
    assert [future.result(0) for future in futures] == list(range(20))
    with pytest.raises(ProcessorUnavailable):
        pool.submit(0.0, lambda: None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("render-")]


async def test_a_cancelled_stream_lets_its_step_finish_before_it_is_closed():
    pool, gated = RenderPool(2), Gated()

    async def stream() -> None:
        async with await PooledRenderer.open(pool, lambda: gated) as renderer:
            await renderer.run(0.0, lambda opened: opened.read(10))

    task = asyncio.create_task(stream())
    assert await waited(gated.reading)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()
    assert not gated.closed.is_set()
    # The other worker is free, and has nothing to do before the step is over.
    assert await asyncio.wrap_future(pool.submit(9.0, lambda: not gated.closed.is_set()))
    gated.go_on.set()
    assert await waited(gated.closed)
    assert not gated.closed_while_reading
    assert gated.closed_in.startswith("render-")
    pool.close(5)


async def test_a_renderer_that_is_left_amid_a_step_is_not_kept(pool):
    """Nothing leads back to it, so it is freed at once and not when garbage is collected."""
    left, gone, go_on = Gated(), threading.Event(), threading.Event()
    reading, closed = left.reading, left.closed
    weakref.finalize(left, gone.set)
    left.go_on = go_on

    async def stream(renderer: Gated) -> None:
        async with await PooledRenderer.open(pool, lambda: renderer) as opened:
            await opened.run(0.0, lambda gated: gated.read(10))

    gc.collect()
    gc.disable()
    try:
        task = asyncio.create_task(stream(left))
        assert await waited(reading)
        task.cancel()
        await asyncio.wait([task])
        del task, left
        go_on.set()
        assert await waited(closed)
        assert await waited(gone)
    finally:
        gc.enable()


async def test_a_step_that_was_cancelled_in_the_queue_is_never_done(pool):
    gated, other = Gated(), Gated()
    blocked = asyncio.wrap_future(pool.submit(0.0, lambda: gated.read(1)))
    assert await waited(gated.reading)
    step = asyncio.create_task(PooledRenderer(pool, other).run(1.0, lambda opened: opened.read(1)))
    await asyncio.sleep(0)
    step.cancel()
    await asyncio.wait([step])
    gated.go_on.set()
    await blocked
    await asyncio.wrap_future(pool.submit(9.0, lambda: None))
    assert not other.reading.is_set()


async def test_a_renderer_that_is_opened_for_nobody_is_closed(pool):
    gated, opening, go_on = Gated(), threading.Event(), threading.Event()

    def make() -> Gated:
        opening.set()
        go_on.wait(10)
        return gated

    task = asyncio.create_task(PooledRenderer.open(pool, make))
    assert await waited(opening)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    go_on.set()
    assert await waited(gated.closed)
    assert gated.closed_in.startswith("render-")


async def test_a_renderer_takes_one_step_at_a_time(pool):
    gated = Gated()
    renderer = PooledRenderer(pool, gated)
    step = asyncio.create_task(renderer.run(0.0, lambda opened: opened.read(1)))
    assert await waited(gated.reading)
    with pytest.raises(RuntimeError, match="one step"):
        await renderer.run(0.0, lambda opened: opened.read(1))
    with pytest.raises(RuntimeError, match="middle"):
        renderer.still  # noqa: B018
    gated.go_on.set()
    assert len(await step) == 1
    assert renderer.still is gated


async def test_a_renderer_left_when_the_pool_is_gone_is_closed_all_the_same():
    pool, gated = RenderPool(1), Gated()
    async with PooledRenderer(pool, gated):
        pool.close(5)
    assert gated.closed.is_set()


def test_no_pool_without_workers():
    with pytest.raises(ValueError, match="one worker"):
        RenderPool(0)
