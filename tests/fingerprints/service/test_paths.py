"""Which files a request may have read."""

import os
from pathlib import Path

import pytest

from tonearm.fingerprints.service.paths import from_text, permitted, to_text
from tonearm.model.errors import FileMissing, OutsideLibrary


@pytest.fixture
def music(tmp_path: Path) -> Path:
    (tmp_path / "music" / "album").mkdir(parents=True)
    (tmp_path / "music" / "album" / "song.flac").write_bytes(b"x")
    (tmp_path / "music_private").mkdir()
    (tmp_path / "music_private" / "song.flac").write_bytes(b"x")
    return tmp_path / "music"


def test_a_file_below_a_root_is_permitted(music: Path) -> None:
    song = music / "album" / "song.flac"
    assert permitted(str(song), [music.parent / "other", music]) == song


def test_a_root_that_is_a_link_counts_as_what_it_leads_to(music: Path) -> None:
    link = music.parent / "link"
    link.symlink_to(music)
    assert permitted(str(link / "album" / "song.flac"), [link]) == music / "album" / "song.flac"


def test_outside_is_refused_whether_or_not_it_exists(music: Path) -> None:
    private = music.parent / "music_private"
    (music / "escape").symlink_to(private)
    (music / "song.flac").symlink_to(private / "song.flac")
    for path in (
        private / "song.flac",
        private / "nothing.flac",
        music / "escape" / "song.flac",
        music / "song.flac",
        music / ".." / "music_private" / "song.flac",
        Path("/etc/passwd"),
    ):
        with pytest.raises(OutsideLibrary):
            permitted(str(path), [music])


@pytest.mark.parametrize("text", ["", "song.flac", "album/song.flac", "~/song.flac", "http://host/song.flac"])
def test_a_relative_path_is_refused_wherever_the_server_stands(
    text: str, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(music)
    with pytest.raises(OutsideLibrary):
        permitted(text, [music])


def test_a_null_byte_is_refused(music: Path) -> None:
    with pytest.raises(OutsideLibrary):
        permitted(f"{music}/album/song.flac\0.mp3", [music])
    with pytest.raises(OutsideLibrary):
        permitted(f"file://{music}/album/song.flac%00.mp3", [music])


def test_without_roots_everything_is_refused(music: Path) -> None:
    with pytest.raises(OutsideLibrary):
        permitted(str(music / "album" / "song.flac"), [])


def test_what_is_no_regular_file_is_missing(music: Path) -> None:
    os.mkfifo(music / "pipe.flac")
    (music / "loop").symlink_to(music / "loop")
    for name in ("nothing.flac", "album", "pipe.flac", "album/song.flac/below", "loop"):
        with pytest.raises(FileMissing):
            permitted(str(music / name), [music])


@pytest.mark.parametrize("name", [b"song.flac", b"caf\xc3\xa9 100%.flac", b"caf\xe9 %41.flac", b"a#?b.flac"])
def test_every_name_survives_as_text(name: bytes, music: Path) -> None:
    song = music / os.fsdecode(name)
    song.write_bytes(b"x")
    text = to_text(song)
    text.encode()
    assert from_text(text) == song
    assert permitted(text, [music]) == song
