"""The schema. The history that leads to it lies in ``migrations``; a test holds the two together.

Nothing here is peculiar to one database; the indexes that searches look into and the triggers that keep them
true are, and stand in ``migrations`` alone. Columns of numbers that the vocabulary defines are derived
from it: ``track_fingerprints`` from the fields of ``Fingerprint``, ``track_measures`` from those of
``TrackMeasures``.
"""

import os
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from tonearm.model.fingerprint import DIMENSION_NAMES
from tonearm.model.measures import TrackMeasures

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class FilePath(TypeDecorator[Path]):
    """A path, kept as the bytes that the file system uses: names that are not UTF-8 come back unharmed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Path | None:  # noqa: ARG002
        return None if value is None else Path(os.fsdecode(value))


class Moment(TypeDecorator[datetime]):
    """An instant in UTC. SQLite keeps no zone, so it is put on again when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _sort_text() -> TypeEngine[str]:
    # SQLite compares bytes; Postgres would follow the language of the machine.
    return Text().with_variant(Text(collation="C"), "postgresql")


artists = Table(
    "artists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", _sort_text(), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("sort_name", _sort_text(), nullable=False, index=True),
    Column("search_text", Text, nullable=False, server_default=""),
)

albums = Table(
    "albums",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", LargeBinary, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("album_artist", Text),
    Column("sort_title", _sort_text(), nullable=False, index=True),
    Column("search_text", Text, nullable=False),
    # Of its tracks: the first by artist, the earliest year, the latest arrival.
    Column("sort_artist", _sort_text(), nullable=False, server_default=""),
    Column("sort_year", Integer, nullable=False, server_default="0"),
    Column("added_at", Moment, nullable=False, server_default="1970-01-01 00:00:00+00:00"),
    Index("ix_albums_by_artist", "sort_artist", "sort_year", "sort_title", "id"),
    Index("ix_albums_by_year", "sort_year", "sort_title", "id"),
    Index("ix_albums_by_time", "added_at", "id"),
)

tracks = Table(
    "tracks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", FilePath, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("content", String(64), nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("frames_exact", Boolean, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("channel_layout", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("container", Text, nullable=False),
    Column("bit_depth", Integer),
    Column("bitrate", BigInteger),
    Column("title", Text),
    Column("artists", JSON, nullable=False),
    Column("album", Text),
    Column("album_artist", Text),
    Column("track_number", Integer),
    Column("disc_number", Integer),
    Column("year", Integer),
    Column("genres", JSON, nullable=False),
    Column("has_cover", Boolean, nullable=False),
    Column("album_id", ForeignKey("albums.id")),
    Column("sort_title", _sort_text(), nullable=False),
    Column("sort_artist", _sort_text(), nullable=False),
    Column("sort_album", _sort_text(), nullable=False),
    Column("search_text", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("missing_since", Moment),
    # What lists are ordered by, never null: year, or 0; album_id, disc and number in one; length.
    Column("sort_year", Integer, nullable=False, server_default="0"),
    Column("album_position", BigInteger, nullable=False, server_default="0"),
    Column("duration_ms", BigInteger, nullable=False, server_default="0"),
    # Lists leave missing files out; with that in the index of each order, a page is found in the index.
    Index("ix_tracks_by_title", "sort_title", "id", "missing_since"),
    Index("ix_tracks_by_artist", "sort_artist", "sort_album", "album_position", "id", "missing_since"),
    Index("ix_tracks_by_album", "sort_album", "album_position", "id", "missing_since"),
    Index("ix_tracks_by_year", "sort_year", "sort_album", "album_position", "id", "missing_since"),
    Index("ix_tracks_by_duration", "duration_ms", "id", "missing_since"),
    Index("ix_tracks_by_time", "created_at", "id", "missing_since"),
    Index("ix_tracks_by_change", "updated_at", "id", "missing_since"),
    # Totals of the library are read from this one alone.
    Index("ix_tracks_of_album", "album_id", "missing_since", "size", "duration_ms"),
    # A file that was moved is known by what is in it.
    Index("ix_tracks_by_content", "content", "size"),
    # Of the few missing ones alone: an index of all would lure SQLite away from the order of a list.
    Index(
        "ix_tracks_missing_since",
        "missing_since",
        sqlite_where=text("missing_since IS NOT NULL"),
        postgresql_where=text("missing_since IS NOT NULL"),
    ),
)

track_artists = Table(
    "track_artists",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("artist_id", ForeignKey("artists.id"), nullable=False, index=True),
)

genres = Table(
    "genres",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", _sort_text(), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("sort_name", _sort_text(), nullable=False, index=True),
    Column("search_text", Text, nullable=False),
)

track_genres = Table(
    "track_genres",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("genre_id", ForeignKey("genres.id"), primary_key=True),
    Index("ix_track_genres_genre_id", "genre_id", "track_id"),
)

# One row. Triggers of the database raise the number with every change of ``tracks``, whoever writes.
library_state = Table(
    "library_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("fingerprints", BigInteger, nullable=False, server_default="0"),
)

analyses = Table(
    "analyses",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("error_code", String(64)),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("content", String(64), nullable=False),
    # Of the fingerprint, or of the failure where there is none.
    Column("algorithm_version", Integer, nullable=False),
    Column("analysed_at", Moment, nullable=False),
    # The newest algorithm that failed, null where none did.
    Column("failed_version", Integer),
    # Of a fingerprint: ``library_state.fingerprints`` when it came, so later ones have larger numbers.
    Column("revision", BigInteger, nullable=False, server_default="0", index=True),
    # Whether it is of the file as it is now, as the library knows it: triggers keep that true.
    Column("holds", Boolean, nullable=False, server_default=false()),
    Index("ix_analyses_holds", "holds", "status"),
    CheckConstraint("status IN ('complete', 'error')", name="status"),
)

track_fingerprints = Table(
    "track_fingerprints",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    *(Column(name, Double, nullable=False) for name in DIMENSION_NAMES),
)

_MEASURE_TYPES: Final[dict[Any, type[TypeEngine[Any]]]] = {
    int: BigInteger,
    float: Double,
    tuple[float, ...]: JSON,
    tuple[int, ...]: JSON,
    bytes: LargeBinary,
}
_HINTS: Final = get_type_hints(TrackMeasures)

MEASURE_NAMES: Final = tuple(measure.name for measure in fields(TrackMeasures))
TUPLE_MEASURES: Final = tuple(name for name in MEASURE_NAMES if _MEASURE_TYPES[_HINTS[name]] is JSON)

track_measures = Table(
    "track_measures",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    *(Column(name, _MEASURE_TYPES[_HINTS[name]](), nullable=False) for name in MEASURE_NAMES),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

favourites = Table(
    "favourites",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("added_at", Moment, nullable=False),
)

plays = Table(
    "plays",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("played_at", Moment, nullable=False),
    Column("played_seconds", Double, nullable=False),
    Column("counted", Boolean, nullable=False),
    Index("ix_plays_by_time", "played_at", "id"),
)

play_counts = Table(
    "play_counts",
    metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_played_at", Moment, nullable=False),
)

playlists = Table(
    "playlists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sort_name", _sort_text(), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

# Positions give the order and may have gaps, where a track was forgotten.
playlist_entries = Table(
    "playlist_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("playlist_id", ForeignKey("playlists.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False, index=True),
    Index("ix_playlist_entries_by_position", "playlist_id", "position"),
)

smart_lists = Table(
    "smart_lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sort_name", _sort_text(), nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
