"""What the library answers with, apart from the vocabulary of ``tonearm.model``. No database here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tonearm.library.text import printable
from tonearm.model.track import Track


class FingerprintStatus(StrEnum):
    """Whether the file, in the state in which the library knows it, has been measured."""

    PENDING = "pending"
    COMPLETE = "complete"
    ERROR = "error"


class KnownFile(NamedTuple):
    """What is needed to see that a file has not changed.

    Attributes:
        path: the path as the file system spells it (``os.fsencode``), which also gives the order.
        size: bytes.
        mtime_ns: time of the last change, ns.
        missing: it was not there when it was last looked for.
    """

    path: bytes
    size: int
    mtime_ns: int
    missing: bool


class StoreCount(NamedTuple):
    """How many rows were new and how many were written over; ``moved`` of these came from another path."""

    added: int
    updated: int
    moved: int = 0


class FingerprintCounts(NamedTuple):
    """How far the measuring of the library has come; missing files are not counted."""

    total: int
    complete: int
    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """A track as a list shows it."""

    track: Track
    fingerprint_status: FingerprintStatus
    favourite: bool
    play_count: int

    @property
    def id(self) -> int:
        return self.track.id

    @property
    def title(self) -> str:
        """The title, or the file's name without its suffix; always encodable text."""
        return printable(self.track.title)

    @property
    def artist(self) -> str | None:
        """All artists as one line, or None where the tags name none."""
        return ", ".join(self.track.tags.artists) or None

    @property
    def has_cover(self) -> bool:
        return self.track.tags.has_cover


@dataclass(frozen=True, slots=True)
class TrackPage:
    """Some rows of a list, and how many the whole list has."""

    rows: tuple[TrackSummary, ...]
    total: int


@dataclass(frozen=True, slots=True)
class TrackStats:
    """Totals over all tracks whose files are there."""

    tracks: int
    albums: int
    artists: int
    duration_s: float
    filesize: int


@dataclass(frozen=True, slots=True)
class AlbumSummary:
    """An album as a list shows it.

    Attributes:
        artist: the album artist of the tags; without one the artist that all its tracks share; else None.
        year: the earliest year of its tracks.
        cover_track_id: a track whose file holds a picture.
    """

    id: int
    title: str
    artist: str | None
    year: int | None
    track_count: int
    duration_s: float
    cover_track_id: int | None


@dataclass(frozen=True, slots=True)
class AlbumPage:
    rows: tuple[AlbumSummary, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ArtistSummary:
    """An artist as a list shows it."""

    id: int
    name: str
    track_count: int
    album_count: int


@dataclass(frozen=True, slots=True)
class ArtistPage:
    rows: tuple[ArtistSummary, ...]
    total: int


@dataclass(frozen=True, slots=True)
class GenreSummary:
    """A genre as a list shows it."""

    id: int
    name: str
    track_count: int


@dataclass(frozen=True, slots=True)
class GenrePage:
    rows: tuple[GenreSummary, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Play:
    """One time that a track was played.

    Attributes:
        played_seconds: how much of it was heard.
        counted: it was enough to count as a play.
    """

    id: int
    track: TrackSummary
    played_at: datetime
    played_seconds: float
    counted: bool


@dataclass(frozen=True, slots=True)
class PlayPage:
    rows: tuple[Play, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist as a list shows it; ``duration_s`` and ``track_count`` are of all its entries."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    track_count: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """One place in a playlist. The same track may stand in several."""

    id: int
    track: TrackSummary


@dataclass(frozen=True, slots=True)
class PlaylistEntryPage:
    rows: tuple[PlaylistEntry, ...]
    total: int


@dataclass(frozen=True, slots=True)
class SmartList:
    """A list that follows from a query."""

    id: int
    name: str
    query: str
    created_at: datetime
    updated_at: datetime
