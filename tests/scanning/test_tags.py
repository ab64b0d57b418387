"""Tags of real files in every container, as beets reads them, and of files made to do harm."""

import struct
import tracemalloc
from pathlib import Path

import pytest

from tonearm.audio.signature import opened
from tonearm.model.errors import DecodeError, FileMissing
from tonearm.model.track import Tags
from tonearm.scanning.tags import read_tags

DATA = Path(__file__).parents[1] / "data" / "tags"

FULL = Tags(
    title="full",
    artists=("the artist",),
    album="the album",
    album_artist="the album artist",
    track_number=2,
    disc_number=4,
    year=2001,
    genres=("the genre",),
)


def tags_of(path: Path) -> Tags:
    with opened(path) as file:
        return read_tags(path, file.descriptor)


def without_album_artist(tags: Tags) -> Tags:
    return Tags(tags.title, tags.artists, tags.album, None, 2, 4, 2001, tags.genres)


@pytest.mark.parametrize("name", ["full.mp3", "full.m4a", "full.alac.m4a", "soundcheck-nonascii.m4a"])
def test_full_tags(name):
    assert tags_of(DATA / name) == FULL


@pytest.mark.parametrize("name", [f"full.{suffix}" for suffix in ("flac", "ogg", "opus", "wv", "ape", "mpc")])
def test_full_tags_of_files_that_name_no_album_artist(name):
    assert tags_of(DATA / name) == without_album_artist(FULL)


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("date_with_slashes.ogg", 2005),
        ("space_time.mp3", 2009),
        ("t_time.m4a", 1987),
        ("unparseable.mp3", 1995),
    ],
)
def test_dates_of_any_spelling(name, year):
    assert tags_of(DATA / name).year == year


@pytest.mark.parametrize("name", ["image.flac", "image.m4a", "image-jpeg.mp3"])
def test_covers_are_noticed(name):
    assert tags_of(DATA / name).has_cover
    assert not tags_of(DATA / "full.mp3").has_cover


def test_zeros_are_no_numbers():
    tags = tags_of(DATA / "image-jpeg.mp3")
    assert (tags.track_number, tags.disc_number, tags.year) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "as_name"), [("full.flac", "wrong.mp3"), ("full.mp3", "wrong.wv"), ("full.wv", "x.ogg")]
)
def test_the_content_decides_not_the_name(tmp_path, name, as_name):
    (tmp_path / as_name).write_bytes((DATA / name).read_bytes())
    assert tags_of(tmp_path / as_name).title == "full"


def id3(*frames: tuple[bytes, bytes]) -> bytes:
    """An ID3v2.4 tag."""

    def synchsafe(value: int) -> bytes:
        return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))

    body = b"".join(name + synchsafe(len(text)) + b"\0\0" + text for name, text in frames)
    return b"ID3\4\0\0" + synchsafe(len(body)) + body


def audio_of(name: str) -> bytes:
    """The bytes of an MP3 without its tag."""
    whole = (DATA / name).read_bytes()
    size = sum((byte & 0x7F) << shift for byte, shift in zip(whole[6:10], (21, 14, 7, 0), strict=True))
    return whole[10 + size :]


def test_several_artists_and_genres_in_one_frame(tmp_path):
    tag = id3((b"TPE1", b"\3A\0B\0"), (b"TCON", b"\3Jazz\0(17)\0Own; Other"), (b"TRCK", b"\x0303/12"))
    (tmp_path / "a.mp3").write_bytes(tag + audio_of("full.mp3"))
    tags = tags_of(tmp_path / "a.mp3")
    assert tags.artists == ("A", "B")
    assert tags.genres == ("Jazz", "Rock", "Own", "Other")
    assert tags.track_number == 3


def test_text_that_would_harm_is_cleaned(tmp_path):
    tag = id3((b"TIT2", b"\3a\nb\x1b[2J" + b"c" * 5000), (b"TALB", b"\1\xff\xfe\x3d\xd8x\0"))
    (tmp_path / "a.mp3").write_bytes(tag + audio_of("full.mp3"))
    tags = tags_of(tmp_path / "a.mp3")
    assert tags.title is not None
    assert tags.title.startswith("a b[2Jccc")
    assert len(tags.title) == 1_000
    (tags.album or "").encode()


def test_a_length_that_cannot_be_true_does_not_fill_the_memory(tmp_path):
    # A picture of 200 MB in a file as large; nothing of it is on the disk.
    path = tmp_path / "a.m4a"
    whole = (DATA / "full.m4a").read_bytes()
    covr = struct.pack(">I4s", 200_000_000, b"covr") + struct.pack(">I4sII", 199_999_992, b"data", 13, 0)
    meta = struct.pack(">I4sI", 200_000_020, b"meta", 0) + struct.pack(">I4s", 200_000_008, b"ilst") + covr
    moov = struct.pack(">I4s", 200_000_036, b"moov") + struct.pack(">I4s", 200_000_028, b"udta") + meta
    with path.open("wb") as file:
        file.write(whole[:32] + moov)
        file.truncate(200_001_000)
    tracemalloc.start()
    with pytest.raises(DecodeError):
        tags_of(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 70_000_000


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"#EXTM3U\n/etc/passwd\n", b"OggS" * 99])
def test_what_is_no_audio_is_told(tmp_path, content):
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(DecodeError):
        tags_of(tmp_path / "a.mp3")


def test_a_tag_without_its_body_says_nothing(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"ID3\4\0\0\x7f\x7f\x7f\x7f")
    assert tags_of(tmp_path / "a.mp3") == Tags()


def test_what_is_not_there_is_missing(tmp_path):
    with pytest.raises(FileMissing):
        tags_of(tmp_path / "a.mp3")
