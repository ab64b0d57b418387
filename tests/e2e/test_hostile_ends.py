"""The program is stopped or killed at bad moments, and the database is taken away under a stream."""

import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from hostile_files import SOUND, wav
from server import Played, RunningServer, play, receive_stream, serving, wait_until
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.e2e]
FILES = 60


@pytest.fixture
def music(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    for number in range(FILES):
        wav(tmp_path / "music" / f"{number:02}.wav", np.float32(0.5 + number / 200) * SOUND)
    wav(tmp_path / "music" / "long.wav", np.tile(SOUND, (15, 1)))
    return tmp_path / "music"


def family(pid: int) -> list[int]:
    """Process ids below ``pid``."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            child = int(status.parent.name)
            found += [child, *family(child)]
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_nothing_half_written(data_dir: Path) -> None:
    with sqlite3.connect(data_dir / "library.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    for file in (data_dir / "fingerprints").glob("*"):
        # What was being written when the power went has a name that nothing reads.
        if not file.name.startswith("."):
            assert file.suffix == ".25d"
            json.loads(file.read_text())


def start_stream(server: RunningServer, connection) -> None:
    wanted = {"track_id": server.track_id("long"), "transport": "binary"}
    connection.send(json.dumps({"type": "play_normal", "data": wanted}))
    while '"audio_stream_start"' not in (raw := connection.recv(timeout=20)):
        assert isinstance(raw, str)


def test_interrupted_amid_analysis_and_streams_it_is_gone_and_starts_again(
    tmp_path: Path, music: Path
) -> None:
    with serving(tmp_path, music) as server, server.socket() as connection:
        wait_until(lambda: server.get("/api/library/fingerprints/status")["fingerprinted_tracks"] > 0)
        start_stream(server, connection)
        children = family(server.process.pid)
        assert children
        asked = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        ends = []
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                raw = connection.recv(timeout=10)
                ends += [json.loads(raw)] if isinstance(raw, str) and '"audio_stream_end"' in raw else []
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert [end["data"]["reason"] for end in ends] == ["stopped"]
        assert server.process.wait(timeout=20) == 0
        wait_until(lambda: not any(map(runs, children)), timeout_s=15)
        assert time.monotonic() - asked < 20, "2 s on a machine that does nothing else"
    assert_nothing_half_written(tmp_path / "data")
    with serving(tmp_path, music) as server:
        assert server.get("/api/library/stats")["total_tracks"] == FILES + 1
        assert play(server, "play_normal", track_id=server.track_id("00")).end["reason"] == "completed"


def test_killed_amid_the_scan_and_the_analysis_it_starts_again(tmp_path: Path, music: Path) -> None:
    for progress in ("total_tracks", "fingerprinted_tracks"):
        with serving(tmp_path, music, wait_scan=False) as server:
            wait_until(lambda: server.get("/api/library/fingerprints/status")[progress] > 0)  # noqa: B023
            children = family(server.process.pid)
            os.kill(server.process.pid, signal.SIGKILL)
            wait_until(lambda: not any(map(runs, children)), timeout_s=5)  # noqa: B023
        assert_nothing_half_written(tmp_path / "data")
    with serving(tmp_path, music) as server:
        assert server.get("/api/library/stats")["total_tracks"] == FILES + 1


def test_a_stream_goes_on_while_the_database_is_away_or_locked(tmp_path: Path, music: Path) -> None:
    with serving(
        tmp_path, music, TONEARM_FINGERPRINTS__BACKGROUND="false", TONEARM_STREAMING__LEAD_S="28"
    ) as server:
        database, away = server.data_dir / "library.db", server.data_dir / "away.db"
        known, others = server.track_id("00"), [server.track_id(f"{number:02}") for number in range(1, 7)]
        play(server, track_id=known)
        wait_until(lambda: server.get("/api/library/fingerprints/status")["fingerprinted_tracks"] == 1)
        heard: list[Played] = []
        with server.socket() as connection:
            start_stream(server, connection)
            played = Played(channels=2)
            listening = threading.Thread(target=lambda: heard.append(receive_stream(connection, played)))
            listening.start()
            database.rename(away)
            refused = play(server, track_id=known)
            assert [error["code"] for error in refused.data("audio_stream_error")] == ["LIBRARY_UNAVAILABLE"]
            ready = httpx.get(server.url + "/api/ready")
            assert (ready.status_code, ready.json()["components"]["database"]) == (503, "unavailable")
            away.rename(database)
            locker = sqlite3.connect(database, isolation_level=None)
            locker.execute("BEGIN IMMEDIATE")
            waiting = [threading.Thread(target=play, args=(server,), kwargs={"track_id": n}) for n in others]
            for thread in waiting:
                thread.start()
            # What the others wait for is being measured, and cannot be stored.
            wait_until(lambda: server.log().count("gRPC server returned fingerprint") > len(others))
            # The lock is held until this one has played.
            assert play(server, track_id=known).start["mastering_state"] == "fingerprint"
            locker.execute("ROLLBACK")
            locker.close()
            for thread in [*waiting, listening]:
                thread.join()
    assert [played.end["reason"] for played in heard] == ["completed"]
    assert len(heard[0].samples) == 15 * len(SOUND)
