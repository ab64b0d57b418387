"""Reading the tags of a file: tinytag where it knows the format, FFmpeg's metadata elsewhere."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tinytag import TinyTag, TinyTagException

from tonearm.audio.container_tags import ContainerTags, container_tags
from tonearm.model.errors import FileMissing
from tonearm.model.track import Tags
from tonearm.scanning.cleaning import clean, clean_all, credits_of, number, year

_LARGEST_READ: Final = 64 * 1024 * 1024
"""No tag or picture is larger; a length field that says so would only fill the memory."""


def read_tags(path: Path, descriptor: int) -> Tags:
    """What the tags of an audio file say, cleaned.

    Args:
        path: where it lies, for the reader that opens files by name.
        descriptor: the same, open and at its beginning; it stays open.

    Raises:
        FileMissing: the file cannot be read, or is not there any more.
        DecodeError: neither reader can make anything of the file.
    """
    try:
        with _CappedFile(io.FileIO(descriptor, closefd=False)) as file:
            # By content, not by name: the reader is told no name.
            tag = TinyTag.get(file_obj=file, duration=False, image=True)
    except TinyTagException:
        return _from_container(container_tags(path))
    except OSError as exc:
        raise FileMissing(f"{path}: {exc}") from exc
    return _from_tinytag(tag)


class _CappedFile(io.BufferedReader):
    """A file that refuses to be read in pieces beyond any sense."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _LARGEST_READ:
            raise ValueError(f"wanted to read at most {_LARGEST_READ} bytes at once, got {size}")
        return super().read(size)


def _from_tinytag(tag: TinyTag) -> Tags:
    def values(first: str | None, *names: str) -> Iterable[str]:
        yield from (first,) if first else ()
        for name in names:
            yield from tag.other.get(name, ())

    album_artist = clean_all(values(tag.albumartist, "album artist", "album_artist"))
    return Tags(
        title=clean(tag.title),
        artists=credits_of(values(tag.artist, "artist")),
        album=clean(tag.album),
        album_artist=album_artist[0] if album_artist else None,
        track_number=number(str(tag.track or "")),
        disc_number=number(str(tag.disc or "")),
        year=next(filter(None, map(year, values(tag.year, "_year", "year", "originaldate"))), None),
        genres=clean_all(values(tag.genre, "genre")),
        has_cover=tag.images.any is not None,
    )


def _from_container(tags: ContainerTags) -> Tags:
    def first(*names: str) -> str | None:
        return next((tags.values[name] for name in names if tags.values.get(name)), None)

    return Tags(
        title=clean(first("title")),
        artists=credits_of([first("artist") or ""]),
        album=clean(first("album")),
        album_artist=clean(first("album_artist", "albumartist", "album artist")),
        track_number=number(first("track", "tracknumber")),
        disc_number=number(first("disc", "discnumber")),
        year=year(first("date", "year")),
        genres=clean_all([first("genre") or ""]),
        has_cover=tags.has_cover,
    )
