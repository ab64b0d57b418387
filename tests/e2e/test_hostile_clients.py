"""Clients that mean harm: whoever listens meanwhile notices nothing."""

import json
import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import flooder
import httpx
import numpy as np
import pytest
from hostile_files import RATE, SOUND, wav
from plays import begin_and_hold, release
from server import Played, RunningServer, play, receive_stream, serving, wait_until
from truth import decoded

pytestmark = [pytest.mark.e2e]
FLOOD_S = 1.5
PATIENCE_S = 1.0
"""A server that lets a flood in takes seconds; one that does not, milliseconds. Tests share the cores."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("clients")
    (folder / "music").mkdir()
    for name in ("long", "other"):
        wav(folder / "music" / f"{name}.wav", np.tile(SOUND, (10, 1)))
    wav(folder / "music" / "a minute.wav", np.tile(SOUND, (30, 1)))
    with serving(folder, folder / "music") as running:
        yield running


def waits_for_health(client: httpx.Client, while_runs: "subprocess.Popen[bytes]") -> list[float]:
    """How long each answer took (s, rising), asked until the attack is over."""
    waits = []
    while while_runs.poll() is None:
        asked = time.monotonic()
        assert client.get("/api/health").status_code == 200
        waits.append(time.monotonic() - asked)
        time.sleep(0.01)
    return sorted(waits)


def resident_mb(server: RunningServer) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize("kind", [*flooder.FLOODS, *flooder.ENDLESS, "half"])
def test_a_flood_keeps_nobody_waiting_and_fills_no_memory(server: RunningServer, kind: str) -> None:
    before = resident_mb(server)
    with httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.get("/api/health").status_code == 200
        with subprocess.Popen(
            [sys.executable, flooder.__file__, server.address, kind, str(FLOOD_S)]
        ) as attack:
            waits = waits_for_health(client, attack)
    assert attack.returncode == 0
    assert waits, "the attack was over before the first answer"
    assert waits[len(waits) // 2] < PATIENCE_S
    assert resident_mb(server) < before + 100


def test_of_thirty_plays_at_once_only_the_last_is_heard(server: RunningServer) -> None:
    ids = [server.track_id("long"), server.track_id("other")]
    played = Played()
    with server.socket() as connection:
        for number in range(30):
            wanted = {"track_id": ids[number % 2], "transport": "binary"}
            connection.send(json.dumps({"type": "play_normal", "data": wanted}))
        connection.send(json.dumps({"type": "stop"}))
        connection.send(json.dumps({"type": "play_normal", "data": {**wanted, "start_position": 19.0}}))
        while not played.data("audio_stream_start") or played.start["stream_epoch"] < 31:
            played.messages.clear()
            played.parts.clear()
            receive_until_start(connection, played)
        receive_stream(connection, played)
    assert played.end["reason"] == "completed"
    assert {meta["stream_epoch"] for meta in played.data("audio_chunk_meta")} == {31}
    assert len(played.samples) == 44_100


def receive_until_start(connection, played: Played) -> None:
    """Read to the next start; what an earlier stream sent before it was ended is passed over."""
    while True:
        raw = connection.recv(timeout=10)
        if isinstance(raw, str) and json.loads(raw)["type"] == "audio_stream_start":
            played.messages.append(json.loads(raw))
            played.channels = played.start["channels"]
            return


def test_a_client_that_reads_nothing_costs_the_others_nothing(server: RunningServer) -> None:
    before = resident_mb(server)
    # Longer than what is made ahead, so that it is under way however much the system takes in.
    wanted = {"track_id": server.track_id("a minute"), "transport": "binary"}
    with flooder.websocket(server.address) as stalled:
        for position in range(5):
            ask = {"type": "play_normal", "data": {**wanted, "start_position": position}}
            stalled.sendall(flooder.frame(1, json.dumps(ask).encode()))
        wait_until(lambda: server.metric("tonearm_connections") == 1)
        wait_until(lambda: server.metric("tonearm_stream_places_taken") == 1)
        played = play(server, "play_normal", track_id=server.track_id("long"))
        assert (played.end["reason"], played.end["total_samples"]) == ("completed", 20 * RATE)
        # Five times 20 s are 35 MB, and little of it waits here.
        assert resident_mb(server) < before + 100
    wait_until(lambda: server.metric("tonearm_connections") == 0)
    wait_until(lambda: server.metric("tonearm_stream_places_taken") == 0)


def test_a_client_that_vanishes_lets_go_of_its_stream(server: RunningServer) -> None:
    gone = server.metric("tonearm_streams_ended_total", reason="gone")
    with server.socket() as connection:
        begin_and_hold(connection, "play_normal", track_id=server.track_id("long"))
        # Reset, not closed: no word is said, neither by the client nor by its system.
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
        wait_until(lambda: server.metric("tonearm_stream_places_taken") == 0)
        wait_until(lambda: server.metric("tonearm_streams_ended_total", reason="gone") == gone + 1)
    assert play(server, "play_normal", track_id=server.track_id("long")).end["reason"] == "completed"


GARBAGE = [
    ("{", "invalid_json"),
    ("[]", "validation_error"),
    ('{"type":"dance"}', "unknown_message_type"),
    ('{"type":"seek","data":{"track_id":1,"position":"soon"}}', "validation_error"),
    ('{"type":"play_enhanced","data":{"track_id":1,"intensity":NaN}}', None),
    (b"\x00\xff" * 100, "unsupported_frame_type"),
    (" " * 70_000, "message_too_large"),
]


def test_garbage_is_answered_and_the_stream_that_plays_goes_on(server: RunningServer) -> None:
    with server.socket() as connection:
        played = begin_and_hold(connection, "play_normal", track_id=server.track_id("long"))
        for message, _ in GARBAGE:
            connection.send(message)
        release(connection, played)
    told = [message for message in played.messages if message["type"] == "error"]
    assert len(told) == len(GARBAGE)
    for (message, wanted), answer in zip(GARBAGE, told, strict=True):
        assert wanted is None or answer["error"] == wanted, message[:50]
        assert answer["message"]
    assert (played.end["reason"], len(played.samples)) == ("completed", 20 * RATE)


def test_more_than_a_client_may_say_is_dropped_and_said(server: RunningServer) -> None:
    with server.socket() as connection:
        for _ in range(200):
            connection.send('{"type":"resume"}')
        connection.send('{"type":"ping"}')
        answers = []
        while not answers or answers[-1]["type"] != "pong":
            answers.append(json.loads(connection.recv(timeout=20)))
    kinds = [answer["type"] for answer in answers]
    assert 40 <= kinds.count("playback_resumed") < 200
    assert {answer["error"] for answer in answers if answer["type"] == "error"} == {"rate_limit_exceeded"}


SEEKERS = 26
SEEKS = 39
"""A play and so many seeks may be said at once."""


def test_a_thousand_seeks_each_land_and_leave_nothing_behind(server: RunningServer) -> None:
    source, _ = decoded(str(server.data_dir.parent / "music" / "long.wav"))
    track_id, dice = server.track_id("long"), random.Random(11)
    wait_until(lambda: server.metric("tonearm_connections") == 0)
    handles, before = open_handles(server), resident_mb(server)
    for _ in range(SEEKERS):
        positions = [dice.uniform(0.0, 19.5) for _ in range(SEEKS)]
        with server.socket("?transport=binary") as connection:
            connection.send(json.dumps({"type": "play_normal", "data": {"track_id": track_id}}))
            for position in positions:
                data = {"track_id": track_id, "position": position}
                connection.send(json.dumps({"type": "seek", "data": data}))
            heard = Played()
            sought = []
            while not heard.data("audio_chunk_meta") or heard.start["stream_epoch"] <= SEEKS:
                message = json.loads(connection.recv(timeout=60))
                if message["type"] == "audio_stream_start":
                    heard = Played(channels=2)
                elif message["type"] == "seek_started":
                    sought.append(message["data"]["position"])
                heard.messages.append(message)
                if message["type"] == "audio_chunk_meta":
                    heard.parts = [np.frombuffer(connection.recv(timeout=20), "<f4")]
        assert sought == positions
        frame = round(positions[-1] * RATE)
        assert heard.start["start_position"] == frame / RATE
        assert heard.start["is_seek"]
        np.testing.assert_array_equal(heard.samples, source[frame : frame + len(heard.samples)])
    wait_until(lambda: server.metric("tonearm_connections") == 0)
    wait_until(lambda: server.metric("tonearm_stream_places_taken") == 0)
    wait_until(lambda: open_handles(server) <= handles + 2)
    assert resident_mb(server) < before + 100


def open_handles(server: RunningServer) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
