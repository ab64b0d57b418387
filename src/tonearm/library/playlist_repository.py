"""Playlists: tracks in an order that the listener gave them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from tonearm.library.queries import DURATION_S, chunks, is_id, require_page
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import playlist_entries, playlists, tracks
from tonearm.library.text import fold
from tonearm.library.track_repository import summaries
from tonearm.library.values import Playlist, PlaylistEntry, PlaylistEntryPage
from tonearm.model.errors import InvalidQuery, PlaylistFull, PlaylistNotFound, TrackNotFound

MAX_ENTRIES: Final = 10_000
MAX_NAME: Final = 200

_LISTED: Final = (
    select(
        playlists.c.id,
        playlists.c.name,
        playlists.c.created_at,
        playlists.c.updated_at,
        func.count(playlist_entries.c.id).label("track_count"),
        func.coalesce(func.sum(DURATION_S), 0.0).label("duration_s"),
    )
    .select_from(
        playlists.outerjoin(playlist_entries, playlist_entries.c.playlist_id == playlists.c.id).outerjoin(
            tracks, tracks.c.id == playlist_entries.c.track_id
        )
    )
    .group_by(
        playlists.c.id,
        playlists.c.name,
        playlists.c.sort_name,
        playlists.c.created_at,
        playlists.c.updated_at,
    )
    .order_by(playlists.c.sort_name, playlists.c.id)
)


class PlaylistRepository:
    """Playlists and their entries. Calls block; every method may raise ``LibraryUnavailable``, and those that
    name a playlist ``PlaylistNotFound``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def all(self) -> tuple[Playlist, ...]:
        """Every playlist, by name."""
        with self._sessions.reading() as session:
            return tuple(Playlist(**row._mapping) for row in session.execute(_LISTED))

    def get(self, playlist_id: int) -> Playlist:
        """One playlist."""
        with self._sessions.reading() as session:
            return _playlist(session, playlist_id)

    def create(self, name: str) -> Playlist:
        """A new playlist without entries.

        Raises:
            InvalidQuery: the name is empty or longer than 200 characters.
        """
        now = datetime.now(UTC)
        values = {**name_values(name), "created_at": now, "updated_at": now}
        with self._sessions.writing() as session:
            created = session.execute(insert(playlists).values(**values).returning(playlists.c.id))
            return _playlist(session, created.scalar_one())

    def rename(self, playlist_id: int, name: str) -> Playlist:
        """Give a playlist another name.

        Raises:
            InvalidQuery: as for ``create``.
        """
        values = name_values(name)
        with self._sessions.writing() as session:
            _touch(session, playlist_id, **values)
            return _playlist(session, playlist_id)

    def delete(self, playlist_id: int) -> None:
        """Forget a playlist; its tracks stay in the library."""
        with self._sessions.writing() as session:
            _playlist(session, playlist_id)
            session.execute(delete(playlists).where(playlists.c.id == playlist_id))

    def entries(self, playlist_id: int, limit: int, offset: int) -> PlaylistEntryPage:
        """A part of a playlist in its order, tracks of missing files too.

        Raises:
            ValueError: a negative limit or offset.
        """
        require_page(limit, offset)
        with self._sessions.reading() as session:
            playlist = _playlist(session, playlist_id)
            rows = session.execute(_ordered(playlist_id).limit(limit).offset(offset)).all()
            known = {row.id: row for row in summaries(session, list({row.track_id for row in rows}))}
        entries = tuple(PlaylistEntry(row.id, known[row.track_id]) for row in rows)
        return PlaylistEntryPage(entries, playlist.track_count)

    def add(self, playlist_id: int, track_ids: Sequence[int], at: int | None) -> None:
        """Put tracks into a playlist, before the entry that is the ``at``-th now, or at the end.

        Raises:
            TrackNotFound: one of the tracks is not there; none is added.
            PlaylistFull: it would hold more than 10,000 entries.
        """
        with self._sessions.writing() as session:
            _touch(session, playlist_id)
            _require_tracks(session, track_ids)
            order = _order(session, playlist_id)
            if len(order) + len(track_ids) > MAX_ENTRIES:
                raise PlaylistFull(f"playlist {playlist_id} holds {len(order)} entries already")
            place = len(order) if at is None else min(at, len(order))
            rows = [{"playlist_id": playlist_id, "position": 0, "track_id": track} for track in track_ids]
            new = [
                session.execute(insert(playlist_entries).values(**row).returning(playlist_entries.c.id))
                for row in rows
            ]
            order[place:place] = [(created.scalar_one(), 0) for created in new]
            _renumber(session, order)

    def move(self, playlist_id: int, entry_id: int, to: int) -> None:
        """Take an entry out and put it back so that it is the ``to``-th; beyond the end means the end.

        Raises:
            PlaylistNotFound: there is no such entry in this playlist.
        """
        with self._sessions.writing() as session:
            _touch(session, playlist_id)
            order = _order(session, playlist_id)
            moved = [row for row in order if row[0] == entry_id]
            if not moved:
                raise PlaylistNotFound(f"playlist {playlist_id} has no entry {entry_id}")
            order.remove(moved[0])
            order.insert(to, moved[0])
            _renumber(session, order)

    def remove(self, playlist_id: int, entry_id: int) -> None:
        """Take an entry out of a playlist.

        Raises:
            PlaylistNotFound: there is no such entry in this playlist.
        """
        where = (playlist_entries.c.playlist_id == playlist_id, playlist_entries.c.id == entry_id)
        with self._sessions.writing() as session:
            _touch(session, playlist_id)
            if not is_id(entry_id):
                raise PlaylistNotFound(f"no entry can have the id {entry_id}")
            if session.connection().execute(delete(playlist_entries).where(*where)).rowcount == 0:
                raise PlaylistNotFound(f"playlist {playlist_id} has no entry {entry_id}")


def name_values(name: str) -> dict[str, str]:
    """The columns that follow from the name of a list.

    Raises:
        InvalidQuery: it is empty or longer than 200 characters.
    """
    shown = " ".join(name.replace("\0", " ").split())
    if not 0 < len(shown) <= MAX_NAME:
        raise InvalidQuery(f"a name has 1..{MAX_NAME} characters, got {len(shown)}")
    return {"name": shown, "sort_name": fold(shown)}


def _playlist(session: Session, playlist_id: int) -> Playlist:
    row: Row[tuple[int, ...]] | None = None
    if is_id(playlist_id):
        row = session.execute(_LISTED.where(playlists.c.id == playlist_id)).one_or_none()
    if row is None:
        raise PlaylistNotFound(f"there is no playlist {playlist_id}")
    return Playlist(**row._mapping)


def _touch(session: Session, playlist_id: int, **values: str) -> None:
    """Note that a playlist changes; raises PlaylistNotFound."""
    _playlist(session, playlist_id)
    changed = update(playlists).where(playlists.c.id == playlist_id)
    session.execute(changed.values(updated_at=datetime.now(UTC), **values))


def _ordered(playlist_id: int) -> Select[tuple[int, int, int]]:
    return (
        select(playlist_entries.c.id, playlist_entries.c.position, playlist_entries.c.track_id)
        .where(playlist_entries.c.playlist_id == playlist_id)
        .order_by(playlist_entries.c.position, playlist_entries.c.id)
    )


def _order(session: Session, playlist_id: int) -> list[tuple[int, int]]:
    """Ids and positions of all entries, in order."""
    return [(row.id, row.position) for row in session.execute(_ordered(playlist_id))]


def _renumber(session: Session, order: Sequence[tuple[int, int]]) -> None:
    """Let positions follow the order; only those that change are written."""
    rows = [
        {"entry": entry_id, "place": place}
        for place, (entry_id, position) in enumerate(order, 1)
        if position != place
    ]
    if rows:
        statement = update(playlist_entries).where(playlist_entries.c.id == bindparam("entry"))
        session.connection().execute(statement.values(position=bindparam("place")), rows)


def _require_tracks(session: Session, track_ids: Sequence[int]) -> None:
    wanted = set(track_ids)
    found: set[int] = set()
    for part in chunks([track_id for track_id in wanted if is_id(track_id)]):
        found.update(session.execute(select(tracks.c.id).where(tracks.c.id.in_(part))).scalars())
    if found != wanted:
        raise TrackNotFound(f"there is no track {min(wanted - found)}")
