"""What is not an audio file of an allowed kind is refused, and damage is told."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from audio_files import Files, Samples, by_libsndfile
from music import DEMO

from tonearm.audio.decode import Decoder, inspect
from tonearm.model.errors import DecodeError


def played(path: Path, start: int = 0) -> tuple[Samples, DecodeError | None]:
    """Everything a file yields, and the error that comes after it."""
    parts: list[Samples] = []
    with Decoder(path, start) as decoder:
        try:
            while len(block := decoder.read(10_000)):
                parts.append(block)
        except DecodeError as error:
            with pytest.raises(DecodeError):
                decoder.read(1)
            return np.concatenate(parts), error
    return np.concatenate(parts), None


# Attacks: a text that makes FFmpeg open another file, under the name of a music file.


@pytest.fixture
def neighbour(tmp_path: Path) -> Path:
    path = tmp_path / "neighbour.flac"
    path.write_bytes((DEMO / "ambi_choir.flac").read_bytes())
    return path


def test_a_concatenation_list_is_refused(tmp_path: Path, neighbour: Path) -> None:
    attack = tmp_path / "song.mp3"
    attack.write_text("ffconcat version 1.0\nfile neighbour.flac\n")
    with av.open(attack) as unguarded:
        assert next(unguarded.decode(audio=0)).samples > 0
    with pytest.raises(DecodeError):
        inspect(attack)


@pytest.mark.parametrize("name", ["song.m3u8", "song.mp3"])
def test_a_playlist_is_refused(tmp_path: Path, neighbour: Path, name: str) -> None:
    attack = tmp_path / name
    attack.write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n"
        f"{neighbour.as_uri()}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(DecodeError):
        inspect(attack)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not audio at all\n" * 1000,
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        np.random.default_rng(3).bytes(100_000),
    ],
    ids=["empty", "text", "picture", "dash", "sdp", "noise"],
)
def test_what_is_not_audio_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(DecodeError):
        inspect(path)


def test_a_wav_of_a_codec_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = by_libsndfile(tmp_path / "unknown.wav", np.zeros((1000, 2), np.float32), 44_100)
    content = bytearray(path.read_bytes())
    content[20:22] = b"\x34\x12"
    path.write_bytes(content)
    with pytest.raises(DecodeError, match="no allowed decoder"):
        inspect(path)


def test_headers_that_lead_to_no_sample_format_are_refused(made: Files, tmp_path: Path) -> None:
    content = made("wavpack").path.read_bytes()
    path = tmp_path / "torn.wv"
    path.write_bytes(content[:32] + bytes(len(content) - 32))
    with pytest.raises(DecodeError, match="sample format"):
        inspect(path)


@pytest.mark.parametrize(("rate", "channels"), [(4_000, 2), (500_000, 2), (44_100, 9)])
def test_outside_the_allowed_rates_and_channels(tmp_path: Path, rate: int, channels: int) -> None:
    path = by_libsndfile(tmp_path / "odd.wav", np.zeros((100, channels), np.float32), rate)
    with pytest.raises(DecodeError, match=f"found {rate} Hz, {channels} channels"):
        inspect(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.wav")
    with pytest.raises(DecodeError, match="regular"):
        inspect(tmp_path / "song.wav")


def test_the_suffix_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes((DEMO / "ambi_choir.flac").read_bytes())
    assert inspect(path).codec == "flac"


# Damage: what can be decoded is delivered in its place, then the error comes, never a quiet end.


@pytest.mark.parametrize(
    "kind",
    ["wav-16", "aiff", "flac-16", "wavpack", "tta", "mp3-cbr", "mp3-vbr", "vorbis", "opus", "matroska"],
)
def test_a_file_that_is_cut_off_says_so(made: Files, tmp_path: Path, kind: str) -> None:
    file = made(kind)
    expected, error = played(file.path)
    assert error is None
    cut = tmp_path / file.path.name
    content = file.path.read_bytes()
    # A whole number of WAV frames, where nothing but the header gives it away.
    cut.write_bytes(content[: len(content) * 6 // 10 // 4 * 4])
    heard, error = played(cut)
    assert error is not None
    assert 0.4 < len(heard) / len(expected) < 0.7
    np.testing.assert_array_equal(heard[: len(heard) - 4096], expected[: len(heard) - 4096])


@pytest.mark.parametrize("kind", ["aac", "alac"])
def test_an_mp4_whose_index_is_cut_off_does_not_open(made: Files, tmp_path: Path, kind: str) -> None:
    content = made(kind).path.read_bytes()
    cut = tmp_path / "cut.m4a"
    cut.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(DecodeError):
        inspect(cut)


@pytest.mark.parametrize("kind", ["flac-16", "alac", "tta", "vorbis", "opus", "aac"])
def test_what_follows_damage_stays_in_its_place(made: Files, tmp_path: Path, kind: str) -> None:
    file = made(kind)
    expected, _ = played(file.path)
    content = bytearray(file.path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = np.random.default_rng(5).bytes(1500)
    damaged = tmp_path / file.path.name
    damaged.write_bytes(content)
    heard, error = played(damaged)
    assert error is not None
    assert len(heard) == len(expected)
    tail = len(expected) * 8 // 10
    np.testing.assert_allclose(heard[tail:], expected[tail:], rtol=0, atol=1e-6)
    sought, _ = played(damaged, tail)
    np.testing.assert_allclose(sought, expected[tail:], rtol=0, atol=1e-6)


def test_joined_mp3s_play_to_the_end_and_claim_no_exact_length(made: Files, tmp_path: Path) -> None:
    one = made("mp3-cbr").path
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(one.read_bytes() * 2)
    assert not inspect(joined).frames_exact
    heard, _ = played(joined)
    assert len(heard) > 1.95 * inspect(one).frames


def test_a_chained_ogg_claims_no_exact_length(tmp_path: Path) -> None:
    sound = np.random.default_rng(6).uniform(-0.5, 0.5, (44_100, 2)).astype(np.float32)
    links = [by_libsndfile(tmp_path / f"{link}.ogg", sound, 44_100, "VORBIS") for link in range(2)]
    chained = tmp_path / "chained.ogg"
    chained.write_bytes(b"".join(link.read_bytes() for link in links))
    assert not inspect(chained).frames_exact
    heard, _ = played(chained)
    assert len(heard) >= 2 * 44_100


def test_a_vorbis_cut_out_of_another_begins_with_its_first_sound() -> None:
    path = DEMO / "starfall_clip.ogg"
    expected, _ = soundfile.read(path, dtype="float32")
    assert inspect(path).frames == len(expected)
    heard, error = played(path)
    assert error is None
    np.testing.assert_allclose(heard, expected, rtol=0, atol=5e-6)


def _streamed(path: Path) -> None:
    """As a program writes that cannot go back to fill in the sizes."""
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    at = content.index(b"data")
    content[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)


def _tagged(path: Path) -> None:
    path.write_bytes(b"ID3\x04\x00\x00\x00\x00\x10\x00" + bytes(2048) + path.read_bytes())


@pytest.mark.parametrize(("name", "change"), [("a.wav", _streamed), ("a.mp3", _tagged)])
def test_lengths_survive_unusual_headers(
    made: Files, tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    file = made("wav-16" if name.endswith("wav") else "mp3-vbr")
    path = tmp_path / name
    path.write_bytes(file.path.read_bytes())
    change(path)
    info = inspect(path)
    assert info.frames == len(file.source)
    heard, error = played(path)
    assert (len(heard), error) == (len(file.source), None)
