"""Orders without nulls, genres, an index of words, and a number that says whether the tracks have changed."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

from tonearm.library.text import fold, identity
from tonearm.library.words import indexed

revision = "0003"
down_revision = "0002"

SORT_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BATCH = 1_000

TRACK_INDEXES = {
    "ix_tracks_by_artist": ["sort_artist", "sort_album", "album_position", "id", "missing_since"],
    "ix_tracks_by_album": ["sort_album", "album_position", "id", "missing_since"],
    "ix_tracks_by_year": ["sort_year", "sort_album", "album_position", "id", "missing_since"],
    "ix_tracks_by_duration": ["duration_ms", "id", "missing_since"],
    "ix_tracks_by_change": ["updated_at", "id", "missing_since"],
}
ALBUM_INDEXES = {
    "ix_albums_by_artist": ["sort_artist", "sort_year", "sort_title", "id"],
    "ix_albums_by_year": ["sort_year", "sort_title", "id"],
    "ix_albums_by_time": ["added_at", "id"],
}


def upgrade() -> None:
    _add_columns()
    _create_genres()
    _fill()
    op.drop_index("ix_tracks_by_artist", "tracks")
    op.drop_index("ix_tracks_by_album", "tracks")
    for name, columns in TRACK_INDEXES.items():
        op.create_index(name, "tracks", columns)
    for name, columns in ALBUM_INDEXES.items():
        op.create_index(name, "albums", columns)
    missing = sa.text("missing_since IS NOT NULL")
    op.create_index(
        "ix_tracks_missing_since", "tracks", ["missing_since"], sqlite_where=missing, postgresql_where=missing
    )
    op.create_index("ix_track_genres_genre_id", "track_genres", ["genre_id", "track_id"])
    state = op.create_table(
        "library_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_state")),
    )
    op.bulk_insert(state, [{"id": 1, "version": 1}])
    if op.get_bind().dialect.name == "sqlite":
        _watch_in_sqlite()
    else:
        _watch_in_postgres()


def _add_columns() -> None:
    number, large = sa.Integer(), sa.BigInteger()
    op.add_column("tracks", sa.Column("sort_year", number, nullable=False, server_default="0"))
    op.add_column("tracks", sa.Column("album_position", large, nullable=False, server_default="0"))
    op.add_column("tracks", sa.Column("duration_ms", large, nullable=False, server_default="0"))
    op.add_column("artists", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    op.add_column("albums", sa.Column("sort_artist", SORT_TEXT, nullable=False, server_default=""))
    op.add_column("albums", sa.Column("sort_year", number, nullable=False, server_default="0"))
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "albums",
        sa.Column("added_at", moment, nullable=False, server_default="1970-01-01 00:00:00+00:00"),
    )


def _create_genres() -> None:
    op.create_table(
        "genres",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", SORT_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", SORT_TEXT, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_genres")),
        sa.UniqueConstraint("identity", name=op.f("uq_genres_identity")),
    )
    op.create_index("ix_genres_sort_name", "genres", ["sort_name"])
    op.create_table(
        "track_genres",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("genre_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_track_genres_track_id_tracks"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["genre_id"], ["genres.id"], name=op.f("fk_track_genres_genre_id_genres")),
        sa.PrimaryKeyConstraint("track_id", "genre_id", name=op.f("pk_track_genres")),
    )


def _fill() -> None:
    """Bring what is there to the new columns."""
    op.execute(
        "UPDATE tracks SET sort_year = COALESCE(year, 0), duration_ms = frames * 1000 / rate,"
        " album_position = CASE WHEN album_id IS NULL THEN 0 ELSE CAST(album_id AS BIGINT) * 4294967296"
        " + COALESCE(disc_number, 0) * 1048576 + COALESCE(track_number, 0) END"
    )
    op.execute(
        "UPDATE albums SET sort_artist = totals.artist, sort_year = totals.year, added_at = totals.added"
        " FROM (SELECT album_id, MIN(sort_artist) AS artist, COALESCE(MIN(year), 0) AS year,"
        " MAX(created_at) AS added FROM tracks GROUP BY album_id) AS totals WHERE totals.album_id = albums.id"
    )
    _fill_words()


def _fill_words() -> None:
    # Cut as searches are cut now; a version that cuts them otherwise cuts these again.
    genre_ids: dict[str, int] = {}
    for rows in _batches("tracks", ["path", "title", "artists", "album", "album_artist", "genres"]):
        genres: list[dict[str, object]] = []
        links: list[dict[str, object]] = []
        words: list[dict[str, object]] = []
        for row in rows:
            artists, names = _listed(row.artists), _listed(row.genres)
            title = row.title or Path(os.fsdecode(row.path)).stem
            text = indexed(title, *artists, row.album, row.album_artist, *names)
            words.append({"key": row.id, "words": text})
            for key, name in {identity(name): name for name in names}.items():
                if key not in genre_ids:
                    genre_ids[key] = len(genre_ids) + 1
                    genres.append({"identity": key, "name": name, "sort": fold(name), "words": indexed(name)})
                links.append({"track": row.id, "genre": genre_ids[key]})
        # The ids follow: the table is empty before.
        _each("INSERT INTO genres (identity, name, sort_name, search_text)"
              " VALUES (:identity, :name, :sort, :words)", genres)  # fmt: skip
        _each("INSERT INTO track_genres (track_id, genre_id) VALUES (:track, :genre)", links)
        _each("UPDATE tracks SET search_text = :words WHERE id = :key", words)
    for rows in _batches("albums", ["title", "album_artist", "sort_artist"]):
        words = [
            {"key": row.id, "words": indexed(row.title, row.album_artist or row.sort_artist)} for row in rows
        ]
        _each("UPDATE albums SET search_text = :words WHERE id = :key", words)
    for rows in _batches("artists", ["name"]):
        words = [{"key": row.id, "words": indexed(row.name)} for row in rows]
        _each("UPDATE artists SET search_text = :words WHERE id = :key", words)


def _batches(table: str, columns: Sequence[str]) -> Iterator[Sequence[sa.Row[Any]]]:
    statement = sa.text(
        f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :last ORDER BY id LIMIT {BATCH}"
    )
    last = 0
    while rows := op.get_bind().execute(statement, {"last": last}).all():
        yield rows
        last = rows[-1].id


def _each(statement: str, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        op.get_bind().execute(sa.text(statement), rows)


def _listed(value: str | list[str]) -> list[str]:
    """JSON, which Postgres hands out as what it says and SQLite as text."""
    return json.loads(value) if isinstance(value, str) else value


def _watch_in_sqlite() -> None:
    for event in ("INSERT", "UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER tracks_version_{event.lower()} AFTER {event} ON tracks BEGIN"
            " UPDATE library_state SET version = version + 1; END"
        )
    # Of tracks only those are found whose files are there.
    op.execute("CREATE VIEW tracks_to_find AS SELECT id, search_text FROM tracks WHERE missing_since IS NULL")
    _index_in_sqlite("tracks", "tracks_to_find", "{row}.missing_since IS NULL")
    _index_in_sqlite("albums", "albums", "TRUE")
    _index_in_sqlite("artists", "artists", "TRUE")


def _index_in_sqlite(table: str, content: str, found: str) -> None:
    """An index of words, and the triggers that keep it true in the transaction of the row."""
    name = f"{table}_words"
    old, new = found.format(row="old"), found.format(row="new")
    op.execute(
        f"CREATE VIRTUAL TABLE {name} USING fts5(search_text, content='{content}', content_rowid='id',"
        " detail='none', columnsize=0, prefix='1 2 3',"
        """ tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'")"""
    )
    op.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
    take = (
        f"INSERT INTO {name} ({name}, rowid, search_text)"
        f" SELECT 'delete', old.id, old.search_text WHERE {old};"
    )
    put = f"INSERT INTO {name} (rowid, search_text) SELECT new.id, new.search_text WHERE {new};"
    op.execute(f"CREATE TRIGGER {name}_insert AFTER INSERT ON {table} BEGIN {put} END")
    op.execute(f"CREATE TRIGGER {name}_delete AFTER DELETE ON {table} BEGIN {take} END")
    op.execute(
        f"CREATE TRIGGER {name}_update AFTER UPDATE ON {table}"
        f" WHEN old.search_text <> new.search_text OR ({old}) <> ({new}) BEGIN {take} {put} END"
    )


def _watch_in_postgres() -> None:
    op.execute(
        "CREATE FUNCTION raise_library_version() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE library_state SET version = version + 1; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER tracks_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON tracks"
        " FOR EACH STATEMENT EXECUTE FUNCTION raise_library_version()"
    )
    for table in ("tracks", "albums", "artists"):
        found = " WHERE missing_since IS NULL" if table == "tracks" else ""
        op.execute(
            f"CREATE INDEX {table}_words ON {table} USING gin"
            f" (array_to_tsvector(string_to_array(search_text, ' '))){found}"
        )
