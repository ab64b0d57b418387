"""Q4, Q5, Q22 and the identity of stream and file, on real music in every format."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from audio_files import Files
from music import clip
from quality.material import decoded, together
from quality.playing import by_hand, decided, every_stage, mastered, rendered
from sounds import analysed
from verdicts import assert_inside, assert_refused

from quality import cutting

RATE = 44_100
TABLA = clip("loop_tabla.flac")
FORMATS = ["wav-16", "wav-float", "flac-24", "wavpack", "mp3-vbr", "vorbis", "opus", "aac"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    return Files(tmp_path_factory.mktemp("formats"))


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (96_000, 6), (384_000, 8)])
def test_cutting_never_changes_the_sound(rate: int, channels: int) -> None:
    assert_inside(cutting.cuts(together(rate, 30_000, channels), every_stage(channels), rate, f"{channels}"))


def test_the_size_of_reads_never_changes_the_sound() -> None:
    assert_inside(cutting.reads(TABLA, every_stage(2), 100_000))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_render_from_any_position_is_the_whole_render_from_there(kind: str, files: Files) -> None:
    made = files(kind)
    whole = rendered(made.path, every_stage(2))
    starts = cutting.starts_in(len(whole), made.rate, 5, 3)
    assert_inside(cutting.positions(made.path, every_stage(2), whole, starts, 1.0, kind))


@pytest.mark.parametrize("name", ["loop_tabla.flac", "destiny_facedown.ogg"])
def test_stream_and_file_are_the_same_samples(name: str, tmp_path: Path) -> None:
    path = clip(name)
    x, rate = decoded(path)
    plan = decided(analysed(x, rate))
    stream = rendered(path, plan, step=2_205)
    assert_inside([cutting.stream_and_file(path, tmp_path, stream, plan)])
    assert_refused([cutting.stream_and_file(path, tmp_path, np.roll(stream, 1, axis=0), plan)])


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    assert_inside([cutting.two_processes(clip("ambi_piano.flac"), tmp_path, ["--bit-depth", "16"], ".flac")])


def test_what_is_shifted_shortened_or_softer_is_refused() -> None:
    x, _ = decoded(TABLA, 6.0)
    y = mastered(x, every_stage(2), RATE)
    assert_refused([cutting.differing("cut", y[1:], y[:-1], "", "")])
    assert_refused([cutting.differing("cut", y[:-1], y, "", "")])
    assert_refused([cutting.apart("position", y[1:], y[:-1], "", "")])
    assert_refused([cutting.apart("position", y * np.float32(1.0001), y, "", "")])
    assert_refused(
        [cutting.apart("position", np.where(np.arange(len(y))[:, None] == 9, np.nan, y), y, "", "")]
    )


def test_a_render_by_another_plan_or_from_another_frame_is_refused() -> None:
    whole = rendered(TABLA, every_stage(2))
    for wrong in (rendered(TABLA, by_hand(11.99)), np.roll(whole, 1, axis=0), whole[:-1]):
        findings = list(
            cutting.positions(TABLA, every_stage(2), wrong, [0, 300_000, len(whole) - 2], 4.0, "")
        )
        assert any(not finding.inside for finding in findings)


def test_files_of_other_bytes_are_refused(tmp_path: Path) -> None:
    pair = [tmp_path / "1", tmp_path / "2"]
    for content, path in zip((b"abc", b"abd"), pair, strict=True):
        path.write_bytes(content)
    assert_inside([cutting.same_bytes(pair[0], pair[0], "", "")])
    assert_refused([cutting.same_bytes(*pair, "", "")])
