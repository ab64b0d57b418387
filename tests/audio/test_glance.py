"""A glance at the headers says what FFmpeg finds, or nothing."""

import os
import random
from pathlib import Path

import av
import pytest
from audio_files import ALL, Files
from hostile_files import NOT_AUDIO, make_all
from music import DEMO

from tonearm.audio.decode import inspect
from tonearm.audio.glance import glance
from tonearm.audio.signature import opened
from tonearm.model.audio import AudioInfo
from tonearm.model.errors import DecodeError

DATA = Path(__file__).parents[1] / "data" / "tags"
SAID = ("aac", "flac-16", "flac-24", "mp3-cbr", "mp3-vbr", "wav-16", "wav-24")
"""Kinds of which the headers say all."""


def glanced(path: Path) -> AudioInfo | None:
    with opened(path) as file:
        return glance(file.head, file.size, file.read_at)


def but_for_bit_rate(info: AudioInfo) -> tuple[object, ...]:
    """An encoder's statement and a measurement of a bit rate differ."""
    return (
        info.format,
        info.frames,
        info.frames_exact,
        info.codec,
        info.container,
        info.bit_depth,
        info.channel_layout,
    )


@pytest.mark.parametrize("kind", sorted(ALL))
def test_every_kind_is_what_ffmpeg_finds_or_left_to_it(made: Files, kind: str) -> None:
    path = made(kind).path
    said, found = glanced(path), inspect(path)
    assert (said is not None) == (kind in SAID)
    if said is not None:
        assert but_for_bit_rate(said) == but_for_bit_rate(found)
        assert said.bitrate == pytest.approx(found.bitrate, rel=0.1 if kind == "mp3-vbr" else 0.01)


@pytest.mark.parametrize(
    "path", sorted(p for p in (*DATA.iterdir(), *DEMO.iterdir()) if p.suffix != ".md"), ids=lambda p: p.name
)
def test_files_of_others(path: Path) -> None:
    said = glanced(path)
    assert said is None or but_for_bit_rate(said) == but_for_bit_rate(inspect(path))


def test_hostile_files(tmp_path: Path) -> None:
    make_all(tmp_path / "hostile")
    for path in (tmp_path / "hostile").iterdir():
        if path.is_file():
            said = glanced(path)
            assert said is None or path.name not in NOT_AUDIO, path.name
            assert said is None or said == inspect(path), path.name


def test_dts_in_a_wav_is_left_to_the_demuxer(tmp_path: Path, made: Files) -> None:
    whole = bytearray(made("wav-16").path.read_bytes())
    (tmp_path / "plain.wav").write_bytes(whole)
    assert glanced(tmp_path / "plain.wav") is not None
    at = whole.index(b"data") + 8
    whole[at : at + 4] = b"\xff\x1f\x00\xe8"
    (tmp_path / "dts.wav").write_bytes(whole)
    assert glanced(tmp_path / "dts.wav") is None


@pytest.mark.parametrize("kind", ["mp3-cbr", "mp3-vbr"])
def test_a_tag_of_any_length_may_stand_before_the_sound(tmp_path: Path, made: Files, kind: str) -> None:
    sound = made(kind).path.read_bytes()
    sound = sound[
        10 + sum((byte & 127) << shift for byte, shift in zip(sound[6:10], (21, 14, 7, 0), strict=True)) :
    ]
    for size in (0, 64_000, 300_000):
        synchsafe = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
        path = tmp_path / f"{size}.mp3"
        path.write_bytes(b"ID3\4\0\0" + synchsafe + bytes(size) + sound)
        said = glanced(path)
        assert said is not None
        assert but_for_bit_rate(said) == but_for_bit_rate(inspect(path))


@pytest.mark.parametrize("kind", SAID)
def test_no_damage_breaks_it_and_most_is_left_to_ffmpeg(tmp_path: Path, made: Files, kind: str) -> None:
    """Where a length is changed FFmpeg counts or guesses, and the headers are believed: only seldom."""
    av.logging.set_level(None)
    whole = made(kind).path.read_bytes()[:120_000]
    dice, other = random.Random(7), 0
    for _ in range(60):
        spoiled = bytearray(whole)
        spoiled[dice.randrange(64)] = dice.randrange(256)
        path = tmp_path / f"spoiled.{kind}"
        path.write_bytes(spoiled)
        said = glanced(path)
        if said is None:
            continue
        try:
            other += but_for_bit_rate(said) != but_for_bit_rate(inspect(path))
        except DecodeError:
            other += 1
    assert other <= 6


@pytest.mark.parametrize("kind", SAID)
def test_a_file_that_is_cut_off_is_no_riddle(tmp_path: Path, made: Files, kind: str) -> None:
    whole = made(kind).path.read_bytes()
    path = tmp_path / f"cut.{kind}"
    for length in (*range(0, 64, 3), 100, 500, 4_000, 70_000):
        path.write_bytes(whole[:length])
        glanced(path)
        os.truncate(path, min(length, 8))
        assert glanced(path) is None
