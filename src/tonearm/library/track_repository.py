"""Tracks: read one, read a page, take in what a scan found."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Table,
    and_,
    delete,
    func,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from tonearm.library.paging import Confined, Listing, Order, Pages
from tonearm.library.queries import (
    ANALYSIS_OF_THIS_FILE,
    ARTIST_THERE,
    VISIBLE,
    chunks,
    is_id,
    order_named,
    require_page,
)
from tonearm.library.rows import track_from
from tonearm.library.search import found_in
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import (
    analyses,
    artists,
    favourites,
    play_counts,
    playlist_entries,
    track_artists,
    track_genres,
    tracks,
)
from tonearm.library.track_store import refresh_albums, store_files
from tonearm.library.values import (
    FingerprintStatus,
    KnownFile,
    StoreCount,
    TrackPage,
    TrackStats,
    TrackSummary,
)
from tonearm.library.words import searched
from tonearm.model.errors import TrackNotFound
from tonearm.model.track import ScannedFile, Track

_KNOWN_PAGE: Final = 2_000

_IN_ALBUM: Final = (tracks.c.sort_album, tracks.c.album_position, tracks.c.id)

TRACK_ORDERS: Final[Mapping[str, Order]] = {
    "title": Order("title", (tracks.c.sort_title, tracks.c.id)),
    "artist": Order("artist", (tracks.c.sort_artist, *_IN_ALBUM)),
    "album": Order("album", _IN_ALBUM),
    "year": Order("year", (tracks.c.sort_year, *_IN_ALBUM)),
    "duration": Order("duration", (tracks.c.duration_ms, tracks.c.id)),
    "added": Order("added", (tracks.c.created_at, tracks.c.id)),
    "updated": Order("updated", (tracks.c.updated_at, tracks.c.id)),
}
"""The orders that a list of tracks can have. Each ends in the id, so no two rows are ever tied."""

_path_bytes: Final = type_coerce(tracks.c.path, LargeBinary)

_SUMMARY: Final = select(
    tracks,
    analyses.c.status.label("fingerprint_status"),
    favourites.c.track_id.is_not(None).label("favourite"),
    func.coalesce(play_counts.c.count, 0).label("play_count"),
).select_from(
    tracks.outerjoin(analyses, ANALYSIS_OF_THIS_FILE)
    .outerjoin(favourites, favourites.c.track_id == tracks.c.id)
    .outerjoin(play_counts, play_counts.c.track_id == tracks.c.id)
)


class TrackRepository:
    """The table ``tracks``. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions, pages: Pages) -> None:
        self._sessions = sessions
        self._pages = pages

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
        return summary_from(row)

    def page(self, limit: int, offset: int, search: str = "", order_by: str = "title") -> TrackPage:
        """A part of the list of all tracks whose files are there.

        Args:
            limit: how many rows at most.
            offset: how many rows to leave out before.
            search: words that all have to occur in title, artists, album or genres, or begin what does.
            order_by: one of ``TRACK_ORDERS``, with a minus before it for the other direction.

        Raises:
            ValueError: an unknown order, or a negative limit or offset.
        """
        words = searched(search)

        def listing(session: Session) -> Listing:
            return Listing(("tracks", words), tracks, (VISIBLE,), found_in(session, tracks, search))

        return self._page(listing, limit, offset, order_by)

    def of_album(self, album_id: int) -> tuple[TrackSummary, ...]:
        """The tracks of an album, by disc and number."""
        if not is_id(album_id):
            return ()
        of_album = _SUMMARY.where(VISIBLE, tracks.c.album_id == album_id)
        with self._sessions.reading() as session:
            rows = session.execute(of_album.order_by(tracks.c.album_position, tracks.c.id))
            return tuple(summary_from(row) for row in rows)

    def of_artist(self, artist_id: int, limit: int, offset: int, order_by: str = "album") -> TrackPage:
        """A part of the tracks that name the artist.

        Raises:
            ValueError: as for ``page``.
        """
        if not is_id(artist_id):
            return TrackPage(rows=(), total=0)
        confined = _confined(track_artists, track_artists.c.artist_id == artist_id)
        listing = Listing(("artist", artist_id), tracks, (VISIBLE,), confined)
        return self._page(lambda _: listing, limit, offset, order_by)

    def favourites(self, limit: int, offset: int, order_by: str = "artist") -> TrackPage:
        """A part of the tracks that the listener has marked.

        Raises:
            ValueError: as for ``page``.
        """
        marked = select(favourites.c.track_id)
        here = marked.where(favourites.c.track_id == tracks.c.id).exists()
        count = select(func.count()).select_from(tracks).where(VISIBLE, tracks.c.id.in_(marked))
        # Marks come and go without a change of the tracks.
        listing = Listing("favourites", tracks, (VISIBLE,), Confined(marked, here, count), versioned=False)
        return self._page(lambda _: listing, limit, offset, order_by)

    def of_genre(self, genre_id: int, limit: int, offset: int, order_by: str = "artist") -> TrackPage:
        """A part of the tracks that name the genre.

        Raises:
            ValueError: as for ``page``.
        """
        if not is_id(genre_id):
            return TrackPage(rows=(), total=0)
        confined = _confined(track_genres, track_genres.c.genre_id == genre_id)
        listing = Listing(("genre", genre_id), tracks, (VISIBLE,), confined)
        return self._page(lambda _: listing, limit, offset, order_by)

    def stats(self) -> TrackStats:
        """Totals over all tracks whose files are there."""
        # Nothing but what one index holds.
        totals = select(
            func.count(),
            func.count(tracks.c.album_id.distinct()),
            func.coalesce(func.sum(tracks.c.duration_ms), 0),
            func.coalesce(func.sum(tracks.c.size), 0),
        ).where(VISIBLE)
        named = select(func.count()).select_from(artists).where(ARTIST_THERE)
        with self._sessions.reading() as session:

            def count() -> TrackStats:
                there, albums, duration_ms, filesize = session.execute(totals).one()
                people = session.execute(named).scalar_one()
                return TrackStats(there, albums, people, int(duration_ms) / 1000, int(filesize))

            stats: TrackStats = self._pages.value(session, "stats", count)
        return stats

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

    def store(
        self, files: Sequence[ScannedFile], is_gone: Callable[[Path], bool] = lambda _: False
    ) -> StoreCount:
        """Take in what a scan read, in one transaction. A stored file is no longer missing.

        Args:
            files: what was read.
            is_gone: whether a path that has a row holds no file any more, for certain: a new file that
                is the same to the byte was then moved from there, and takes its row over.
        """
        with self._sessions.writing() as session:
            return store_files(session.connection(), files, is_gone)

    def forget_missing(self, before: datetime) -> int:
        """Take away the rows of files that have been missing since before then; how many there were.

        What a listener put into a playlist or among the favourites stays: that is not for a scan to decide.
        """
        kept = union_all(select(favourites.c.track_id), select(playlist_entries.c.track_id))
        forgotten = and_(tracks.c.missing_since < before, tracks.c.id.not_in(kept))
        in_albums = select(tracks.c.album_id).where(forgotten, tracks.c.album_id.is_not(None)).distinct()
        with self._sessions.writing() as session:
            connection = session.connection()
            albums_touched = connection.execute(in_albums).scalars().all()
            count = connection.execute(delete(tracks).where(forgotten)).rowcount
            refresh_albums(connection, albums_touched)
            return count

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

    def _page(
        self, listing: Callable[[Session], Listing], limit: int, offset: int, order_by: str
    ) -> TrackPage:
        require_page(limit, offset)
        order, descending = order_named(TRACK_ORDERS, order_by)
        with self._sessions.reading() as session:
            cut = self._pages.cut(session, listing(session), order, limit, offset, descending=descending)
            return TrackPage(rows=summaries(session, cut.ids), total=cut.total)


def _confined(links: Table, where: ColumnElement[bool]) -> Confined:
    """The tracks that ``links`` joins to something."""
    ids = select(links.c.track_id).where(where)
    gone = select(tracks.c.id).where(tracks.c.missing_since.is_not(None))
    # All in the index, less the few that are missing, instead of a look at each track.
    count = select(
        func.count(links.c.track_id.distinct())
        - func.count(links.c.track_id.distinct()).filter(links.c.track_id.in_(gone))
    ).where(where)
    return Confined(ids, ids.where(links.c.track_id == tracks.c.id).exists(), count)


def summaries(session: Session, ids: Sequence[int]) -> tuple[TrackSummary, ...]:
    """The tracks of these ids in this order, those of missing files too; unknown ids are left out."""
    found = {
        row.id: summary_from(row)
        for part in chunks(ids)
        for row in session.execute(_SUMMARY.where(tracks.c.id.in_(part)))
    }
    return tuple(found[track_id] for track_id in ids if track_id in found)


def summary_from(row: Row[Any]) -> TrackSummary:
    """Read a track as lists show it from a row of ``_SUMMARY``."""
    status = row.fingerprint_status
    return TrackSummary(
        track=track_from(row),
        fingerprint_status=FingerprintStatus(status) if status else FingerprintStatus.PENDING,
        favourite=bool(row.favourite),
        play_count=row.play_count,
    )
