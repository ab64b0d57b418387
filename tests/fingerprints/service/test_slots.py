"""Who works next: plays first, one place for them alone, each kind in the order of asking."""

import asyncio

import pytest

from tonearm.fingerprints.service.slots import Slots, Work
from tonearm.model.errors import FingerprintServerBusy

PLAY, BACKGROUND = Work.PLAY, Work.BACKGROUND


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def waiting(slots: Slots, work: Work) -> asyncio.Task[None]:
    return asyncio.create_task(slots.take(work))


@pytest.mark.parametrize(("workers", "plays", "background"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (8, 8, 7)])
async def test_each_kind_has_its_most(workers: int, plays: int, background: int) -> None:
    for work, most in ((PLAY, plays), (BACKGROUND, background)):
        slots = Slots(workers, 20)
        tasks = [waiting(slots, work) for _ in range(most + 1)]
        await settled()
        assert [task.done() for task in tasks] == [True] * most + [False]
        tasks[-1].cancel()


@pytest.mark.parametrize("workers", [1, 2, 5])
async def test_a_play_never_waits_for_background_work_alone(workers: int) -> None:
    slots = Slots(workers, 20)
    crowd = [waiting(slots, BACKGROUND) for _ in range(10)]
    await settled()
    await asyncio.wait_for(slots.take(PLAY), 1)
    for task in crowd:
        task.cancel()


async def test_a_free_slot_goes_to_the_play_that_waited_longest() -> None:
    slots = Slots(2, 20)
    await slots.take(PLAY)
    await slots.take(PLAY)
    background = waiting(slots, BACKGROUND)
    await settled()
    first, second = waiting(slots, PLAY), waiting(slots, PLAY)
    await settled()
    slots.release(PLAY)
    await settled()
    assert (first.done(), second.done(), background.done()) == (True, False, False)
    slots.release(PLAY)
    await settled()
    assert (second.done(), background.done()) == (True, False)
    slots.release(PLAY)
    await settled()
    assert background.done()


async def test_each_kind_has_a_queue_of_its_own_that_ends() -> None:
    slots = Slots(1, 2)
    tasks = [waiting(slots, work) for work in (PLAY, BACKGROUND) for _ in range(3)]
    await settled()
    for work in Work:
        with pytest.raises(FingerprintServerBusy):
            await slots.take(work)
    for task in tasks:
        task.cancel()


async def test_one_who_stops_waiting_leaves_no_gap() -> None:
    slots = Slots(1, 2)
    await slots.take(PLAY)
    gone, stays = waiting(slots, PLAY), waiting(slots, PLAY)
    await settled()
    gone.cancel()
    await settled()
    slots.release(PLAY)
    await asyncio.wait_for(stays, 1)
    slots.release(PLAY)
    await asyncio.wait_for(slots.take(PLAY), 1)


async def test_a_slot_that_comes_with_the_cancel_is_passed_on() -> None:
    slots = Slots(1, 2)
    await slots.take(PLAY)
    gone, stays = waiting(slots, PLAY), waiting(slots, PLAY)
    await settled()
    slots.release(PLAY)
    gone.cancel()
    await asyncio.wait_for(stays, 1)
    with pytest.raises(asyncio.CancelledError):
        await gone
    slots.release(PLAY)
    await asyncio.wait_for(slots.take(PLAY), 1)


def test_no_workers_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Slots(0, 1)
