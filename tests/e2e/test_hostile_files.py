"""Hostile files in the library, and files that change behind the server's back."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hostile_files import BROKEN, NOT_AUDIO, RATE, SOUND, WHOLE, cut, make_all, wav
from server import Played, RunningServer, play, serving, wait_until

pytestmark = [pytest.mark.e2e]
CHANGED = ("resampled", "longer", "deleted", "text", "shortened")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[RunningServer]:
    music = folder / "music"
    make_all(music)
    for name in CHANGED:
        wav(music / f"{name}.wav")
    with serving(folder, music, TONEARM_STREAMING__LEAD_S="600") as running:
        yield running
        assert "Traceback" not in running.log()


def said_nothing_of_the_server(played: Played, folder: Path) -> bool:
    return str(folder) not in json.dumps(played.messages) and "Traceback" not in json.dumps(played.messages)


def test_the_scan_ends_and_names_what_is_no_audio(server: RunningServer, folder: Path) -> None:
    status = server.get("/api/library/scan/status")
    assert status["state"] == "complete"
    assert {failure["file"] for failure in status["failures"]} == set(NOT_AUDIO)
    assert status["files_added"] == len(WHOLE) + len(BROKEN) + len(CHANGED)
    assert str(folder) not in json.dumps(status)
    assert str(folder) not in json.dumps(server.tracks())


@pytest.mark.parametrize("kind", ["play_normal", "play_enhanced"])
def test_every_track_plays_as_far_as_it_goes(server: RunningServer, folder: Path, kind: str) -> None:
    broken = {Path(name).stem for name in BROKEN}
    for track in server.tracks():
        if track["title"] in CHANGED:
            continue
        played = play(server, kind, track_id=track["id"])
        assert np.isfinite(played.samples).all() or kind == "play_normal", track["title"]
        assert said_nothing_of_the_server(played, folder)
        damaged = track["title"] in broken
        assert played.end["reason"] == ("errored" if damaged else "completed"), track["title"]
        assert played.end["total_samples"] == len(played.samples)
        assert len(played.samples) in {1, RATE, len(SOUND)}
        errors = [error["code"] for error in played.data("audio_stream_error")]
        assert errors == (["DECODE_ERROR"] if damaged else [])


def test_a_file_that_changed_since_the_scan_is_played_as_it_is(server: RunningServer, folder: Path) -> None:
    wait_until(lambda: server.get("/api/library/fingerprints/status")["pending_tracks"] == 0)
    music = folder / "music"
    assert play(server, track_id=server.track_id("resampled")).start["mastering_state"] == "fingerprint"

    wav(music / "resampled.wav", np.float32(0.1) * SOUND, 96_000)
    played = play(server, track_id=server.track_id("resampled"), start_position=0.5)
    assert played.progress[0] == "analyzing", "the other file's fingerprint is not this one's"
    assert played.start["sample_rate"] == 96_000
    assert len(played.samples) == len(SOUND) - 48_000

    wav(music / "longer.wav", np.concatenate([SOUND, SOUND]))
    played = play(server, track_id=server.track_id("longer"))
    assert played.start["total_duration"] == 4.0
    assert len(played.samples) == 2 * len(SOUND)

    cut(music / "shortened.wav")
    played = play(server, track_id=server.track_id("shortened"))
    assert (played.end["reason"], len(played.samples)) == ("errored", RATE)

    for name, code in (("deleted", "FILE_NOT_FOUND"), ("text", "DECODE_ERROR")):
        (music / f"{name}.wav").unlink()
        if name == "text":
            (music / "text.wav").write_text("no music\n" * 500)
        played = play(server, track_id=server.track_id(name))
        assert [error["code"] for error in played.data("audio_stream_error")] == [code]
        assert said_nothing_of_the_server(played, folder)
