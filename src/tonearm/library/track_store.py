"""Writing scanned files into ``tracks``, with the artists and albums that they name."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from tonearm.library.queries import chunks
from tonearm.library.rows import album_identity, search_text, track_values
from tonearm.library.tables import albums, artists, track_artists, tracks
from tonearm.library.text import fold, identity
from tonearm.library.values import StoreCount
from tonearm.model.track import ScannedFile


def store_files(connection: Connection, files: Iterable[ScannedFile]) -> StoreCount:
    """Write each file over the row of its path, or as a new row; the last of equal paths counts."""
    batch = list({file.path: file for file in files}.values())
    known = _track_ids(connection, [file.path for file in batch])
    artist_ids = _artist_ids(connection, batch)
    album_ids = _album_ids(connection, batch)
    now = datetime.now(UTC)

    def values(file: ScannedFile) -> dict[str, Any]:
        album_id = album_ids[album_identity(file)] if file.tags.album else None
        return {**track_values(file), "album_id": album_id, "updated_at": now}

    added = [file for file in batch if file.path not in known]
    updated = [file for file in batch if file.path in known]
    _insert_tracks(connection, [{**values(file), "created_at": now} for file in added], known)
    _update_tracks(connection, [{**values(file), "track": known[file.path]} for file in updated])
    links = [
        {"track_id": known[file.path], "position": position, "artist_id": artist_ids[identity(name)]}
        for file in batch
        for position, name in enumerate(file.tags.artists)
    ]
    if links:
        connection.execute(insert(track_artists), links)
    return StoreCount(added=len(added), updated=len(updated))


def _track_ids(connection: Connection, paths: Sequence[Path]) -> dict[Path, int]:
    found: dict[Path, int] = {}
    for part in chunks(paths):
        rows = connection.execute(select(tracks.c.path, tracks.c.id).where(tracks.c.path.in_(part)))
        found.update((row.path, row.id) for row in rows)
    return found


def _insert_tracks(connection: Connection, rows: Sequence[Mapping[str, Any]], ids: dict[Path, int]) -> None:
    """Insert the rows and enter their new ids into ``ids``."""
    if rows:
        statement = insert(tracks).returning(tracks.c.path, tracks.c.id)
        ids.update((row.path, row.id) for row in connection.execute(statement, rows))


def _update_tracks(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write over the rows named by ``track``; their links to artists are taken away."""
    if not rows:
        return
    connection.execute(update(tracks).where(tracks.c.id == bindparam("track")), rows)
    for part in chunks([row["track"] for row in rows]):
        connection.execute(delete(track_artists).where(track_artists.c.track_id.in_(part)))


def _artist_ids(connection: Connection, files: Iterable[ScannedFile]) -> dict[Any, int]:
    wanted = {
        identity(name): {"identity": identity(name), "name": name, "sort_name": fold(name)}
        for file in files
        for name in file.tags.artists
    }
    return _ids(connection, artists, wanted)


def _album_ids(connection: Connection, files: Iterable[ScannedFile]) -> dict[Any, int]:
    wanted = {
        album_identity(file): {
            "identity": album_identity(file),
            "title": file.tags.album,
            "album_artist": file.tags.album_artist,
            "sort_title": fold(file.tags.album),
            "search_text": search_text(
                file.tags.album, file.tags.album_artist or ", ".join(file.tags.artists)
            ),
        }
        for file in files
        if file.tags.album
    }
    return _ids(connection, albums, wanted)


def _ids(connection: Connection, table: Any, wanted: Mapping[Any, Mapping[str, Any]]) -> dict[Any, int]:
    """The id of every identity in ``wanted``; those not yet there are inserted."""
    found: dict[Any, int] = {}
    for part in chunks(list(wanted)):
        rows = connection.execute(select(table.c.identity, table.c.id).where(table.c.identity.in_(part)))
        found.update((row.identity, row.id) for row in rows)
    missing = [values for key, values in wanted.items() if key not in found]
    if missing:
        statement = insert(table).returning(table.c.identity, table.c.id)
        found.update((row.identity, row.id) for row in connection.execute(statement, missing))
    return found
