"""What waits to be sent: order, bounds, and what is taken back."""

import asyncio

from tonearm.model.plan import Preset
from tonearm.model.stream import Heard, MeterReading
from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import AudioFrame, Place
from tonearm.protocol.messages import PlanChanged, StreamRequest, StreamType
from tonearm.protocol.news import News
from tonearm.protocol.requests import Transport
from tonearm.routers.outbox import MAX_FRAMES, MAX_REPLIES, Goodbye, Outbox

READING = MeterReading(Heard(-3.0, -20.0), Heard(-1.0, -14.0), 0.5)


def free_flow() -> Flow:
    return Flow(flow_controlled=False, paused=False)


def sound(epoch: int, seq: int = 0) -> AudioFrame:
    request = StreamRequest(
        track_id=1,
        stream_type=StreamType.NORMAL,
        preset=Preset.ADAPTIVE,
        intensity=1.0,
        start_position=0.0,
        transport=Transport.BINARY,
        epoch=epoch,
    )
    return AudioFrame(request, Place(seq, 0, 1, 0, 1), 1, 2, b"", READING)


def playing(epoch: int, flow: Flow | None = None) -> Outbox:
    outbox = Outbox(free_flow())
    outbox.restart(epoch, flow or free_flow(), [])
    return outbox


async def all_of(outbox: Outbox) -> list[object]:
    """Everything that can be taken without waiting."""
    taken = []
    while True:
        take = asyncio.ensure_future(outbox.take())
        await asyncio.sleep(0)
        if not take.done():
            take.cancel()
            return taken
        taken.append(take.result())


async def waits(put: asyncio.Task[None]) -> bool:
    for _ in range(3):
        await asyncio.sleep(0)
    return not put.done()


async def test_replies_go_first_and_events_keep_their_order():
    outbox = playing(1)
    await outbox.put(PlanChanged(1, 1, {}), 1)
    await outbox.put(sound(1), 1)
    await outbox.reply("pong")
    assert await all_of(outbox) == ["pong", PlanChanged(1, 1, {}), sound(1)]


async def test_sound_waits_for_room_and_words_do_not():
    outbox = playing(1)
    for seq in range(MAX_FRAMES):
        await outbox.put(sound(1, seq), 1)
    more = asyncio.create_task(outbox.put(sound(1, 99), 1))
    assert await waits(more)
    await outbox.put(PlanChanged(1, 1, {}), 1)
    await outbox.take()
    assert not await waits(more)


async def test_replies_are_bounded_too():
    outbox = playing(1)
    for _ in range(MAX_REPLIES):
        await outbox.reply("pong")
    more = asyncio.create_task(outbox.reply("pong"))
    assert await waits(more)
    await outbox.take()
    assert not await waits(more)


async def test_a_restart_takes_sound_back_and_keeps_what_was_said_for_sure():
    outbox = playing(1)
    await outbox.put(sound(1), 1)
    outbox.restart(2, free_flow(), ["end of 1", "seek_started"])
    outbox.restart(3, free_flow(), ["seek_started again"])
    await outbox.put(sound(3), 3)
    assert await all_of(outbox) == ["end of 1", "seek_started", "seek_started again", sound(3)]


async def test_what_comes_too_late_for_its_stream_is_dropped():
    outbox = playing(1)
    for seq in range(MAX_FRAMES):
        await outbox.put(sound(1, seq), 1)
    late = asyncio.create_task(outbox.put(sound(1, 99), 1))
    assert await waits(late)
    outbox.restart(2, free_flow(), [])
    assert not await waits(late)
    await outbox.put(PlanChanged(1, 1, {}), 1)
    assert await all_of(outbox) == []


async def test_held_sound_lets_replies_pass_and_goes_on_when_released():
    flow = free_flow()
    outbox = playing(1, flow)
    await outbox.put(sound(1), 1)
    flow.set_full(True)
    await outbox.reply("pong")
    assert await all_of(outbox) == ["pong"]
    take = asyncio.create_task(outbox.take())
    assert await waits(take)
    flow.set_full(False)
    assert await take == sound(1)


async def test_goodbye_comes_after_the_stream_has_been_ended():
    outbox = playing(1)
    await outbox.reply("pong")
    outbox.restart(0, free_flow(), ["end of 1"])
    outbox.say_goodbye(Goodbye(1001, "going"))
    assert await all_of(outbox) == ["end of 1", Goodbye(1001, "going")]


async def test_news_go_before_sound_and_only_the_latest_of_a_kind_waits():
    outbox = playing(1)
    await outbox.put(sound(1), 1)
    for number in range(10_000):
        outbox.tell(News("scan_progress", f"{number} files"))
    outbox.tell(News("library_updated", "more"))
    await outbox.reply("pong")
    assert await all_of(outbox) == ["pong", "9999 files", "more", sound(1)]
    outbox.tell(News("scan_progress", "again"))
    assert await all_of(outbox) == ["again"]


async def test_a_goodbye_is_not_kept_waiting_by_news():
    outbox = playing(1)
    outbox.tell(News("scan_progress", "1 file"))
    outbox.say_goodbye(Goodbye(1001, "gone"))
    assert await all_of(outbox) == [Goodbye(1001, "gone")]
