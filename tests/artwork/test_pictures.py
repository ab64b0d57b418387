"""Where a picture is found, what is kept of it, and what happens when it changes."""

import io
import os
import shutil
from pathlib import Path

import pytest
from music import clip
from PIL import Image
from structlog.testing import capture_logs

from tonearm.artwork.pictures import Pictures
from tonearm.artwork.sources import MOST_BYTES, Candidate
from tonearm.model.errors import NoArtwork

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def picture(path: Path, colour: tuple[int, int, int]) -> Path:
    Image.new("RGB", (300, 300), colour).save(path)
    return path


def colour_of(data: bytes) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(data)).getpixel((20, 20))
    assert isinstance(pixel, tuple)
    return min(
        (RED, GREEN, BLUE), key=lambda known: sum(abs(a - b) for a, b in zip(known, pixel, strict=True))
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    music = tmp_path / "music"
    music.mkdir()
    return music


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def candidate(folder: Path, name: str = "song.flac", *, has_cover: bool = False) -> Candidate:
    return Candidate(folder / name, has_cover)


def test_the_picture_beside_the_music_by_the_order_of_names(folder: Path, kept: Path) -> None:
    pictures = Pictures(kept)
    picture(folder / "Front.PNG", GREEN)
    assert colour_of(pictures.picture([candidate(folder)], 64).data) == GREEN
    picture(folder / "cover.jpg", RED)
    picture(folder / "another.jpg", BLUE)
    assert colour_of(pictures.picture([candidate(folder)], 64).data) == RED


def test_a_disc_has_the_picture_of_its_album(folder: Path, kept: Path) -> None:
    disc = folder / "CD 2"
    disc.mkdir()
    picture(folder / "folder.jpg", BLUE)
    assert colour_of(Pictures(kept).picture([candidate(disc)], 64).data) == BLUE
    (folder / "Bonus").mkdir()
    with pytest.raises(NoArtwork):
        Pictures(kept).picture([candidate(folder / "Bonus")], 64)


def test_what_the_file_carries_comes_before_what_lies_beside_it(folder: Path, kept: Path) -> None:
    import av

    source, cover = clip("loop_tabla.flac"), picture(folder / "art.png", GREEN)
    song = folder / "song.mp3"
    with av.open(str(source)) as given, av.open(str(cover)) as art, av.open(str(song), "w") as written:
        sound = written.add_stream("mp3", rate=44_100)
        image = written.add_stream_from_template(art.streams.video[0])
        image.disposition = av.stream.Disposition.attached_pic
        for packet in art.demux(video=0):
            if packet.size:
                packet.stream = image
                written.mux(packet)
        for frame in given.decode(audio=0):
            frame.pts = None
            written.mux(sound.encode(frame))
        written.mux(sound.encode(None))
    picture(folder / "cover.jpg", RED)
    pictures = Pictures(kept)
    assert colour_of(pictures.picture([candidate(folder, "song.mp3", has_cover=True)], 64).data) == GREEN
    assert colour_of(pictures.picture([candidate(folder, "song.mp3")], 64).data) == RED


def test_a_cover_that_cannot_be_read_gives_way_to_the_next(folder: Path, kept: Path) -> None:
    (folder / "song.flac").write_bytes(b"no sound and no picture")
    (folder / "cover.jpg").write_bytes(b"broken")
    picture(folder / "front.jpg", BLUE)
    pictures = Pictures(kept)
    with capture_logs() as told:
        for size in (64, 128):
            assert colour_of(pictures.picture([candidate(folder, has_cover=True)], size).data) == BLUE
    assert [entry["file"] for entry in told] == ["'song.flac'", "'cover.jpg'"], "each is told, and once"


@pytest.mark.parametrize("trap", ["link", "directory", "huge", "fifo"])
def test_what_is_no_file_of_the_folder_is_left_alone(
    folder: Path, kept: Path, tmp_path: Path, trap: str
) -> None:
    path = folder / "cover.jpg"
    if trap == "link":
        path.symlink_to(picture(tmp_path / "private.jpg", RED))
    elif trap == "directory":
        path.mkdir()
    elif trap == "fifo":
        os.mkfifo(path)
    else:
        picture(path, RED)
        os.truncate(path, MOST_BYTES + 1)
    with pytest.raises(NoArtwork):
        Pictures(kept).picture([candidate(folder)], 64)


def test_it_is_made_once_and_made_anew_when_it_changes(folder: Path, kept: Path) -> None:
    cover = picture(folder / "cover.jpg", RED)
    pictures = Pictures(kept)
    first = pictures.picture([candidate(folder)], 64)
    (stored,) = kept.glob("*/*.jpg")
    stored.write_bytes(b"what is kept is what is shown")
    assert pictures.picture([candidate(folder)], 64).data == b"what is kept is what is shown"
    picture(cover, BLUE)
    os.utime(cover, ns=(1, 1))
    second = pictures.picture([candidate(folder)], 64)
    assert colour_of(second.data) == BLUE
    assert len({first.tag, second.tag, pictures.picture([candidate(folder)], 128).tag}) == 3


def test_a_folder_that_cannot_be_written_costs_time_and_is_told(folder: Path, tmp_path: Path) -> None:
    picture(folder / "cover.jpg", RED)
    blocked = tmp_path / "kept"
    blocked.write_text("a file where the folder should be")
    with capture_logs() as told:
        assert colour_of(Pictures(blocked).picture([candidate(folder)], 64).data) == RED
    assert [entry["log_level"] for entry in told] == ["warning"]


def test_what_was_not_used_for_longest_goes_first(folder: Path, kept: Path) -> None:
    picture(folder / "cover.jpg", RED)
    pictures = Pictures(kept, kept_bytes=3_000)
    old = kept / "00" / "old.jpg"
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(2_900))
    os.utime(old, ns=(1, 1))
    (old.parent / "half.tmp").write_bytes(b"half")
    pictures.picture([candidate(folder)], 64)
    pictures.sweep()
    assert [path.name for path in kept.glob("00/*")] == []
    assert len(list(kept.glob("*/*.jpg"))) == 1
    shutil.rmtree(kept)
    pictures.sweep()


def test_only_the_sizes_there_are(folder: Path, kept: Path) -> None:
    with pytest.raises(ValueError, match="100"):
        Pictures(kept).picture([candidate(folder)], 100)
