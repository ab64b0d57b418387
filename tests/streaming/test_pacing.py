"""How far a stream runs ahead: on a clock that the test moves."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.protocol.flow import Flow
from tonearm.streaming.pacing import Pacer, PlayClock


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_real_time_plays_what_was_sent():
    played = PlayClock(1_000)
    played.run(True, 0.0)
    played.send(5_000, 0.0)
    assert played.ahead(2.0) == pytest.approx(3_000)


def test_what_was_not_sent_cannot_have_been_played():
    played = PlayClock(1_000)
    played.run(True, 0.0)
    played.send(1_000, 0.0)
    played.send(1_000, 60.0)
    assert played.ahead(60.0) == pytest.approx(1_000)
    assert played.ahead(60.5) == pytest.approx(500)


def test_the_clock_stands_while_nothing_is_played():
    played = PlayClock(1_000)
    played.run(True, 0.0)
    played.send(5_000, 0.0)
    played.run(False, 1.0)
    assert played.ahead(50.0) == pytest.approx(4_000)
    played.run(True, 50.0)
    assert played.ahead(51.0) == pytest.approx(3_000)


@given(steps=st.lists(st.tuples(st.integers(0, 5_000), st.floats(0, 10), st.booleans()), max_size=30))
def test_never_less_than_nothing_lies_ahead(steps):
    played, now = PlayClock(1_000), 0.0
    for frames, seconds, running in steps:
        played.run(running, now)
        played.send(frames, now)
        now += seconds
        assert played.ahead(now) >= 0.0


async def fill(pacer: Pacer, frames: int) -> int:
    """Send frames until the pacer makes the stream wait; how many were sent."""
    sent = 0
    while True:
        turn = asyncio.ensure_future(pacer.turn(frames))
        for _ in range(3):
            await asyncio.sleep(0)
        if not turn.done():
            turn.cancel()
            return sent
        assert turn.result()
        pacer.sent(frames)
        sent += frames


def unheard() -> None:
    """Nobody counts what comes late."""


def pacer_on(
    clock: Clock,
    flow: Flow,
    rate: int = 44_100,
    channels: int = 2,
    capped: bool = False,
    late: Callable[[], None] = unheard,
) -> Pacer:
    return Pacer(flow, rate, channels, 20.0, capped, clock, late)


def begun(clock: Clock, pacer: Pacer) -> Pacer:
    """One that has run for some time, so that its lead may be as long as any."""
    pacer.sent(0)
    clock.now += 10
    return pacer


@pytest.mark.parametrize("paused", [False, True])
async def test_the_lead_grows_from_five_seconds_by_eight_in_a_second(paused):
    clock, flow = Clock(), Flow(flow_controlled=False, paused=paused)
    pacer = pacer_on(clock, flow)
    assert await fill(pacer, 22_050) == 5 * 44_100
    clock.now += 0.5
    played = 0.0 if paused else 0.5
    assert await fill(pacer, 22_050) == (4.0 + played) * 44_100
    clock.now += 2.0
    assert await fill(pacer, 22_050) == (20.0 - 9.0 + (0.0 if paused else 2.0)) * 44_100


async def test_waiting_for_the_lead_to_grow_ends_by_itself():
    loop = asyncio.get_running_loop()
    pacer = Pacer(Flow(flow_controlled=True, paused=True), 1_000, 2, 20.0, False, loop.time, unheard)
    began = loop.time()
    pacer.sent(5_000)
    assert await pacer.turn(800) is True
    assert loop.time() - began >= 0.09


async def test_a_stream_runs_twenty_seconds_ahead_and_no_further():
    clock, flow = Clock(), Flow(flow_controlled=False, paused=False)
    pacer = begun(clock, pacer_on(clock, flow))
    assert await fill(pacer, 22_050) == 20 * 44_100
    assert pacer.lead_s == pytest.approx(20.0)
    clock.now += 3.25
    assert await fill(pacer, 22_050) == 3 * 44_100


@pytest.mark.parametrize(
    ("rate", "channels"), [(44_100, 2), (96_000, 2), (192_000, 2), (44_100, 1), (8_000, 2)]
)
async def test_base64_is_capped_until_the_client_shows_flow_control(rate, channels):
    clock, flow = Clock(), Flow(flow_controlled=False, paused=False)
    pacer = begun(clock, pacer_on(clock, flow, rate, channels, capped=True))
    sent = await fill(pacer, rate // 4)
    assert sent * channels <= 1_000_000
    assert sent + rate // 4 > min(20 * rate, 1_000_000 // channels)
    flow.set_full(True)
    assert await fill(pacer, rate // 4) == 0
    flow.set_full(False)
    assert sent + await fill(pacer, rate // 4) == 20 * rate


async def test_a_pause_holds_at_once_and_stops_the_clock():
    clock, flow = Clock(), Flow(flow_controlled=False, paused=False)
    pacer = pacer_on(clock, flow)
    pacer.sent(44_100)
    flow.set_paused(True)
    assert await fill(pacer, 22_050) == 0
    clock.now += 1_000
    assert pacer.lead_s == pytest.approx(1.0)
    flow.set_paused(False)
    assert await fill(pacer, 22_050) == 19 * 44_100


async def test_a_stream_that_begins_in_a_pause_fills_its_lead_and_waits():
    clock, flow = Clock(), Flow(flow_controlled=False, paused=True)
    pacer = begun(clock, pacer_on(clock, flow))
    assert await fill(pacer, 22_050) == 20 * 44_100
    clock.now += 1_000
    assert await fill(pacer, 22_050) == 0
    flow.set_paused(False)
    clock.now += 1
    assert await fill(pacer, 22_050) == 44_100


async def test_waiting_ends_when_the_client_is_ready():
    flow = Flow(flow_controlled=True, paused=False)
    pacer = pacer_on(Clock(), flow)
    flow.set_full(True)
    turn = asyncio.create_task(pacer.turn(22_050))
    await asyncio.sleep(0)
    assert not turn.done()
    flow.set_full(False)
    assert await turn is True


async def test_waiting_ends_when_time_has_passed():
    flow = Flow(flow_controlled=True, paused=False)
    loop = asyncio.get_running_loop()
    pacer = Pacer(flow, 44_100, 2, 1.0, False, loop.time, unheard)
    pacer.sent(44_100)
    began = loop.time()
    assert await pacer.turn(4_410) is True
    assert loop.time() - began >= 0.09


async def test_news_end_a_wait_early():
    flow = Flow(flow_controlled=True, paused=False)
    pacer = pacer_on(Clock(), flow)
    flow.set_full(True)
    turn = asyncio.create_task(pacer.turn(22_050))
    await asyncio.sleep(0)
    pacer.nudge()
    assert await turn is False


async def test_news_that_come_between_two_waits_end_the_next_one_at_once():
    flow = Flow(flow_controlled=True, paused=False)
    pacer = pacer_on(Clock(), flow)
    flow.set_full(True)
    pacer.nudge()
    async with asyncio.timeout(20):
        assert await pacer.turn(22_050) is False
    turn = asyncio.create_task(pacer.turn(22_050))
    await asyncio.sleep(0)
    assert not turn.done(), "news are news once"
    turn.cancel()


def test_a_frame_is_late_once_real_time_has_overtaken_the_stream():
    clock, late = Clock(), []
    pacer = pacer_on(clock, Flow(flow_controlled=False, paused=False), late=lambda: late.append(clock.now))
    clock.now += 60
    pacer.sent(44_100)
    clock.now += 0.9
    pacer.sent(44_100)
    assert pacer.margin_s == pytest.approx(1.1)
    assert late == []
    clock.now += 1.2
    pacer.sent(44_100)
    assert late == [clock.now]
    clock.now += 0.5
    pacer.sent(44_100)
    assert len(late) == 1


@pytest.mark.parametrize("hold", [Flow.set_paused, Flow.set_full])
def test_what_the_client_held_back_itself_is_not_late(hold):
    clock, late, flow = Clock(), [], Flow(flow_controlled=False, paused=False)
    pacer = pacer_on(clock, flow, late=lambda: late.append(clock.now))
    pacer.sent(4_410)
    hold(flow, True)
    clock.now += 5
    # One that was in the works when the client said so.
    pacer.sent(4_410)
    assert pacer.margin_s is None
    clock.now += 5
    hold(flow, False)
    clock.now += 0.5
    pacer.sent(4_410)
    assert late == []
    clock.now += 5
    pacer.sent(4_410)
    assert late == [clock.now]
