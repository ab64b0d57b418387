"""Tracks: read one, read a page, take in what a scan found."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, Row, and_, func, select, true, type_coerce, update

from tonearm.library.queries import (
    ANALYSIS_OF_THIS_FILE,
    DURATION_S,
    VISIBLE,
    chunks,
    is_id,
    matches,
    ordering,
    require_page,
)
from tonearm.library.rows import track_from
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import analyses, track_artists, tracks
from tonearm.library.track_store import store_files
from tonearm.library.values import (
    FingerprintStatus,
    KnownFile,
    StoreCount,
    TrackPage,
    TrackStats,
    TrackSummary,
)
from tonearm.model.errors import TrackNotFound
from tonearm.model.track import ScannedFile, Track

_KNOWN_PAGE: Final = 2_000

_IN_ALBUM: Final = (tracks.c.album_id, tracks.c.disc_number, tracks.c.track_number, tracks.c.id)

TRACK_ORDERS: Final[dict[str, Sequence[ColumnElement[Any]]]] = {
    "title": (tracks.c.sort_title, tracks.c.id),
    "artist": (tracks.c.sort_artist, tracks.c.sort_album, *_IN_ALBUM),
    "album": (tracks.c.sort_album, *_IN_ALBUM),
    "year": (tracks.c.year, tracks.c.sort_album, *_IN_ALBUM),
    "duration": (DURATION_S, tracks.c.id),
    "added": (tracks.c.created_at, tracks.c.id),
    "updated": (tracks.c.updated_at, tracks.c.id),
}
"""The orders that a list of tracks can have. Each ends in the id, so no two rows are ever tied."""

_path_bytes: Final = type_coerce(tracks.c.path, LargeBinary)

_SUMMARY: Final = select(tracks, analyses.c.status.label("fingerprint_status")).select_from(
    tracks.outerjoin(analyses, ANALYSIS_OF_THIS_FILE)
)


class TrackRepository:
    """The table ``tracks``. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def get(self, track_id: int) -> Track:
        """One track, also if its file is missing.

        Raises:
            TrackNotFound: there is no such row.
        """
        return self.summary(track_id).track

    def summary(self, track_id: int) -> TrackSummary:
        """One track as lists show it, also if its file is missing.

        Raises:
            TrackNotFound: there is no such row.
        """
        if not is_id(track_id):
            raise TrackNotFound(f"no track can have the id {track_id}")
        with self._sessions.reading() as session:
            row = session.execute(_SUMMARY.where(tracks.c.id == track_id)).one_or_none()
        if row is None:
            raise TrackNotFound(f"there is no track {track_id}")
        return _summary_from(row)

    def page(self, limit: int, offset: int, search: str = "", order_by: str = "title") -> TrackPage:
        """A part of the list of all tracks whose files are there.

        Args:
            limit: how many rows at most.
            offset: how many rows to leave out before.
            search: words that all have to occur in title, artists or album.
            order_by: one of ``TRACK_ORDERS``, with a minus before it for the other direction.

        Raises:
            ValueError: an unknown order, or a negative limit or offset.
        """
        if not search.strip():
            return self._page(true(), limit, offset, order_by)
        # One pass through the table, instead of a visit to each row in the order of the page.
        found = select(tracks.c.id).where(matches(tracks.c.search_text, search))
        return self._page(tracks.c.id.in_(found), limit, offset, order_by)

    def of_album(self, album_id: int) -> tuple[TrackSummary, ...]:
        """The tracks of an album, by disc and number."""
        if not is_id(album_id):
            return ()
        order = ordering(TRACK_ORDERS, "album")
        with self._sessions.reading() as session:
            rows = session.execute(_SUMMARY.where(VISIBLE, tracks.c.album_id == album_id).order_by(*order))
            return tuple(_summary_from(row) for row in rows)

    def of_artist(self, artist_id: int, limit: int, offset: int, order_by: str = "album") -> TrackPage:
        """A part of the tracks that name the artist.

        Raises:
            ValueError: as for ``page``.
        """
        if not is_id(artist_id):
            return TrackPage(rows=(), total=0)
        by_artist = select(track_artists.c.track_id).where(track_artists.c.artist_id == artist_id)
        return self._page(tracks.c.id.in_(by_artist), limit, offset, order_by)

    def stats(self) -> TrackStats:
        """Totals over all tracks whose files are there."""
        totals = select(
            func.count(),
            func.count(tracks.c.album_id.distinct()),
            func.coalesce(func.sum(DURATION_S), 0.0),
            func.coalesce(func.sum(tracks.c.size), 0),
        ).where(VISIBLE)
        named = (
            select(func.count(track_artists.c.artist_id.distinct()))
            .join_from(track_artists, tracks, tracks.c.id == track_artists.c.track_id)
            .where(VISIBLE)
        )
        with self._sessions.reading() as session:
            count, albums, duration_s, filesize = session.execute(totals).one()
            artists = session.execute(named).scalar_one()
        return TrackStats(count, albums, artists, float(duration_s), int(filesize))

    def known(self, root: Path) -> Iterator[KnownFile]:
        """Every file at or below ``root`` that has a row, missing ones too, in the order of their bytes.

        Read a few thousand rows at a time, so memory does not grow with the library and a scan may
        write in between.
        """
        itself = os.fsencode(root)
        yield from self._known(_path_bytes == itself)
        # A range of bytes, which the index answers: "/" is followed by "0", so music_private
        # beside music lies outside.
        prefix = itself.rstrip(b"/")
        after = prefix + b"/"
        while page := self._known(and_(_path_bytes > after, _path_bytes < prefix + b"0")):
            yield from page
            after = page[-1].path

    def store(self, files: Sequence[ScannedFile]) -> StoreCount:
        """Take in what a scan read, in one transaction. A stored file is no longer missing."""
        with self._sessions.writing() as session:
            return store_files(session.connection(), files)

    def mark_missing(self, paths: Iterable[Path]) -> int:
        """Note that these files are gone; their rows stay. Returns how many were there before."""
        return self._mark(paths, datetime.now(UTC))

    def mark_present(self, paths: Iterable[Path]) -> int:
        """Note that these files are back, unchanged. Returns how many were missing before."""
        return self._mark(paths, None)

    def _mark(self, paths: Iterable[Path], missing_since: datetime | None) -> int:
        changed = 0
        applies = VISIBLE if missing_since else tracks.c.missing_since.is_not(None)
        for part in chunks(list(paths)):
            statement = update(tracks).where(tracks.c.path.in_(part), applies)
            with self._sessions.writing() as session:
                result = session.connection().execute(statement.values(missing_since=missing_since))
                changed += result.rowcount
        return changed

    def _known(self, where: ColumnElement[bool]) -> list[KnownFile]:
        columns = (_path_bytes, tracks.c.size, tracks.c.mtime_ns, tracks.c.missing_since)
        statement = select(*columns).where(where).order_by(tracks.c.path).limit(_KNOWN_PAGE)
        with self._sessions.reading() as session:
            return [
                KnownFile(path, size, mtime_ns, missing_since is not None)
                for path, size, mtime_ns, missing_since in session.execute(statement)
            ]

    def _page(self, where: ColumnElement[bool], limit: int, offset: int, order_by: str) -> TrackPage:
        require_page(limit, offset)
        order = ordering(TRACK_ORDERS, order_by)
        # The page is cut out of an index before anything is joined to it.
        ids = select(tracks.c.id).where(VISIBLE, where).order_by(*order).limit(limit).offset(offset)
        rows = _SUMMARY.where(tracks.c.id.in_(ids)).order_by(*order)
        total = select(func.count()).select_from(tracks).where(VISIBLE, where)
        with self._sessions.reading() as session:
            return TrackPage(
                rows=tuple(_summary_from(row) for row in session.execute(rows)),
                total=session.execute(total).scalar_one(),
            )


def _summary_from(row: Row[Any]) -> TrackSummary:
    status = row.fingerprint_status
    return TrackSummary(
        track=track_from(row),
        fingerprint_status=FingerprintStatus(status) if status else FingerprintStatus.PENDING,
    )
