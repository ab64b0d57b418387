"""What a listener may ask for besides a preset: 16 bits, equal loudness, no gap, the album's level."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import numpy as np
import pytest
from music import DEMO, clip
from server import Played, RunningServer, play, serving, wait_until
from truth import decoded, lufs

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("listening")]


MOST_STREAMS = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("listening")
    with serving(
        folder, DEMO, TONEARM_STREAMING__LEAD_S="600", TONEARM_LIMITS__STREAMS_PER_CLIENT=str(MOST_STREAMS)
    ) as running:
        wait_until(lambda: running.get("/api/library/fingerprints/status")["pending_tracks"] == 0)
        yield running


def heard(played: Played) -> float:
    return lufs(played.samples, played.start["sample_rate"])


@pytest.mark.parametrize("title", ["loop_tabla", "Starfall", "Vibe Ace"])
def test_matched_in_level_a_pair_is_equally_loud_and_nothing_is_turned_up(
    server: RunningServer, title: str
) -> None:
    track_id = server.track_id(title)
    mastered, original = (play(server, kind, track_id=track_id) for kind in ("play_enhanced", "play_normal"))
    pair = [
        play(server, kind, track_id=track_id, level_match=True) for kind in ("play_enhanced", "play_normal")
    ]
    assert heard(pair[0]) == pytest.approx(heard(pair[1]), abs=0.5)
    for matched, plain in zip(pair, (mastered, original), strict=True):
        gain_db = matched.start["level_match_gain_db"]
        assert gain_db <= 0.0
        np.testing.assert_allclose(
            matched.samples, plain.samples * 10 ** (gain_db / 20), rtol=1e-5, atol=1e-7
        )
    assert max(matched.start["level_match_gain_db"] for matched in pair) == 0.0
    assert abs(heard(mastered) - heard(original)) > 1.0, "nothing had to be matched"
    assert "level_match_gain_db" not in mastered.start


def sixteen(played: Played) -> np.ndarray:
    metas = played.data("audio_chunk_meta")
    assert {meta["sample_format"] for meta in metas} == {"s16le"}
    return np.concatenate(played.parts).reshape(-1, played.channels)


def test_sixteen_bits_are_the_sources_own_or_dithered(server: RunningServer) -> None:
    track_id = server.track_id("loop_tabla")
    original = play(server, "play_normal", track_id=track_id, sample_format="s16le")
    source, _ = decoded(str(clip("loop_tabla.flac")))
    np.testing.assert_array_equal(sixteen(original) / np.float32(32768), source)
    mastered = play(server, track_id=track_id)
    coarse = play(server, track_id=track_id, sample_format="s16le")
    error = sixteen(coarse) - 32768 * mastered.samples.astype(np.float64)
    assert np.abs(error).max() <= 1.5
    assert np.var(error) == pytest.approx(0.25, rel=0.05), "the dither is not triangular"
    again = play(server, track_id=track_id, sample_format="s16le", start_position=3.0)
    np.testing.assert_array_equal(sixteen(again), sixteen(coarse)[-len(sixteen(again)) :])


def test_a_track_runs_on_from_the_one_before_or_says_why_not(server: RunningServer) -> None:
    stereo, mono = server.track_id("ambi_piano"), server.track_id("drum_roll")
    track_id = server.track_id("loop_tabla")
    alone = play(server, track_id=track_id)
    after = play(server, track_id=track_id, after_track_id=stereo)
    assert (after.start["gapless"], after.start["after_track_id"]) == (True, stereo)
    assert after.samples.shape == alone.samples.shape
    assert not np.array_equal(after.samples[:4_410], alone.samples[:4_410])
    refused = play(server, track_id=track_id, after_track_id=mono)
    assert refused.start["gapless"] is False
    assert "1 channel" in refused.start["gapless_reason"]
    np.testing.assert_array_equal(refused.samples, alone.samples)
    unknown = play(server, track_id=track_id, after_track_id=999_999)
    assert unknown.start["gapless"] is False


def test_a_track_without_an_album_plays_at_its_own_level_and_says_so(server: RunningServer) -> None:
    lone = next(track for track in server.tracks() if track["album_id"] is None and track["duration"] < 30)
    played = play(server, track_id=lone["id"], level="album")
    (plan,) = played.data("mastering_plan")
    assert (played.start["level"], plan["level"]) == ("track", "track")
    assert "album" in plan["parameters"]["target_lufs"]["reason"]
    assert 'tonearm_fallbacks_total{reason="NO_ALBUM"} 1.0' in server.get_text("/metrics")


def test_an_album_has_one_level(server: RunningServer) -> None:
    found = next(track for track in server.tracks() if track["album_id"] is not None)
    played = play(server, track_id=found["id"], level="album")
    (plan,) = played.data("mastering_plan")
    assert (played.start["level"], plan["level"]) == ("album", "album")
    assert "album_lufs" in plan["measured"]


def test_every_frame_carries_meters_of_both_sides(server: RunningServer) -> None:
    played = play(server, track_id=server.track_id("loop_tabla"))
    meters = [meta["meter"] for meta in played.data("audio_chunk_meta")]
    assert max(meter["after"]["true_peak_dbtp"] for meter in meters) <= -1.0 + 0.02
    assert meters[-1]["after"]["short_term_lufs"] > meters[-1]["before"]["short_term_lufs"] + 3.0
    assert all(meter["gain_reduction_db"] >= 0.0 for meter in meters)


def test_a_seek_starts_at_the_exact_frame(server: RunningServer) -> None:
    track_id = server.track_id("loop_tabla")
    whole = play(server, track_id=track_id).samples
    for position in (0.0, 1.23456, 5.0, 9.9999):
        played = play(server, track_id=track_id, start_position=position)
        first = round(played.start["start_position"] * played.start["sample_rate"])
        assert first == round(position * played.start["sample_rate"])
        assert np.abs(played.samples - whole[first:]).max() <= 10 ** (-90 / 20)


def test_a_scan_is_told_to_whoever_is_connected(server: RunningServer) -> None:
    with server.socket() as connection:
        httpx.post(f"{server.url}/api/library/scan", json={"directories": []}).raise_for_status()
        messages = []
        while not messages or messages[-1]["type"] != "scan_complete":
            messages.append(json.loads(connection.recv(timeout=30)))
    report = messages[-1]["data"]
    assert (report["files_added"], report["files_skipped"]) == (0, len(server.tracks()))
    progress = [message["data"] for message in messages if message["type"] == "scan_progress"]
    assert progress
    assert {step["phase"] for step in progress} <= {"counting", "reading", "done"}


def test_one_stream_more_than_the_settings_allow_is_refused_and_the_others_play_on(
    server: RunningServer,
) -> None:
    wait_until(lambda: "tonearm_connections 0.0" in server.get_text("/metrics"))
    ask = json.dumps({"type": "play_normal", "data": {"track_id": server.track_id("Vibe Ace")}})
    with ExitStack() as stack:
        connections = [stack.enter_context(server.socket()) for _ in range(MOST_STREAMS + 1)]
        for connection in connections:
            # Held at once, so that none of them gets to its end.
            connection.send(ask)
            connection.send('{"type":"buffer_full"}')
            answer = json.loads(connection.recv(timeout=20))
            if connection is not connections[-1]:
                assert answer["type"] == "audio_stream_start"
        assert (answer["type"], answer["data"]["code"]) == ("audio_stream_error", "SERVER_BUSY")
        for connection in connections[:-1]:
            connection.send('{"type":"stop"}')
            while (answer := json.loads(connection.recv(timeout=20)))["type"] != "audio_stream_end":
                assert answer["type"] in {"mastering_plan", "audio_chunk", "playback_stopped"}
            assert answer["data"]["reason"] == "stopped"


def test_what_was_played_is_in_the_history_and_counts(server: RunningServer) -> None:
    track_id = server.track_id("ambi_piano")

    def count() -> int:
        return server.get(f"/api/library/tracks/{track_id}")["play_count"]

    before = count()
    play(server, "play_enhanced", track_id=track_id)
    wait_until(lambda: count() == before + 1)
    plays = server.get("/api/history")["plays"]
    latest = next(entry for entry in plays if entry["track"]["id"] == track_id)
    assert latest["counted"]
    assert latest["played_seconds"] == pytest.approx(latest["track"]["duration"], abs=0.1)
