"""Clients that mean harm: whoever listens meanwhile notices nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import flooder
import httpx
import numpy as np
import pytest
from hostile_files import SOUND, wav
from server import Played, RunningServer, receive_stream, serving

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
    assert waits[int(0.9 * len(waits))] < PATIENCE_S
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
