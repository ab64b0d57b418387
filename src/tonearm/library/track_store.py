"""Writing scanned files into ``tracks``, with the artists and albums that they name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from tonearm.library.queries import chunks
from tonearm.library.rows import album_identity, album_position, track_values
from tonearm.library.tables import albums, artists, genres, track_artists, track_genres, tracks
from tonearm.library.text import fold, identity
from tonearm.library.values import StoreCount
from tonearm.library.words import indexed
from tonearm.model.track import ScannedFile


def store_files(
    connection: Connection, files: Iterable[ScannedFile], is_gone: Callable[[Path], bool]
) -> StoreCount:
    """Write each file over the row of its path, or as a new row; the last of equal paths counts.

    A file that has no row and is, to the byte as far as its signature tells, what lay at a path that
    ``is_gone``, was moved: it takes the row over, and all that was measured, counted and chosen with it.
    """
    batch = list({file.path: file for file in files}.values())
    known = _track_ids(connection, [file.path for file in batch])
    moved = _moved(connection, [file for file in batch if file.path not in known], is_gone)
    known |= moved
    artist_ids = _named_ids(connection, artists, (name for file in batch for name in file.tags.artists))
    genre_ids = _named_ids(connection, genres, (name for file in batch for name in file.tags.genres))
    of_album = {file.path: album_identity(file) for file in batch if file.tags.album}
    album_ids = _album_ids(connection, batch, of_album)
    now = datetime.now(UTC)

    def values(file: ScannedFile) -> dict[str, Any]:
        album_id = album_ids[of_album[file.path]] if file.tags.album else None
        position = album_position(album_id, file.tags)
        return {**track_values(file), "album_id": album_id, "album_position": position, "updated_at": now}

    added = [file for file in batch if file.path not in known]
    updated = [file for file in batch if file.path in known]
    _insert_tracks(connection, [{**values(file), "created_at": now} for file in added], known)
    touched = set(album_ids.values()) | _albums_of(connection, [known[file.path] for file in updated])
    _update_tracks(connection, [{**values(file), "track": known[file.path]} for file in updated])
    _link(connection, batch, known, artist_ids, genre_ids)
    refresh_albums(connection, touched)
    return StoreCount(added=len(added), updated=len(updated), moved=len(moved))


def refresh_albums(connection: Connection, album_ids: Iterable[int]) -> None:
    """Bring what albums are ordered by into agreement with their tracks."""
    totals = select(
        tracks.c.album_id.label("album"),
        func.min(tracks.c.sort_artist).label("sort_artist"),
        func.coalesce(func.min(tracks.c.year), 0).label("sort_year"),
        func.max(tracks.c.created_at).label("added_at"),
    ).group_by(tracks.c.album_id)
    statement = update(albums).where(albums.c.id == bindparam("album"))
    for part in chunks(sorted(album_ids)):
        rows = connection.execute(totals.where(tracks.c.album_id.in_(part))).mappings().all()
        if rows:
            connection.execute(statement, [dict(row) for row in rows])


def _albums_of(connection: Connection, track_ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for part in chunks(track_ids):
        statement = select(tracks.c.album_id).where(tracks.c.id.in_(part), tracks.c.album_id.is_not(None))
        found.update(connection.execute(statement).scalars())
    return found


def _link(
    connection: Connection,
    files: Sequence[ScannedFile],
    track_ids: Mapping[Path, int],
    artist_ids: Mapping[Any, int],
    genre_ids: Mapping[Any, int],
) -> None:
    """Join tracks to their artists, in order, and to their genres."""
    by_artist = [
        {"track_id": track_ids[file.path], "position": position, "artist_id": artist_ids[identity(name)]}
        for file in files
        for position, name in enumerate(file.tags.artists)
    ]
    by_genre = [
        {"track_id": track_ids[file.path], "genre_id": genre_ids[key]}
        for file in files
        for key in dict.fromkeys(map(identity, file.tags.genres))
    ]
    if by_artist:
        connection.execute(insert(track_artists), by_artist)
    if by_genre:
        connection.execute(insert(track_genres), by_genre)


def _track_ids(connection: Connection, paths: Sequence[Path]) -> dict[Path, int]:
    found: dict[Path, int] = {}
    for part in chunks(paths):
        rows = connection.execute(select(tracks.c.path, tracks.c.id).where(tracks.c.path.in_(part)))
        found.update((row.path, row.id) for row in rows)
    return found


def _moved(
    connection: Connection, files: Sequence[ScannedFile], is_gone: Callable[[Path], bool]
) -> dict[Path, int]:
    """The rows that files without one take over, by the files' new paths."""
    rows: list[Any] = []
    for part in chunks(list({file.signature.content for file in files})):
        columns = (tracks.c.id, tracks.c.path, tracks.c.size, tracks.c.mtime_ns, tracks.c.content)
        rows += connection.execute(select(*columns).where(tracks.c.content.in_(part))).all()
    left: dict[tuple[str, int], list[Any]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        left.setdefault((row.content, row.size), []).append(row)
    taken = {}
    for file in files:
        candidates = left.get((file.signature.content, file.signature.size), [])
        # A move keeps the time of a file; a copy whose source was deleted may not.
        candidates.sort(key=lambda row: row.mtime_ns != file.signature.mtime_ns)
        for row in candidates:
            if is_gone(row.path):
                candidates.remove(row)
                taken[file.path] = row.id
                break
    return taken


def _insert_tracks(connection: Connection, rows: Sequence[Mapping[str, Any]], ids: dict[Path, int]) -> None:
    """Insert the rows and enter their new ids into ``ids``."""
    if rows:
        statement = insert(tracks).returning(tracks.c.path, tracks.c.id)
        ids.update((row.path, row.id) for row in connection.execute(statement, rows))


def _update_tracks(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write over the rows named by ``track``; their links to artists and genres are taken away."""
    if not rows:
        return
    connection.execute(update(tracks).where(tracks.c.id == bindparam("track")), rows)
    for part in chunks([row["track"] for row in rows]):
        connection.execute(delete(track_artists).where(track_artists.c.track_id.in_(part)))
        connection.execute(delete(track_genres).where(track_genres.c.track_id.in_(part)))


def _named_ids(connection: Connection, table: Table, names: Iterable[str]) -> dict[Any, int]:
    """The ids of artists or genres by the identity of their names."""
    wanted = {identity(name): _named(name) for name in dict.fromkeys(names)}
    return _ids(connection, table, wanted)


def _named(name: str) -> dict[str, str]:
    return {
        "identity": identity(name),
        "name": name,
        "sort_name": fold(name),
        "search_text": indexed(name),
    }


def _album_ids(
    connection: Connection, files: Iterable[ScannedFile], of_album: Mapping[Path, bytes]
) -> dict[Any, int]:
    """The ids of albums by their identities, which ``of_album`` has for each file that names one."""
    # Of the files of one album the last speaks for it.
    speakers = {of_album[file.path]: file.tags for file in files if file.path in of_album}
    wanted = {
        key: {
            "identity": key,
            "title": tags.album,
            "album_artist": tags.album_artist,
            "sort_title": fold(tags.album or ""),
            "search_text": indexed(tags.album, *([tags.album_artist] if tags.album_artist else tags.artists)),
        }
        for key, tags in speakers.items()
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
