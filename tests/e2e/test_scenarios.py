"""Five listeners' evenings: cold, warm, without a fingerprint server, without a database, and all at once."""

import json
import resource
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from hostile_files import SOUND, wav
from liars import free_port, hanging, silent
from music import DEMO, clip
from plays import assert_ends_as, assert_music_in_standard_mastering, begin_and_hold, release
from server import Played, RunningServer, play, serving, wait_until
from truth import decoded, lufs

from tonearm.model.errors import FingerprintTimeout
from tonearm.model.fingerprint import DIMENSION_NAMES
from tonearm.rendering.offline import master_file

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("scenarios")]

TITLE, FILE = "Vibe Ace", "Kevin_MacLeod_-_Vibe_Ace.ogg"
DEADLINE_S = 3.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serving(
        tmp_path_factory.mktemp("scenarios"),
        DEMO,
        TONEARM_FINGERPRINTS__BACKGROUND="false",
        TONEARM_STREAMING__LEAD_S="600",
        # However slow the machine, nobody here is to hear the fallback.
        TONEARM_STREAMING__START_WAIT_S="60",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def cold(server: RunningServer) -> Played:
    """The first play of a track that was never measured."""
    return play(server, track_id=server.track_id(TITLE))


@pytest.fixture(scope="module")
def warm(server: RunningServer, cold: Played) -> Played:
    """The next one."""
    assert cold.progress[-1] == "complete"
    return play(server, track_id=server.track_id(TITLE))


def measured(server: RunningServer, track_id: int) -> int:
    """How often the track was sent to the fingerprint server."""
    asked = [line for line in server.log().splitlines() if "Calling gRPC server" in line]
    return sum(f"track_id={track_id}" in line.split() for line in asked)


def test_a_cold_cache_is_told(server: RunningServer, cold: Played) -> None:
    """Generated, used, and its class published."""
    assert (cold.progress[0], cold.progress[-1]) == ("analyzing", "complete")
    assert "failed" not in cold.progress
    plans = cold.data("mastering_plan")
    states = [plan["state"] for plan in plans]
    assert states in (["provisional", "fingerprint"], ["fingerprint"])
    assert states[0] == cold.start["mastering_state"]
    assert plans[-1]["lwrp"]["class"] in {"restore", "preserve", "master"}
    assert sum(plans[-1]["lwrp"]["weights"].values()) == pytest.approx(1.0)
    order = [message["type"] for message in cold.messages]
    told = [n for n, kind in enumerate(order) if kind == "mastering_plan"]
    frames = [n for n, kind in enumerate(order) if kind == "audio_chunk_meta"]
    assert order.index("audio_stream_start") < told[0] < frames[0]
    if len(plans) == 2:
        # Told in the same stream, before its end, and amid its frames.
        assert frames[0] < told[1] < frames[-1]
        assert plans[0]["lwrp"] is None
    assert order[-1] == "audio_stream_end"
    for event in (
        "Received play_enhanced",
        "FingerprintGenerator available",
        "Fingerprint not cached, generating via gRPC",
        "Calling gRPC server",
        "gRPC server returned fingerprint",
        "Generated and cached fingerprint",
        "Adaptive mastering will use fingerprint-optimized parameters",
        "Starting audio stream",
    ):
        assert event in server.log()
    assert "Streaming with standard adaptive mastering" not in server.log()
    began = [server.metric("tonearm_fingerprint_sources_total", source=s) for s in ("probe", "service")]
    assert sum(began) >= 1


def test_a_cold_cache_is_filled(server: RunningServer, cold: Played) -> None:
    """Stored: a whole row in the database, and a file."""
    assert cold.progress[-1] == "complete"
    track_id = server.track_id(TITLE)
    with sqlite3.connect(server.data_dir / "library.db") as database:
        database.row_factory = sqlite3.Row
        row, measures = (
            database.execute(f"SELECT * FROM {table} WHERE track_id = ?", (track_id,)).fetchone()
            for table in ("track_fingerprints", "track_measures")
        )
    database.close()
    values = [row[name] for name in DIMENSION_NAMES]
    assert len(values) == 25
    assert all(isinstance(value, float) and np.isfinite(value) for value in values)
    assert sum(values[:7]) == pytest.approx(100.0, abs=0.1)
    source, rate = decoded(str(clip(FILE)))
    assert row["lufs"] == pytest.approx(lufs(source, rate), abs=0.05)
    assert measures["frames"] == len(source) == cold.end["total_samples"]
    kept = [json.loads(file.read_text()) for file in (server.data_dir / "fingerprints").glob("*.25d")]
    assert row["lufs"] in [file["fingerprint"]["lufs"] for file in kept]


def test_b_warm_cache(server: RunningServer, cold: Played, warm: Played, tmp_path: Path) -> None:
    """Nothing is generated, and what sounds is the plan that the first play came to."""
    assert warm.progress == ["cached"]
    assert warm.start["mastering_state"] == "fingerprint"
    (plan,) = warm.data("mastering_plan")
    for part in ("parameters", "lwrp", "measured", "predicted"):
        assert plan[part] == cold.data("mastering_plan")[-1][part]
    assert_ends_as(cold, warm)
    master_file(clip(FILE), tmp_path / "whole.wav", bit_depth="32f", passes=1)
    np.testing.assert_array_equal(warm.samples, decoded(str(tmp_path / "whole.wav"))[0])
    assert measured(server, server.track_id(TITLE)) == 1
    assert "Loaded fingerprint from database" in server.log()
    assert server.metric("tonearm_fingerprint_sources_total", source="database") >= 1
    assert server.metric("tonearm_first_frame_seconds_count", mastering_state="fingerprint") >= 1


@contextmanager
def without_fingerprints(folder: Path, address: str) -> Iterator[tuple[RunningServer, int, Played]]:
    """A server whose fingerprint server is of no use, and what its first listener heard."""
    (folder / "music").mkdir()
    file = wav(folder / "music" / "song.wav", np.tile(SOUND, (6, 1)))
    with serving(
        folder,
        folder / "music",
        ["--fingerprint-server", address],
        TONEARM_FINGERPRINTS__BACKGROUND="false",
        TONEARM_FINGERPRINTS__DEADLINE_S=str(DEADLINE_S),
        TONEARM_STREAMING__START_WAIT_S="0.3",
        TONEARM_STREAMING__LEAD_S="600",
    ) as server:
        track_id = server.track_id("song")
        first = play(server, track_id=track_id)
        assert_music_in_standard_mastering(first, decoded(str(file))[0])
        assert "Streaming with standard adaptive mastering" in server.log()
        assert "Adaptive mastering will use fingerprint-optimized parameters" not in server.log()
        assert httpx.get(f"{server.url}/api/tracks/{track_id}/fingerprint").status_code == 404
        yield server, track_id, first


def test_c_fingerprint_server_absent(tmp_path: Path) -> None:
    """Nobody waits for what is not there."""
    with without_fingerprints(tmp_path, f"127.0.0.1:{free_port()}") as (server, track_id, first):
        again = play(server, track_id=track_id, start_position=7.0)
        for played in (first, again):
            assert played.progress == ["analyzing", "failed"]
            assert played.start["mastering_state"] == "standard"
        assert server.metric("tonearm_fallbacks_total", reason="FINGERPRINT_SERVER_DOWN") == 2
        assert server.metric("tonearm_fallbacks_total", reason="START_WAIT") is None
        assert server.metric("tonearm_component_up", component="fingerprint_server") == 0
        assert httpx.get(server.url + "/api/ready").status_code == 503


def test_c_fingerprint_server_deaf(tmp_path: Path) -> None:
    """It takes the connection and no more: the first one may wait as long as a play may, then nobody does."""
    with hanging() as address, without_fingerprints(tmp_path, address) as (server, track_id, _):
        reasons = [
            server.metric("tonearm_fallbacks_total", reason=reason)
            for reason in ("START_WAIT", "FINGERPRINT_SERVER_DOWN")
        ]
        assert sorted(reasons, key=str) == [1.0, None]
        wait_until(
            lambda: play(server, track_id=track_id, start_position=11.0).progress == ["analyzing", "failed"]
        )
        assert httpx.get(server.url + "/api/ready").status_code == 503


def test_c_fingerprint_server_hung_for_the_whole_deadline(tmp_path: Path) -> None:
    """It says that it serves, so the stream waits for it until it has had its time."""
    with silent() as address, without_fingerprints(tmp_path, address) as (server, _, first):
        assert first.progress == ["analyzing", "analyzing", "failed"]
        said = [data["message"] for data in first.data("fingerprint_progress")]
        assert FingerprintTimeout.sentence in said[-1]
        # Music was there long before.
        order = [message["type"] for message in first.messages]
        assert order.index("audio_chunk_meta") < len(order) - 1 - order[::-1].index("fingerprint_progress")
        assert "Fingerprint server timeout" in server.log()
        assert server.metric("tonearm_fallbacks_total", reason="START_WAIT") == 1
        assert server.metric("tonearm_fingerprint_sources_total", source="none") == 1


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RunningServer]:
    """A library of its own, one of whose tracks is measured."""
    (tmp_path / "music").mkdir()
    for number in range(7):
        wav(tmp_path / "music" / f"{number}.wav", np.float32(0.5 + number / 20) * SOUND)
    wav(tmp_path / "music" / "long.wav", np.tile(SOUND, (15, 1)))
    with serving(
        tmp_path,
        tmp_path / "music",
        TONEARM_FINGERPRINTS__BACKGROUND="false",
        TONEARM_STREAMING__LEAD_S="600",
    ) as server:
        play(server, track_id=server.track_id("0"))
        wait_until(lambda: server.get("/api/library/fingerprints/status")["fingerprinted_tracks"] == 1)
        yield server


def test_d_database_gone_or_locked(library: RunningServer) -> None:
    """The stream in progress goes on; a new play is told, and so is whoever asks what is ready."""
    database, away = library.data_dir / "library.db", library.data_dir / "away.db"
    known, others = library.track_id("0"), [library.track_id(str(number)) for number in range(1, 7)]
    with library.socket() as connection:
        played = begin_and_hold(connection, "play_normal", track_id=library.track_id("long"))
        database.rename(away)
        refused = play(library, track_id=known)
        (error,) = refused.data("audio_stream_error")
        assert error["code"] == "LIBRARY_UNAVAILABLE"
        assert not refused.data("audio_stream_start")
        ready = httpx.get(library.url + "/api/ready")
        assert (ready.status_code, ready.json()["components"]["database"]) == (503, "unavailable")
        assert httpx.get(library.url + "/api/health").status_code == 200
        assert library.metric("tonearm_component_up", component="database") == 0
        assert library.metric("tonearm_stream_errors_total", code="LIBRARY_UNAVAILABLE") == 1
        away.rename(database)
        locker = sqlite3.connect(database, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(len(others)) as listeners:
            waiting = [listeners.submit(play, library, track_id=number) for number in others]
            try:
                # What the others wait for is being measured, and cannot be stored.
                wait_until(lambda: library.log().count("gRPC server returned fingerprint") > len(others))
                # The lock is held until this one has played.
                assert play(library, track_id=known).start["mastering_state"] == "fingerprint"
            finally:
                locker.execute("ROLLBACK")
                locker.close()
        release(connection, played)
    for other in waiting:
        assert other.result().end["reason"] == "completed"
        assert other.result().start["mastering_state"] in {"provisional", "standard", "fingerprint"}
    assert played.end["reason"] == "completed"
    source, _ = decoded(str(library.data_dir.parent / "music" / "long.wav"))
    np.testing.assert_array_equal(played.samples, source)
    assert httpx.get(library.url + "/api/ready").status_code == 200


def test_d_database_that_can_be_read_and_not_written(library: RunningServer) -> None:
    """As on a disk that is full: everything plays, and what could not be written is told, once."""
    known, cold = library.track_id("0"), library.track_id("1")
    soft, hard = resource.prlimit(library.process.pid, resource.RLIMIT_FSIZE)
    with library.socket() as connection:
        played = begin_and_hold(connection, "play_normal", track_id=library.track_id("long"))
        resource.prlimit(library.process.pid, resource.RLIMIT_FSIZE, (0, hard))
        for _ in range(3):
            heard = play(library, track_id=known)
            assert (heard.start["mastering_state"], heard.end["reason"]) == ("fingerprint", "completed")
        measured_anew = play(library, track_id=cold)
        assert measured_anew.end["reason"] == "completed"
        assert "failed" not in measured_anew.progress
        wait_until(lambda: "Plays are not noted" in library.log())
        ready = httpx.get(library.url + "/api/ready", timeout=20)
        assert (ready.status_code, ready.json()["components"]["database"]) == (503, "not_writable")
        assert library.metric("tonearm_component_up", component="database") == 0
        release(connection, played)
    assert played.end["reason"] == "completed"
    source, _ = decoded(str(library.data_dir.parent / "music" / "long.wav"))
    np.testing.assert_array_equal(played.samples, source)
    resource.prlimit(library.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
    wait_until(lambda: library.get("/api/ready")["components"]["database"] == "ok")
    play(library, track_id=known)
    wait_until(lambda: "Plays are noted again" in library.log())
    assert library.log().count("Plays are not noted") == 1


def test_e_five_at_once(server: RunningServer, warm: Played) -> None:
    """Cached and uncached mixed: one analysis a track, all complete, no sample amiss."""
    titles = [TITLE, "Starfall", "Starfall", "Chimes They Fade", TITLE]
    tracks = [server.track_id(title) for title in titles]
    together = threading.Barrier(len(tracks))

    def listen(track_id: int) -> Played:
        together.wait()
        return play(server, track_id=track_id)

    with ThreadPoolExecutor(len(tracks)) as listeners:
        heard = list(listeners.map(listen, tracks))
    assert [played.end["reason"] for played in heard] == ["completed"] * 5
    for played, title in zip(heard, titles, strict=True):
        assert "failed" not in played.progress
        if title == TITLE:
            assert played.progress == ["cached"]
            np.testing.assert_array_equal(played.samples, warm.samples)
        else:
            assert played.progress[-1] == "complete"
            assert played.data("mastering_plan")[-1]["state"] == "fingerprint"
            assert_ends_as(played, play(server, track_id=server.track_id(title)))
    assert [measured(server, track_id) for track_id in tracks] == [1] * 5
