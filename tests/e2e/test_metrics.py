"""What an operator sees at ``/metrics`` while the real program plays, fails and falls back."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from hostile_files import SOUND, cut, wav
from liars import free_port
from server import Played, RunningServer, play, receive_stream, serving, wait_until
from websockets.sync.client import ClientConnection

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("metrics")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One whose fingerprint server is not there."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "music").mkdir()
    wav(folder / "music" / "short.wav")
    wav(folder / "music" / "long.wav", np.tile(SOUND, (30, 1)))
    cut(wav(folder / "music" / "cut.wav"))
    with serving(
        folder,
        folder / "music",
        ["--fingerprint-server", f"127.0.0.1:{free_port()}"],
        TONEARM_FINGERPRINTS__BACKGROUND="false",
    ) as running:
        yield running


def start_and_hold(server: RunningServer, connection: ClientConnection, kind: str) -> None:
    """Begin the long track, and let the client's buffer be full once its first frame is there."""
    connection.send(json.dumps({"type": kind, "data": {"track_id": server.track_id("long")}}))
    while json.loads(connection.recv(timeout=20))["type"] != "audio_chunk":
        pass
    connection.send(json.dumps({"type": "buffer_full"}))


def test_a_play_in_standard_mastering_is_counted_with_its_reason(server: RunningServer) -> None:
    played = play(server, track_id=server.track_id("short"), level="album")
    assert played.start["mastering_state"] == "standard"
    assert server.metric("tonearm_fingerprint_sources_total", source="none") == 1
    assert server.metric("tonearm_fallbacks_total", reason="FINGERPRINT_SERVER_DOWN") == 1
    assert server.metric("tonearm_fallbacks_total", reason="NO_ALBUM") == 1
    assert server.metric("tonearm_first_frame_seconds_count", mastering_state="standard") == 1
    assert server.metric("tonearm_streams_ended_total", reason="completed") == 1
    assert server.metric("tonearm_component_up", component="fingerprint_server") == 0
    assert server.metric("tonearm_component_up", component="database") == 1
    assert server.metric("tonearm_least_lead_seconds") is None


def test_what_clients_are_told_of_errors_is_counted_by_code(server: RunningServer) -> None:
    assert play(server, track_id=999_999).data("audio_stream_error")
    assert server.metric("tonearm_stream_errors_total", code="TRACK_NOT_FOUND") == 1
    assert play(server, "play_normal", track_id=server.track_id("cut")).end["reason"] == "errored"
    assert server.metric("tonearm_stream_errors_total", code="DECODE_ERROR") == 1
    assert server.metric("tonearm_streams_ended_total", reason="errored") == 1


def test_errors_over_http_are_counted_by_code_whoever_finds_them(server: RunningServer) -> None:
    """The address, the library, the check of what was sent, the guard before them all."""
    number = server.track_id("short")
    for path, headers, code in (
        ("/api/nothing/of/the/kind", {}, "NOT_FOUND"),
        ("/api/tracks/999999/audio", {}, "TRACK_NOT_FOUND"),
        ("/api/library/tracks?limit=many", {}, "VALIDATION_ERROR"),
        ("/api/health", {"Host": "elsewhere.example"}, "HOST_NOT_ALLOWED"),
        (f"/api/tracks/{number}/audio?format=raw", {"Range": "bytes=999999999-"}, "RANGE_NOT_SATISFIABLE"),
    ):
        before = server.metric("tonearm_http_errors_total", code=code) or 0
        answer = httpx.get(server.url + path, headers=headers, timeout=20)
        assert (answer.headers["content-type"], answer.json()["code"]) == ("application/problem+json", code)
        assert server.metric("tonearm_http_errors_total", code=code) == before + 1
    assert "_created" not in server.get_text("/metrics")


def test_streams_that_play_are_shown_and_how_they_end_is_counted(server: RunningServer) -> None:
    shown = {"type": "normal", "mastering_state": "none"}
    before = server.metric("tonearm_streams_ended_total", reason="stopped")
    with server.socket() as connection:
        start_and_hold(server, connection, "play_normal")
        assert server.metric("tonearm_streams", **shown) == 1
        assert server.metric("tonearm_stream_places_taken") == 1
        # Who holds the stream hears no gap.
        wait_until(lambda: server.metric("tonearm_least_lead_seconds") is None)
        connection.send(json.dumps({"type": "buffer_ready"}))
        wait_until(lambda: server.metric("tonearm_least_lead_seconds") is not None)
        connection.send(json.dumps({"type": "stop"}))
        assert receive_stream(connection, Played(channels=2)).end["reason"] == "stopped"
        wait_until(lambda: server.metric("tonearm_streams", **shown) == 0)
        assert server.metric("tonearm_streams_ended_total", reason="stopped") == before + 1
    with server.socket() as connection:
        start_and_hold(server, connection, "play_normal")
    wait_until(lambda: server.metric("tonearm_streams_ended_total", reason="gone") == 1)
    wait_until(lambda: server.metric("tonearm_stream_places_taken") == 0)
