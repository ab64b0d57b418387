"""A track as the library knows it."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from tonearm.model.audio import AudioInfo

_DISC_FOLDER: Final = re.compile(r"(?:cd|disc|disk)[ ._-]*\d{1,2}(?!\d).*", re.IGNORECASE)


def is_disc_folder(name: str) -> bool:
    """Whether a folder of this name is one disc of an album that the folder above it holds."""
    return _DISC_FOLDER.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class FileSignature:
    """Tells one state of a file from another: its size, its time and a hash of its head and tail."""

    size: int
    mtime_ns: int
    content: str

    def __str__(self) -> str:
        return f"{self.size:x}-{self.mtime_ns:x}-{self.content}"


@dataclass(frozen=True, slots=True)
class Tags:
    """What the file's tags say, cleaned for display. Absent is None or empty, never a placeholder."""

    title: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artist: str | None = None
    track_number: int | None = None
    disc_number: int | None = None
    year: int | None = None
    genres: tuple[str, ...] = ()
    has_cover: bool = False


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One audio file as the scanner found it."""

    path: Path
    signature: FileSignature
    info: AudioInfo
    tags: Tags


@dataclass(frozen=True, slots=True)
class Track:
    """One audio file that has a row in the library."""

    id: int
    path: Path
    signature: FileSignature
    info: AudioInfo
    tags: Tags
    album_id: int | None = None
    created_at: datetime = field(kw_only=True)
    updated_at: datetime = field(kw_only=True)
    missing_since: datetime | None = field(default=None, kw_only=True)

    @property
    def title(self) -> str:
        """The title, or the file's name without its suffix where the tags have none."""
        return self.tags.title or self.path.stem
