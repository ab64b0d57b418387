"""The program is stopped or killed at bad moments, or is started with a database that it may not write."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hostile_files import SOUND, wav
from server import RunningServer, environment, play, serving, wait_until
from websockets.exceptions import ConnectionClosed

import tonearm
from tonearm.library.database import open_library

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


AS_NOBODY = """
import os, sys
import tonearm.bootstrap
from tonearm.__main__ import main
from tonearm.library.database import open_library

# What is imported late may lie where only root can read.
open_library(sys.argv.pop(1)).close()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
main()
"""
"""Root may write whatever it likes, so whoever runs the tests as root does not run this as root."""


def everyone_may_enter(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path, *path.parents))


@pytest.mark.skipif(
    os.geteuid() == 0 and not all(map(everyone_may_enter, (Path(sys.prefix), Path(tonearm.__file__).parent))),
    reason="root may write everything, and nobody else may read the program where it lies",
)
def test_a_database_that_is_read_only_is_said_and_nothing_is_served(tmp_path: Path) -> None:
    # Not below pytest's folder: every session that begins takes the others' rights on it away.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        serve_read_only(folder, f"sqlite:///{tmp_path / 'other.db'}")


def serve_read_only(folder: Path, other: str) -> None:
    data = folder / "data"
    data.mkdir()
    open_library(f"sqlite:///{data / 'library.db'}").close()
    (data / "library.db").chmod(0o444)
    data.chmod(0o555)
    serve = ["serve", str(folder), "--port", "0", "--data-dir", str(data)]
    command = [sys.executable, "-c", AS_NOBODY, other, *serve]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(folder), cwd=folder, timeout=60, check=False
    )
    data.chmod(0o755)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "The library cannot be opened" in said
    assert "Traceback" not in said
    assert "Tonearm plays at" not in said
