"""A listener presses play: real files, real processes, a real socket, measured samples."""

import json
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from music import DEMO, clip
from server import Played, RunningServer, play, receive_stream, serving
from truth import decoded, lufs, true_peak_dbtp
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tonearm.model.fingerprint import DIMENSION_NAMES

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("press_play")]
CEILING_DBTP = -1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("press_play")
    with serving(
        folder,
        DEMO,
        TONEARM_FINGERPRINTS__BACKGROUND="false",
        TONEARM_STREAMING__LEAD_S="600",
        # However slow the machine, nobody here is to hear the fallback.
        TONEARM_STREAMING__START_WAIT_S="60",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def track_id(server: RunningServer) -> int:
    return server.track_id("loop_tabla")


@pytest.fixture(scope="module")
def first(server: RunningServer, track_id: int) -> Played:
    return play(server, track_id=track_id)


@pytest.fixture(scope="module")
def second(server: RunningServer, track_id: int, first: Played) -> Played:
    assert first.progress[-1] == "complete"
    return play(server, track_id=track_id)


def test_the_samples_are_the_whole_track_mastered_and_under_the_ceiling(first: Played) -> None:
    source, rate = decoded(str(clip("loop_tabla.flac")))
    samples = first.samples
    assert np.isfinite(samples).all()
    assert samples.shape == source.shape
    assert first.end["total_samples"] == len(source)
    assert first.end["reason"] == "completed"
    assert first.start["sample_rate"] == rate
    assert not np.array_equal(samples, source)
    assert lufs(samples, rate) > lufs(source, rate) + 3.0, "a track at -26 LUFS was not brought up"
    assert true_peak_dbtp(samples) <= CEILING_DBTP + 0.02


def test_what_a_play_does_not_say_is_as_the_listener_prefers_it(
    server: RunningServer, track_id: int, second: Played
) -> None:
    default = server.get("/api/settings")
    chosen = {"preset": "warm", "intensity": 0.5, "target_lufs": -20.0, "level": "track"}
    try:
        httpx.put(f"{server.url}/api/settings", json=chosen, timeout=20).raise_for_status()
        preferred = play(server, track_id=track_id)
        named = play(server, track_id=track_id, preset="adaptive", intensity=1.0)
    finally:
        httpx.put(f"{server.url}/api/settings", json=default, timeout=20).raise_for_status()
    assert (preferred.start["preset"], preferred.start["intensity"]) == ("warm", 0.5)
    assert (named.start["preset"], named.start["intensity"]) == ("adaptive", 1.0)
    rate = named.start["sample_rate"]
    assert lufs(named.samples, rate) < lufs(second.samples, rate) - 3.0, "the loudness aimed at was not used"


def test_frames_are_contiguous_short_at_first_and_on_the_chunk_grid(first: Played) -> None:
    metas = first.data("audio_chunk_meta")
    rate, channels = first.start["sample_rate"], first.channels
    lengths = [meta["sample_count"] // channels for meta in metas]
    assert [meta["seq"] for meta in metas] == list(range(len(metas)))
    assert lengths[0] <= 0.25 * rate
    assert max(lengths) <= min(rate, 76_800)
    assert {meta["stream_epoch"] for meta in metas} == {first.start["stream_epoch"]}
    assert first.start["total_chunks"] == math.ceil(sum(lengths) / (10 * rate))
    at = 0
    for meta, length in zip(metas, lengths, strict=True):
        assert meta["chunk_index"] == at // (10 * rate)
        assert (at + length - 1) // (10 * rate) == meta["chunk_index"], "a frame crosses a chunk's border"
        at += length


def test_base64_and_binary_carry_the_same_samples(
    server: RunningServer, track_id: int, second: Played
) -> None:
    with server.socket() as connection:
        connection.send(json.dumps({"type": "play_enhanced", "data": {"track_id": track_id}}))
        connection.send(json.dumps({"type": "buffer_full"}))
        connection.send(json.dumps({"type": "buffer_ready"}))
        original = receive_stream(connection)
    assert original.data("audio_chunk")
    assert not original.data("audio_chunk_meta")
    assert all(chunk["crossfade_samples"] == 0 for chunk in original.data("audio_chunk"))
    np.testing.assert_array_equal(original.samples, second.samples)


@pytest.mark.parametrize("title", ["loop_tabla", "ambi_piano", "drum_roll"])
def test_play_normal_is_the_source_bit_for_bit(server: RunningServer, title: str) -> None:
    played = play(server, "play_normal", track_id=server.track_id(title))
    source, _ = decoded(str(clip(f"{title}.flac")))
    assert played.start["mastering_state"] == "none"
    assert played.start["preset"] == "none"
    np.testing.assert_array_equal(played.samples, source)


def test_intensity_zero_is_the_source_bit_for_bit(server: RunningServer, track_id: int) -> None:
    played = play(server, track_id=track_id, intensity=0.0)
    source, _ = decoded(str(clip("loop_tabla.flac")))
    assert played.start["mastering_state"] == "none"
    np.testing.assert_array_equal(played.samples, source)


@pytest.mark.parametrize("title", ["Starfall", "destiny_facedown", "ambi_choir"])
def test_loud_short_and_mono_tracks_stay_under_the_ceiling(server: RunningServer, title: str) -> None:
    played = play(server, track_id=server.track_id(title))
    assert played.data("mastering_plan")[-1]["state"] in {"provisional", "fingerprint"}
    assert played.end["reason"] == "completed"
    assert true_peak_dbtp(played.samples) <= CEILING_DBTP + 0.02


def test_a_healthy_server_never_falls_back(server: RunningServer) -> None:
    for track in server.tracks():
        if track["duration"] < 30:
            played = play(server, track_id=track["id"])
            assert "failed" not in played.progress, track["title"]
            states = [plan["state"] for plan in played.data("mastering_plan")]
            # A track of few seconds may be over before it is measured.
            assert states[0] in {"provisional", "fingerprint"}, track["title"]
            assert states[1:] in ([], ["fingerprint"]), track["title"]


def test_http_tells_what_the_socket_told(server: RunningServer, track_id: int, first: Played) -> None:
    plan = server.get(f"/api/tracks/{track_id}/plan")
    told = first.data("mastering_plan")[-1]
    assert plan["lwrp"] == told["lwrp"]
    assert plan["parameters"] == told["parameters"]
    fingerprint = server.get(f"/api/tracks/{track_id}/fingerprint")
    assert list(fingerprint["fingerprint"]) == list(DIMENSION_NAMES)
    assert server.get("/api/ready")["ready"] is True
    assert server.get("/api/health")["status"] == "healthy"
    status = server.get("/api/library/fingerprints/status")
    assert status["fingerprinted_tracks"] >= 1
    assert status["total_tracks"] == len(server.tracks())


def test_no_answer_names_a_path(server: RunningServer, track_id: int, first: Played) -> None:
    folder = str(Path(DEMO).parent)
    texts = [json.dumps(first.messages), json.dumps(server.tracks())]
    texts.append(json.dumps(server.get("/api/library/scan/status")))
    texts.append(json.dumps(server.get(f"/api/tracks/{track_id}/plan")))
    assert not [text for text in texts if folder in text]


def test_an_unknown_track_is_an_error_with_a_code(server: RunningServer) -> None:
    played = play(server, track_id=999_999)
    (error,) = played.data("audio_stream_error")
    assert error["code"] == "TRACK_NOT_FOUND"
    assert not played.data("audio_stream_start")


def test_ctrl_c_ends_a_playing_server_at_once_and_tells_the_listener(tmp_path: Path) -> None:
    with serving(tmp_path, DEMO) as running, running.socket("?transport=binary") as connection:
        connection.send(
            json.dumps({"type": "play_enhanced", "data": {"track_id": running.track_id("Starfall")}})
        )
        while json.loads(connection.recv(timeout=30))["type"] != "audio_chunk_meta":
            pass
        began = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        played = receive_the_rest(connection)
        assert played[-1]["type"] == "audio_stream_end"
        assert played[-1]["data"]["reason"] == "stopped"
        assert running.process.wait(timeout=10) == 0
        assert time.monotonic() - began < 20, "2 s on a machine that does nothing else"
    assert "Traceback" not in running.log()


def receive_the_rest(connection: ClientConnection) -> list[dict[str, Any]]:
    """The text messages until the server closes the connection."""
    messages: list[dict[str, Any]] = []
    with pytest.raises(ConnectionClosed):
        while True:
            raw = connection.recv(timeout=10)
            if isinstance(raw, str):
                messages.append(json.loads(raw))
    return messages
