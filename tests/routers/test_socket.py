"""The WebSocket as a client meets it: a real server, a real socket, streams made of numbers."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from numbered import ENDLESS, RATE, Numbers, assert_streams_are_told_apart, ramp
from socket_client import Client, Served, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import StreamEvent
from tonearm.protocol.messages import PlanChanged, StreamRequest
from tonearm.protocol.news import News
from tonearm.routers.connection import Times


@pytest.mark.parametrize("transport", ["base64", "binary"])
async def test_a_whole_track_arrives_sample_for_sample(transport):
    async with serving(Numbers()) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=5, transport=transport)
        end = await client.until("audio_stream_end")
    kinds = client.kinds()
    assert kinds[:2] == ["audio_stream_start", "mastering_plan"]
    assert set(kinds[2:-1]) == {"frame"}
    np.testing.assert_array_equal(client.samples(), ramp(0, 25 * RATE))
    assert (end["reason"], end["total_samples"], end["track_id"]) == ("completed", 25 * RATE, 5)
    first = client.seen[2][1].data
    assert ("seq" in first) == (transport == "binary")


async def test_the_url_chooses_the_transport():
    async with serving(Numbers()) as server:
        async with Client.of(server.url) as client:
            await client.say("play_enhanced", track_id=5)
            assert "seq" not in (await client.until("frame")).data
        async with Client.of(server.url + "?transport=binary") as client:
            await client.say("play_normal", track_id=5)
            assert "seq" in (await client.until("frame")).data
        async with Client.of(server.url + "?transport=pigeon") as client:
            assert (await client.next())[1]["error"] == "validation_error"
            await client.say("play_enhanced", track_id=5)
            assert "seq" not in (await client.until("frame")).data


async def test_play_play_play_plays_the_last():
    streams = Numbers(length=ENDLESS, cleanup_s=0.05)
    async with serving(streams) as server, Client.of(server.url + "?transport=binary") as client:
        await client.say("play_enhanced", track_id=1)
        await client.until("frame")
        for track_id in (2, 3, 4, 5):
            await client.say("play_enhanced", track_id=track_id)
        while (await client.until("audio_stream_start"))["track_id"] != 5:
            pass
        await client.until("frame")
        await client.say("stop")
        await client.until("playback_stopped")
    assert streams.most_running == 1
    assert_streams_are_told_apart(client.seen)
    starts = [data["track_id"] for kind, data in client.seen if kind == "audio_stream_start"]
    assert (starts[0], starts[-1]) == (1, 5)


async def test_stop_ends_the_stream_with_what_was_really_sent():
    async with serving(Numbers(length=ENDLESS)) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1, start_position=3)
        for _ in range(10):
            await client.until("frame")
        await client.say("stop")
        end = await client.until("audio_stream_end")
        assert end["reason"] == "stopped"
        assert await client.rest(0.2) == [("playback_stopped", {"stream_epoch": 1})]
    assert_streams_are_told_apart(client.seen)


async def test_stop_without_a_stream_is_answered():
    async with serving(Numbers()) as server, Client.of(server.url) as client:
        await client.say("stop")
        assert (await client.next())[0] == "playback_stopped"


@pytest.mark.parametrize(
    ("hold", "release"), [("pause", "resume"), ("buffer_full", "buffer_ready")], ids=["pause", "buffer"]
)
async def test_holding_is_in_effect_within_one_frame_and_loses_nothing(hold, release):
    async with serving(Numbers(length=ENDLESS)) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1)
        for _ in range(5):
            await client.until("frame")
        await client.say(hold)
        await client.say("ping")
        await client.until("pong")
        assert [kind for kind, _ in await client.rest(0.2)].count("frame") <= 1
        await client.say("ping")
        assert (await client.next())[0] == "pong"
        await client.say(release)
        for _ in range(5):
            await client.until("frame")
    samples = client.samples()
    np.testing.assert_array_equal(samples, ramp(0, len(samples)))


async def test_a_seek_is_announced_and_starts_where_it_was_asked():
    async with serving(Numbers(length=ENDLESS)) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1)
        await client.until("frame")
        await client.say("seek", track_id=1, position=42.5)
        kind, end = "", None
        while kind != "seek_started":
            kind, data = await client.next()
            end = data if kind == "audio_stream_end" else end
        assert end["reason"] == "stopped"
        assert data == {"track_id": 1, "position": 42.5}
        kind, start = await client.next()
        assert kind == "audio_stream_start"
        assert (start["is_seek"], start["start_chunk"], start["start_position"]) == (True, 4, 42.5)
        frame = await client.until("frame")
        assert frame.samples[0, 0] == 42.5 * RATE


async def test_the_mastering_is_switched_in_the_middle():
    async with serving(Numbers(length=ENDLESS)) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1, preset="warm", intensity=0.5)
        await client.until("frame")
        await client.say("set_enhancement", enabled=False, position=2)
        start = await client.until("audio_stream_start")
        assert (start["stream_type"], start["preset"], start["start_position"]) == ("normal", "none", 2.0)
        await client.say("set_enhancement", enabled=True, position=3)
        start = await client.until("audio_stream_start")
        assert (start["stream_type"], start["preset"], start["intensity"]) == ("enhanced", "warm", 0.5)
        await client.say("stop")
        await client.until("playback_stopped")
    assert_streams_are_told_apart(client.seen)


async def test_rubbish_is_answered_and_the_connection_lives():
    async with serving(Numbers()) as server, Client.of(server.url) as client:
        for sent, wanted in [
            ("{", "invalid_json"),
            ("[]", "validation_error"),
            ('{"type":"play_enhanced","data":{"track_id":true}}', "validation_error"),
            ('{"type":"play_enhanced","data":{"track_id":1,"sample_format":"s16le"}}', "validation_error"),
            ('{"type":"dance"}', "unknown_message_type"),
            ("x" * 70_000, "message_too_large"),
            (b"\x00\x01", "unsupported_frame_type"),
        ]:
            await client.socket.send(sent)
            message = json.loads(await client.socket.recv())
            assert (message["type"], message["error"]) == ("error", wanted)
            assert set(message) == {"type", "error", "message"}
        await client.say("ping")
        assert (await client.next())[0] == "pong"


async def test_more_than_a_megabyte_closes_the_connection():
    async with serving(Numbers()) as server, Client.of(server.url) as client:
        await client.socket.send("x" * (1 << 20) + "x")
        with pytest.raises(ConnectionClosed) as closed:
            await client.socket.recv()
        assert closed.value.rcvd.code == 1009


@asynccontextmanager
async def unbridled(server: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket on which a test writes frames by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()


def masked(opcode: int, payload: bytes) -> bytes:
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


async def test_a_hundred_thousand_frames_at_once_hold_up_nobody():
    async with (
        serving(Numbers()) as server,
        unbridled(server) as (_, writer),
        Client.of(server.url) as other,
    ):
        writer.write(100_000 * masked(9, b""))
        loop = asyncio.get_running_loop()
        waits = []
        for _ in range(20):
            asked = loop.time()
            await other.say("ping")
            await other.until("pong")
            waits.append(loop.time() - asked)
        assert max(waits) < 0.25


async def test_many_messages_in_one_write_are_all_answered_in_order():
    async with serving(Numbers()) as server, unbridled(server) as (reader, writer):
        message = json.dumps({"type": "ping", "pad": 80 * "x"}).encode()
        writer.write(500 * masked(1, message))
        async with asyncio.timeout(5):
            for _ in range(500):
                head = await reader.readexactly(2)
                assert head[0] == 0x81
                assert json.loads(await reader.readexactly(head[1]))["type"] == "pong"


async def test_pings_of_a_client_that_does_not_read_are_not_piled_up():
    async with serving(Numbers()) as server, unbridled(server) as (reader, writer):
        pings = b"".join(masked(9, f"{number:0100}".encode()) for number in range(150_000))
        writer.write(pings)
        async with asyncio.timeout(20):
            await writer.drain()
            last, answers = "", 0
            while last != f"{149_999:0100}":
                head = await reader.readexactly(2)
                last = (await reader.readexactly(head[1])).decode()
                answers += 1
        assert answers < 150_000


async def test_a_flood_is_dropped_and_then_closed_while_others_play_on():
    async with serving(Numbers(length=ENDLESS)) as server, Client.of(server.url) as flooder:
        loop = asyncio.get_running_loop()

        async def flood() -> None:
            with pytest.raises(ConnectionClosed):
                while True:
                    await flooder.socket.send('{"type":"resume"}')
                    await asyncio.sleep(0.001)

        async def read() -> list[str]:
            seen = []
            with pytest.raises(ConnectionClosed):
                while True:
                    seen.append(json.loads(await flooder.socket.recv()))
            return seen

        began = loop.time()
        flooding, reading = asyncio.create_task(flood()), asyncio.create_task(read())
        async with Client.of(server.url) as client:
            waits = []
            while loop.time() - began < 2:
                asked = loop.time()
                await client.say("ping")
                await client.until("pong")
                waits.append(loop.time() - asked)
                await asyncio.sleep(0.05)
        await asyncio.wait_for(flooding, 10)
        answers = await reading
        assert flooder.socket.close_code == 1008
        assert loop.time() - began >= 5
        assert any(answer.get("error") == "rate_limit_exceeded" for answer in answers)
        assert sorted(waits)[len(waits) // 2] < 0.25


async def test_streams_are_limited_per_client_and_a_replay_is_not_one_more():
    async with (
        serving(Numbers(length=ENDLESS), streams_per_client=1) as server,
        Client.of(server.url) as first,
    ):
        await first.say("play_enhanced", track_id=1)
        await first.until("frame")
        await first.say("play_enhanced", track_id=2)
        assert (await first.until("audio_stream_start", "audio_stream_error"))["track_id"] == 2
        async with Client.of(server.url) as second:
            await second.say("play_enhanced", track_id=3)
            kind, error = await second.next()
            assert (kind, error["code"], error["track_id"]) == ("audio_stream_error", "SERVER_BUSY", 3)
            assert await second.rest(0.1) == []
            await first.say("stop")
            await first.until("playback_stopped")
            await second.say("play_enhanced", track_id=3)
            assert (await second.next())[0] == "audio_stream_start"


async def test_streams_are_limited_in_total():
    async with serving(Numbers(length=ENDLESS), streams_total=1) as server, Client.of(server.url) as first:
        await first.say("play_enhanced", track_id=1)
        await first.until("frame")
        async with Client.of(server.url) as second:
            await second.say("play_normal", track_id=3)
            assert (await second.next())[1]["code"] == "SERVER_BUSY"


@dataclass
class Broken:
    """A stream with a defect after its first frames."""

    started: bool

    async def stream_enhanced_audio(
        self, request: StreamRequest, flow: Flow
    ) -> AsyncGenerator[StreamEvent, None]:
        if self.started:
            events = Numbers().stream_enhanced_audio(request, flow)
            for _ in range(4):
                yield await anext(events)
            await asyncio.sleep(0.05)
            await events.aclose()
        raise ZeroDivisionError("/home/secret/path")

    stream_normal_audio = stream_enhanced_audio


@pytest.mark.parametrize("started", [True, False])
async def test_a_defect_ends_its_stream_says_nothing_of_itself_and_spares_the_connection(started, capsys):
    async with serving(Broken(started)) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1)
        error = await client.until("audio_stream_error")
        assert error["code"] == "STREAMING_ERROR"
        assert "secret" not in json.dumps(error)
        assert "ZeroDivision" not in json.dumps(error)
        rest = await client.rest(0.1)
        assert [kind for kind, _ in rest] == (["audio_stream_end"] if started else [])
        if started:
            assert rest[0][1]["reason"] == "errored"
            assert_streams_are_told_apart(client.seen)
        await client.say("ping")
        assert (await client.next())[0] == "pong"
    assert "ZeroDivisionError" in capsys.readouterr().out


@dataclass
class Waiting:
    """A stream that never gets as far as its start."""

    cancelled: bool = False

    async def stream_enhanced_audio(
        self, request: StreamRequest, flow: Flow
    ) -> AsyncGenerator[StreamEvent, None]:
        try:
            await asyncio.Event().wait()
            yield PlanChanged(1, 1, {})
        finally:
            self.cancelled = True

    stream_normal_audio = stream_enhanced_audio


async def test_the_client_is_heard_while_a_stream_waits_and_no_end_is_told_of_what_never_started():
    streams = Waiting()
    async with serving(streams) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1)
        await client.say("ping")
        assert (await client.next(1.0))[0] == "pong"
        await client.say("stop")
        assert [kind for kind, _ in await client.rest(0.2)] == ["playback_stopped"]
        assert streams.cancelled


async def test_a_client_that_vanishes_leaves_nothing_behind():
    streams = Numbers(length=ENDLESS)
    async with serving(streams) as server:
        async with Client.of(server.url) as client:
            await client.say("play_enhanced", track_id=1)
            await client.until("frame")
            client.socket.transport.abort()
        async with asyncio.timeout(5):
            while server.sockets.connected or streams.running:
                await asyncio.sleep(0.01)


async def test_a_client_that_reads_nothing_costs_a_bounded_buffer_and_then_its_connection():
    streams = Numbers(length=ENDLESS)
    async with serving(streams, times=Times(stall_s=0.5)) as server:
        with sockets.socket() as raw:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw, ("127.0.0.1", server.port))
            await loop.sock_sendall(
                raw,
                b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            )
            assert (await loop.sock_recv(raw, 1024)).startswith(b"HTTP/1.1 101")
            play = b'{"type":"play_enhanced","data":{"track_id":1}}'
            await loop.sock_sendall(raw, bytes([0x81, 0x80 | len(play), 0, 0, 0, 0]) + play)
            while not streams.made:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(10):
                while server.sockets.connected:
                    await asyncio.sleep(0.01)
            made = streams.made
            # What the kernel's own buffers swallow, and a handful of frames in ours.
            assert made < 400
            await asyncio.sleep(0.1)
            assert (streams.made, streams.running) == (made, 0)
            async with asyncio.timeout(5):
                while server.web.server_state.connections:
                    await asyncio.sleep(0.01)


async def test_going_down_ends_streams_and_says_goodbye():
    async with serving(Numbers(length=ENDLESS)) as server, Client.of(server.url) as client:
        await client.say("play_enhanced", track_id=1)
        await client.until("frame")
        server.web.should_exit = True
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await client.next()
        assert closed.value.rcvd.code in {1001, 1012}
        kind, end = client.seen[-1]
        assert (kind, end["reason"]) == ("audio_stream_end", "stopped")
    assert_streams_are_told_apart(client.seen)


async def test_pings_are_sent():
    async with serving(Numbers(), times=Times(ping_s=0.05)) as server, Client.of(server.url) as client:
        assert (await client.next())[0] == "ping"
        await client.say("pong")
        assert (await client.next())[0] == "ping"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1.evil.example", "null", "file://"]
)
async def test_pages_from_elsewhere_may_not_connect(origin):
    async with serving(Numbers()) as server:
        with pytest.raises(InvalidStatus) as refused:
            async with Client.of(server.url, origin=origin):
                pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", [None, "its own", "http://nas.local"])
async def test_the_servers_own_pages_and_programs_may_connect(origin):
    async with serving(Numbers(), allow_hosts=["nas.local"]) as server:
        own = server.url.replace("ws://", "http://").removesuffix("/ws") if origin == "its own" else origin
        async with Client.of(server.url, origin=own) as client:
            await client.say("ping")
            assert (await client.next())[0] == "pong"


async def test_everyone_is_told_the_news_also_amid_a_stream():
    async with (
        serving(Numbers(length=ENDLESS)) as server,
        Client.of(server.url + "?transport=binary") as listener,
        Client.of(server.url) as other,
    ):
        await listener.say("play_enhanced", track_id=1)
        await listener.until("frame")
        await other.say("ping")
        await other.until("pong")
        server.sockets.tell(News("library_updated", '{"type":"library_updated","data":{"count":1}}'))
        assert await listener.until("library_updated") == {"count": 1}
        assert (await other.next())[0] == "library_updated"
        await listener.until("frame")
        await listener.say("stop")
        await listener.until("playback_stopped")
    assert_streams_are_told_apart(listener.seen)


async def test_how_streams_end_is_counted_also_of_a_client_that_goes_without_a_word():
    streams = Numbers(length=ENDLESS)
    async with serving(streams) as server:

        def ended(reason: str) -> float:
            return server.registry.get_sample_value("tonearm_streams_ended_total", {"reason": reason})

        async with Client.of(server.url) as client:
            await client.say("play_enhanced", track_id=1)
            await client.until("frame")
            await client.say("stop")
            await client.until("playback_stopped")
            await client.say("play_enhanced", track_id=1)
            await client.until("frame")
            client.socket.transport.abort()
        async with asyncio.timeout(20):
            while server.sockets.connected:
                await asyncio.sleep(0.005)
        assert (ended("stopped"), ended("gone"), ended("completed")) == (1, 1, 0)
        begun = server.registry.get_sample_value(
            "tonearm_first_frame_seconds_count", {"mastering_state": "fingerprint"}
        )
        assert begun == 2
