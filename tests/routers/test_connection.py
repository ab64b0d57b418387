"""One connection under a client that says anything at any time; in memory, so that every order occurs."""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numbered import RATE, Numbers, assert_streams_are_told_apart
from prometheus_client import CollectorRegistry

from tonearm.model.preferences import Preferences
from tonearm.protocol.flow import Flow
from tonearm.protocol.heard import LEAST_S, Heard
from tonearm.protocol.messages import StreamRequest
from tonearm.protocol.requests import Transport
from tonearm.protocol.session import Session
from tonearm.routers.connection import Connection, Times
from tonearm.routers.metrics import Metrics
from tonearm.routers.slots import StreamSlots


@dataclass
class Wire:
    """A WebSocket in memory: what is said comes from a queue, what is sent is kept."""

    dice: random.Random
    inbox: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    sent: list[str | bytes] = field(default_factory=list)
    client: Any = None

    async def receive(self) -> dict[str, Any]:
        return await self.inbox.get()

    async def send_text(self, text: str) -> None:
        self.sent.append(text)
        await self._delay()

    async def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)
        await self._delay()

    async def _delay(self) -> None:
        for _ in range(self.dice.choice([0, 0, 1, 3])):
            await asyncio.sleep(0)

    def say(self, kind: str, **data: object) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", "text": json.dumps({"type": kind, "data": data})})


@dataclass
class Plays:
    """What was noted of what was listened to."""

    heards: list[Heard] = field(default_factory=list)

    def heard(self, heard: Heard) -> None:
        self.heards.append(heard)


@dataclass
class Sent:
    """What a frame was: its meta, and its samples."""

    data: dict[str, Any]
    samples: np.ndarray


def read(sent: list[str | bytes]) -> list[tuple[str, Any]]:
    """The messages, each payload joined to the meta that must stand right before it."""
    seen: list[tuple[str, Any]] = []
    messages = iter(sent)
    for text in messages:
        assert isinstance(text, str), "binary data that no meta announced"
        message = json.loads(text)
        kind, data = message["type"], message.get("data", message)
        if kind == "audio_chunk_meta":
            payload = next(messages)
            assert isinstance(payload, bytes), "something stands between a meta and its payload"
            data = Sent(data, np.frombuffer(payload, "<f4").reshape(-1, 2))
            kind = "frame"
        seen.append((kind, data))
    return seen


def anything(dice: random.Random, wire: Wire) -> None:
    """Say one thing; some of it makes no sense."""
    match dice.randrange(10):
        case 0 | 1:
            wire.say("play_enhanced", track_id=dice.randint(1, 3), start_position=dice.choice([0, 3, 24]))
        case 2:
            wire.say("play_normal", track_id=dice.randint(1, 3))
        case 3 | 4 | 5:
            wire.say("seek", track_id=dice.randint(1, 3), position=dice.uniform(0, 24.9))
        case 6:
            wire.say("set_enhancement", enabled=dice.random() < 0.5, position=dice.uniform(0, 24.9))
        case 7:
            wire.say(dice.choice(["pause", "resume", "buffer_full", "buffer_ready", "ping"]))
        case 8:
            wire.say("stop")
        case 9:
            wire.say(dice.choice(["dance", "seek"]))


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_is_said_streams_are_told_apart_and_the_last_word_counts(seed):
    dice = random.Random(seed)
    wire, streams, now = Wire(dice), Numbers(cleanup_s=0.0), 0.0

    def clock() -> float:
        nonlocal now
        now += 0.06
        return now

    registry = CollectorRegistry()
    counts, plays = Metrics(registry), Plays()
    connection = Connection(
        wire,
        Session(Transport.BINARY, Preferences),
        streams,
        StreamSlots(4, 4),
        Times(),
        counts,
        plays,
        clock,
    )
    running = asyncio.create_task(connection.run())
    async with asyncio.timeout(60):
        for _ in range(300):
            anything(dice, wire)
            for _ in range(dice.choice([0, 0, 1, 5, 40])):
                await asyncio.sleep(0)
        wire.say("resume")
        wire.say("buffer_ready")
        wire.say("play_enhanced", track_id=9)
        while not any(kind == "audio_stream_end" and data["track_id"] == 9 for kind, data in texts(wire)):
            await asyncio.sleep(0.01)
        wire.inbox.put_nowait({"type": "websocket.disconnect"})
        await running
    seen = read(wire.sent)
    assert_streams_are_told_apart(seen)
    assert (streams.running, streams.most_running) == (0, 1)
    starts = [data for kind, data in seen if kind == "audio_stream_start"]
    assert len(starts) > 5
    ends = [data["reason"] for kind, data in seen if kind == "audio_stream_end"]
    for reason in ("completed", "stopped"):
        count = registry.get_sample_value("tonearm_streams_ended_total", {"reason": reason})
        assert count == ends.count(reason)
    heard = {data.data["stream_epoch"] for kind, data in seen if kind == "frame"}
    begun = registry.get_sample_value("tonearm_first_frame_seconds_count", {"mastering_state": "fingerprint"})
    assert begun == len(heard)
    last = [data for kind, data in seen if kind == "frame" and data.data["track_id"] == 9]
    assert (plays.heards[-1].track_id, plays.heards[-1].completed) == (9, True)
    assert plays.heards[-1].seconds == pytest.approx(25.0)
    assert all(heard.completed or heard.seconds >= LEAST_S for heard in plays.heards)
    samples = np.concatenate([frame.samples for frame in last])[:, 0]
    np.testing.assert_array_equal(samples, np.arange(25 * RATE))
    for start in starts:
        frames = [
            data.samples
            for kind, data in seen
            if kind == "frame" and data.data["stream_epoch"] == start["stream_epoch"]
        ]
        if frames:
            heard = np.concatenate(frames)[:, 0]
            np.testing.assert_array_equal(heard - heard[0], np.arange(len(heard)))
            assert heard[0] == round(start["start_position"] * RATE)


class Lingering:
    """Streams that wait for their turn again and again, each time for a moment."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.waiting: asyncio.Task[Any] | None = None

    async def stream_enhanced_audio(self, request: StreamRequest, _: Flow) -> AsyncGenerator[Any, None]:
        self.begun.append(request.track_id)
        self.waiting = asyncio.current_task()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
        yield

    stream_normal_audio = stream_enhanced_audio


class Untimely(Wire):
    """What is said second comes when a wait of the stream has run out, and it does not know yet."""

    def __init__(self, streams: Lingering) -> None:
        super().__init__(random.Random(0))
        self.streams = streams

    async def receive(self) -> dict[str, Any]:
        while self.streams.begun and not (self.streams.waiting and self.streams.waiting.cancelling()):
            await asyncio.sleep(0)
        return await super().receive()


async def test_a_stream_whose_wait_has_just_run_out_makes_way_all_the_same():
    streams = Lingering()
    wire = Untimely(streams)
    counts = Metrics(CollectorRegistry())
    session = Session(Transport.BINARY, Preferences)
    clock = itertools.count(0.0, 0.06).__next__
    connection = Connection(wire, session, streams, StreamSlots(4, 4), Times(), counts, Plays(), clock)
    wire.say("play_enhanced", track_id=1)
    wire.say("play_enhanced", track_id=2)
    running = asyncio.create_task(connection.run())
    async with asyncio.timeout(20):
        while streams.begun != [1, 2]:
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def texts(wire: Wire) -> list[tuple[str, Any]]:
    """The texts among what was sent; a payload may still be on its way."""
    told = [json.loads(text) for text in wire.sent if isinstance(text, str)]
    return [(text["type"], text.get("data", text)) for text in told]
