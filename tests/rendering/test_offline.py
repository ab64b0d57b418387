import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tinytag
from audio_files import by_libsndfile
from music import clip
from truth import decoded, lufs, true_peak_dbtp

from tonearm.audio.encode import Encoder
from tonearm.audio.extras import read_extras
from tonearm.audio.formats import BitDepth, encoding_for
from tonearm.model.audio import AudioFormat
from tonearm.model.errors import DecodeError, EncodeError, FileMissing
from tonearm.model.plan import MasteringState, Target
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.offline import describe_report, master_file

TABLA = clip("loop_tabla.flac")
VIBE = clip("Kevin_MacLeod_-_Vibe_Ace.ogg")


@pytest.fixture(scope="module")
def vibe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of music with tags and a cover."""
    sound, rate = decoded(str(VIBE))
    path = tmp_path_factory.mktemp("vibe") / "vibe.flac"
    encoding = encoding_for(path, BitDepth.INT24)
    encoder = Encoder(path, encoding, AudioFormat(rate, 2), "stereo", read_extras(VIBE), dithered=False)
    encoder.write(sound[20 * rate : 28 * rate])
    encoder.close()
    return path


def never(_done: int, _total: int) -> None:
    raise AssertionError("work was begun")


@pytest.mark.parametrize(("name", "depth"), [("out.flac", "16"), ("out.flac", "24"), ("out.wav", "32f")])
def test_a_lossless_master_holds_the_ceiling_and_is_what_the_report_says(
    tmp_path: Path, name: str, depth: str
) -> None:
    report = master_file(TABLA, tmp_path / name, bit_depth=depth)
    source, rate = decoded(str(TABLA))
    master, _ = decoded(str(tmp_path / name))
    assert master.shape == source.shape
    assert report.frames == len(source)
    assert report.plan.state is MasteringState.FINGERPRINT
    assert report.before is not None
    assert report.after is not None
    assert report.before.lufs == pytest.approx(lufs(source, rate), abs=0.05)
    assert report.after.lufs == pytest.approx(lufs(master, rate), abs=0.05)
    assert report.after.true_peak_dbtp == pytest.approx(true_peak_dbtp(master), abs=0.02)
    assert true_peak_dbtp(master) <= -1.0 + 0.02
    assert report.after.lufs > report.before.lufs + 3.0
    assert report.after.plr_db == pytest.approx(report.after.true_peak_dbtp - report.after.lufs, abs=1e-9)


@pytest.mark.parametrize("name", ["out.mp3", "out.opus", "out.m4a"])
def test_a_lossy_master_keeps_length_and_tags_and_is_measured_as_it_will_be_heard(
    tmp_path: Path, vibe: Path, name: str
) -> None:
    report = master_file(vibe, tmp_path / name)
    tags = tinytag.TinyTag.get(tmp_path / name, image=True)
    assert (tags.title, tags.artist) == ("Vibe Ace", "Kevin MacLeod")
    assert tags.images.any is not None
    assert report.after is not None
    assert report.plan.predicted is not None
    assert report.after.lufs == pytest.approx(report.plan.predicted.lufs, abs=0.5)
    if name != "out.m4a":
        master, rate = decoded(str(tmp_path / name))
        assert len(master) == pytest.approx(report.frames * rate / 44_100, abs=1)
        assert report.after.lufs == pytest.approx(lufs(master, rate), abs=0.05)
        assert report.after.true_peak_dbtp == pytest.approx(true_peak_dbtp(master), abs=0.05)


def test_file_and_stream_are_the_same_samples(tmp_path: Path) -> None:
    report = master_file(TABLA, tmp_path / "out.wav", bit_depth="32f", intensity=0.7)
    with ChunkedAudioProcessor(TABLA, report.plan) as track:
        np.testing.assert_array_equal(track.read(1 << 30), decoded(str(tmp_path / "out.wav"))[0])


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "one.flac", tmp_path / "two.flac"]
    for file in files:
        master_file(TABLA, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_intensity_zero_is_the_source_bit_for_bit(tmp_path: Path) -> None:
    report = master_file(TABLA, tmp_path / "out.flac", intensity=0.0, bit_depth="16")
    assert report.plan.state is MasteringState.NONE
    np.testing.assert_array_equal(decoded(str(tmp_path / "out.flac"))[0], decoded(str(TABLA))[0])
    assert report.before == report.after


def test_the_target_is_followed(tmp_path: Path, vibe: Path) -> None:
    report = master_file(vibe, tmp_path / "out.flac", target=Target(lufs=-20.0, ceiling_dbtp=-3.0))
    master, rate = decoded(str(tmp_path / "out.flac"))
    assert lufs(master, rate) == pytest.approx(-20.0, abs=0.5)
    assert true_peak_dbtp(master) <= -3.0 + 0.02
    assert report.plan.target_lufs == -20.0


@pytest.mark.parametrize("preset", ["adaptive", "warm", "bright"])
def test_a_second_pass_puts_the_loudness_right(tmp_path: Path, vibe: Path, preset: str) -> None:
    wanted = Target(lufs=-20.0, ceiling_dbtp=-1.0)
    off = {}
    for passes in (1, 2):
        out = tmp_path / f"{passes}.flac"
        report = master_file(vibe, out, preset=preset, target=wanted, passes=passes)
        master, rate = decoded(str(out))
        off[passes] = abs(lufs(master, rate) - wanted.lufs)
        assert report.plan.predicted is not None
        assert report.plan.predicted.lufs == pytest.approx(-20.0, abs=0.01)
        assert true_peak_dbtp(master) <= -1.0 + 0.02
    assert off[2] <= 0.05
    assert off[1] <= 0.5


def test_a_second_pass_corrects_nothing_but_the_gain(tmp_path: Path, vibe: Path) -> None:
    wanted = Target(lufs=-20.0)
    first = master_file(vibe, tmp_path / "1.flac", preset="bright", target=wanted, passes=1).plan
    second = master_file(vibe, tmp_path / "2.flac", preset="bright", target=wanted).plan
    assert second.gain_db != first.gain_db
    assert "a first pass came out at" in second.reasons["gain_db"]
    assert second.predicted is not None
    same = replace(second, gain_db=first.gain_db, reasons=first.reasons, predicted=first.predicted)
    assert same == first


def test_what_falls_under_the_gate_on_its_way_is_rendered_all_the_same(tmp_path: Path) -> None:
    slow = np.sin(2 * np.pi * 0.7 * np.arange(20 * 44_100) / 44_100).astype(np.float32)
    source = by_libsndfile(tmp_path / "in.wav", np.stack([slow, slow], axis=1), 44_100, "FLOAT")
    report = master_file(source, tmp_path / "out.wav", target=Target(ceiling_dbtp=-20.0))
    assert report.before is not None
    assert report.after is None
    assert true_peak_dbtp(decoded(str(tmp_path / "out.wav"))[0]) <= -20.0 + 0.02


def test_passes_are_one_or_two(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="passes"):
        master_file(TABLA, tmp_path / "out.flac", passes=3, on_progress=never)


def test_surround_keeps_its_channels_and_its_ceiling(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (3 * 48_000, 6)).astype(np.float32)
    source = by_libsndfile(tmp_path / "in.wav", noise, 48_000, "FLOAT")
    master_file(source, tmp_path / "out.wav", bit_depth="32f", target=Target(lufs=-8.0))
    master, _ = decoded(str(tmp_path / "out.wav"))
    assert master.shape == noise.shape
    assert true_peak_dbtp(master) <= -1.0 + 0.02
    master_file(source, tmp_path / "out.mp3")
    assert decoded(str(tmp_path / "out.mp3"))[0].shape == (len(noise), 2)


def test_silence_is_copied_and_the_reason_told(tmp_path: Path) -> None:
    silence = by_libsndfile(tmp_path / "in.wav", np.zeros((50_000, 2), np.float32), 44_100, "PCM_16")
    report = master_file(silence, tmp_path / "out.wav")
    assert report.plan.bypass
    assert (report.before, report.after) == (None, None)
    assert describe_report(report)["before"] is None
    np.testing.assert_array_equal(decoded(str(tmp_path / "out.wav"))[0], 0.0)


def test_the_report_is_plain_data(tmp_path: Path) -> None:
    described = describe_report(master_file(TABLA, tmp_path / "out.flac"))
    assert described["frames"] == 470_723
    assert isinstance(described["after"], dict)
    assert set(described["after"]) == {"lufs", "true_peak_dbtp", "plr_db", "lra_lu"}


def test_progress_rises_to_its_total(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    master_file(TABLA, tmp_path / "out.flac", on_progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {4 * 470_723}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == 4 * 470_723


@pytest.mark.parametrize("at", [0.1, 0.5])
def test_an_interrupt_leaves_nothing(tmp_path: Path, at: float) -> None:
    out = tmp_path / "out.flac"
    out.write_text("the earlier one")

    def interrupt(done: int, total: int) -> None:
        if done > at * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        master_file(TABLA, out, on_progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["out.flac"]
    assert out.read_text() == "the earlier one"


def test_a_broken_source_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(TABLA.read_bytes()[:250_000])
    with pytest.raises(DecodeError):
        master_file(broken, tmp_path / "out.flac")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.flac"]


def test_the_source_is_never_written_to(tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    source.write_bytes(TABLA.read_bytes())
    os.link(source, tmp_path / "hard.flac")
    (tmp_path / "soft.flac").symlink_to(source)
    for name in ("song.flac", "hard.flac", "soft.flac", "../" + tmp_path.name + "/song.flac"):
        with pytest.raises(ValueError, match="source itself"):
            master_file(source, tmp_path / name, on_progress=never)
    assert source.read_bytes() == TABLA.read_bytes()


def test_errors_come_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        master_file(tmp_path / "nowhere.flac", tmp_path / "out.flac", on_progress=never)
    with pytest.raises(ValueError, match=r"\.xyz"):
        master_file(TABLA, tmp_path / "out.xyz", on_progress=never)
    with pytest.raises(ValueError, match="12"):
        master_file(TABLA, tmp_path / "out.wav", bit_depth="12", on_progress=never)
    with pytest.raises(EncodeError):
        master_file(TABLA, tmp_path / "nowhere" / "out.wav")
