from dataclasses import replace
from pathlib import Path

import numpy as np
import pyebur128
import pytest
from audio_files import by_libsndfile
from music import clip
from truth import decoded, lufs, true_peak_dbtp

from tonearm.audio.formats import BitDepth
from tonearm.model.errors import DecodeError
from tonearm.model.plan import Target
from tonearm.rendering.folder import Outcome, destinations, master_files
from tonearm.rendering.offline import MasterReport, Order

TRACKS = ("loop_tabla.flac", "destiny_facedown.ogg", "Chimes They Fade.ogg")
ALBUM = Order(target=Target(lufs=-26.0, level="album"), bit_depth=BitDepth.FLOAT32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tracks of other levels, one of them a folder further down."""
    where = tmp_path_factory.mktemp("album")
    (where / "more").mkdir()
    for number, name in enumerate(TRACKS):
        samples, rate = decoded(str(clip(name)))
        into = where / "more" if number == 2 else where
        by_libsndfile(into / f"{number}.wav", samples * np.float32(0.5**number), rate, "FLOAT")
    return where


def unwatched(_source: Path, _done: int, _total: int) -> None:
    """Nobody watches."""


def mastered(folder: Path, into: Path, order: Order) -> list[Outcome]:
    files = sorted(folder.rglob("*.wav"))
    return list(master_files(destinations(files, folder, into, ".wav"), order, unwatched))


def test_the_loudest_peak_of_the_album_bounds_them_all(folder: Path, tmp_path: Path) -> None:
    order = replace(ALBUM, target=Target(lufs=-10.0, level="album"), passes=1)
    outcomes = mastered(folder, tmp_path, order)
    peaks = [true_peak_dbtp(decoded(str(one.source))[0]) for one in outcomes]
    reports = [one.result for one in outcomes if isinstance(one.result, MasterReport)]
    assert len(reports) == len(outcomes)
    for one in reports:
        assert one.plan.predicted is not None
        assert one.before is not None
        assert one.plan.predicted.lufs - one.before.lufs == pytest.approx(-1.05 - max(peaks), abs=0.05)


def together(paths: list[Path]) -> float:
    states = []
    for path in paths:
        samples, rate = decoded(str(path))
        if samples.shape[1] == 1:
            samples = np.repeat(samples, 2, axis=1)
        states.append(pyebur128.R128State(samples.shape[1], rate, pyebur128.MeasurementMode.MODE_I))
        states[-1].add_frames(samples.reshape(-1), len(samples))
    return float(pyebur128.get_loudness_global_multiple(states))


def test_an_album_reaches_its_target_and_its_tracks_keep_their_distances(
    folder: Path, tmp_path: Path
) -> None:
    outcomes = mastered(folder, tmp_path, ALBUM)
    assert [one.destination.relative_to(tmp_path).as_posix() for one in outcomes] == [
        "0.wav",
        "1.wav",
        "more/2.wav",
    ]
    assert together([one.destination for one in outcomes]) == pytest.approx(-26.0, abs=0.1)
    lifts = []
    for one in outcomes:
        (before, rate), (after, _) = decoded(str(one.source)), decoded(str(one.destination))
        lifts.append(lufs(after, rate) - lufs(before, rate))
        assert true_peak_dbtp(after) <= -1.0 + 0.02
    assert max(lifts) - min(lifts) <= 0.1


def test_each_by_itself_reaches_the_target_by_itself(folder: Path, tmp_path: Path) -> None:
    order = replace(ALBUM, target=Target(lufs=-24.0))
    outcomes = mastered(folder, tmp_path, order)
    for one in outcomes:
        samples, rate = decoded(str(one.destination))
        assert lufs(samples, rate) == pytest.approx(-24.0, abs=0.1)


def test_what_cannot_be_read_is_named_and_the_others_are_mastered(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "in" / "broken.wav"
    broken.parent.mkdir()
    broken.write_text("no audio")
    silent = by_libsndfile(tmp_path / "in" / "silent.wav", np.zeros((44_100, 2), np.float32), 44_100, "FLOAT")
    files = [folder / "0.wav", broken, silent]
    pairs = [(file, tmp_path / "out" / file.name) for file in files]
    good, bad, quiet = master_files(pairs, ALBUM, unwatched)
    assert isinstance(bad.result, DecodeError)
    assert isinstance(good.result, MasterReport)
    assert isinstance(quiet.result, MasterReport)
    assert quiet.result.plan.bypass
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.wav", "silent.wav"]
    assert together([good.destination]) == pytest.approx(-26.0, abs=0.1)


def test_an_album_of_silence_is_copied(tmp_path: Path) -> None:
    silent = by_libsndfile(tmp_path / "silent.wav", np.zeros((44_100, 2), np.float32), 44_100, "FLOAT")
    (only,) = master_files([(silent, tmp_path / "out" / "silent.wav")], ALBUM, unwatched)
    assert isinstance(only.result, MasterReport)
    np.testing.assert_array_equal(decoded(str(only.destination))[0], 0.0)


def test_two_files_never_become_one(tmp_path: Path) -> None:
    files = [tmp_path / "a.mp3", tmp_path / "a.flac", tmp_path / "b.flac"]
    found = destinations(files, tmp_path, tmp_path / "out", ".wav")
    assert [where.name for _, where in found] == ["a (mp3).wav", "a (flac).wav", "b.wav"]
    with pytest.raises(ValueError, match="both become"):
        destinations([*files, tmp_path / "a (mp3).ogg"], tmp_path, tmp_path / "out", ".wav")


def test_a_name_with_dots_keeps_them(tmp_path: Path) -> None:
    ((_, destination),) = destinations([tmp_path / "01. Mr. Blue.mp3"], tmp_path, tmp_path, ".flac")
    assert destination.name == "01. Mr. Blue.flac"
