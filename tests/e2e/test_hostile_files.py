"""Hostile files in the library, and files that change behind the server's back."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hostile_files import BROKEN, NOT_AUDIO, RATE, SOUND, WHOLE, cut, make_all, wav
from plays import begin_and_hold, release
from server import Played, RunningServer, play, serving, wait_until
from truth import decoded

pytestmark = [pytest.mark.e2e]
CHANGED = ("resampled", "longer", "deleted", "text", "shortened")
PLAYED = ("unlinked", "replaced", "truncated")
"""Half a minute long, of which no more than 12 s are read before something happens to them."""

LONG = np.tile(SOUND, (15, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[RunningServer]:
    music = folder / "music"
    make_all(music)
    for name in CHANGED:
        wav(music / f"{name}.wav")
    for name in PLAYED:
        wav(music / f"{name}.wav", LONG)
    with serving(
        # What is in the library stays what the first scan found.
        folder,
        music,
        TONEARM_LIBRARY__WATCH="false",
        TONEARM_STREAMING__LEAD_S="600",
    ) as running:
        yield running
        assert "Traceback" not in running.log()


def said_nothing_of_the_server(played: Played, folder: Path) -> bool:
    return str(folder) not in json.dumps(played.messages) and "Traceback" not in json.dumps(played.messages)


def test_the_scan_ends_and_names_what_is_no_audio(server: RunningServer, folder: Path) -> None:
    status = server.get("/api/library/scan/status")
    assert status["state"] == "complete"
    assert {failure["file"] for failure in status["failures"]} == set(NOT_AUDIO)
    assert status["files_added"] == len(WHOLE) + len(BROKEN) + len(CHANGED) + len(PLAYED)
    assert str(folder) not in json.dumps(status)
    assert str(folder) not in json.dumps(server.tracks())


@pytest.mark.parametrize("kind", ["play_normal", "play_enhanced"])
def test_every_track_plays_as_far_as_it_goes(server: RunningServer, folder: Path, kind: str) -> None:
    broken = {Path(name).stem for name in BROKEN}
    for track in server.tracks():
        if track["title"] in CHANGED + PLAYED:
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


def unlink(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    wav(path.with_suffix(".new"), np.float32(0.5) * SOUND).replace(path)


@pytest.mark.parametrize("change", [unlink, replace])
def test_a_file_that_is_deleted_or_replaced_while_it_plays_is_heard_to_its_end(
    server: RunningServer, folder: Path, change: Callable[[Path], None]
) -> None:
    path = folder / "music" / f"{change.__name__.removesuffix('e')}ed.wav"
    whole, _ = decoded(str(path))
    track_id = server.track_id(path.stem)
    with server.socket() as connection:
        played = begin_and_hold(connection, "play_normal", track_id=track_id)
        change(path)
        release(connection, played)
    assert not played.data("audio_stream_error")
    assert (played.end["reason"], played.end["total_samples"]) == ("completed", len(whole))
    np.testing.assert_array_equal(played.samples, whole)
    again = play(server, "play_normal", track_id=track_id)
    if change is unlink:
        assert [error["code"] for error in again.data("audio_stream_error")] == ["FILE_NOT_FOUND"]
    else:
        np.testing.assert_array_equal(again.samples, decoded(str(path))[0])


@pytest.mark.parametrize("kind", ["play_normal", "play_enhanced"])
def test_a_file_that_is_truncated_while_it_plays_is_heard_as_far_as_it_goes(
    server: RunningServer, folder: Path, kind: str
) -> None:
    path = wav(folder / "music" / "truncated.wav", LONG)
    half = len(LONG) // 2
    with server.socket() as connection:
        played = begin_and_hold(connection, kind, track_id=server.track_id("truncated"))
        assert played.start["total_duration"] == len(LONG) / RATE
        # In its place, as a copy that broke off would: other than ``cut``, which writes another.
        os.truncate(path, 44 + half * 4)
        release(connection, played)
    (error,) = played.data("audio_stream_error")
    assert error["code"] == "DECODE_ERROR"
    assert error["recovery_position"] == pytest.approx(half / RATE)
    assert (played.end["reason"], played.end["total_samples"]) == ("errored", half)
    assert len(played.samples) == half
    assert said_nothing_of_the_server(played, folder)
