"""Albums and artists, as far as tracks whose files are there name them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, and_, bindparam, case, func, select
from sqlalchemy.orm import Session

from tonearm.library.queries import (
    ANALYSIS_OF_THIS_FILE,
    DURATION_S,
    VISIBLE,
    is_id,
    matches,
    ordering,
    require_page,
)
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import (
    albums,
    analyses,
    artists,
    track_artists,
    track_fingerprints,
    track_measures,
    tracks,
)
from tonearm.library.values import AlbumPage, AlbumSummary, ArtistPage, ArtistSummary
from tonearm.mastering.album import TrackLevel, album_level_of
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.plan import AlbumLevel

_ALBUM_TOTALS: Final[Subquery] = (
    select(
        tracks.c.album_id,
        func.min(tracks.c.sort_artist).label("sort_artist"),
        func.min(tracks.c.year).label("year"),
        func.max(tracks.c.created_at).label("added"),
    )
    .where(VISIBLE)
    .group_by(tracks.c.album_id)
    .subquery("totals")
)

ALBUM_ORDERS: Final[Mapping[str, Sequence[ColumnElement[Any]]]] = {
    "title": (albums.c.sort_title, albums.c.id),
    "artist": (_ALBUM_TOTALS.c.sort_artist, _ALBUM_TOTALS.c.year, albums.c.sort_title, albums.c.id),
    "year": (_ALBUM_TOTALS.c.year, albums.c.sort_title, albums.c.id),
    "added": (_ALBUM_TOTALS.c.added, albums.c.id),
}
ARTIST_ORDERS: Final[Mapping[str, Sequence[ColumnElement[Any]]]] = {
    "name": (artists.c.sort_name, artists.c.id),
}

_LEVELS: Final = (
    select(
        analyses.c.error_code,
        track_measures.c.gating_histogram,
        track_measures.c.downmix_true_peak_dbtp,
        (track_measures.c.downmix_lufs - track_fingerprints.c.lufs).label("shift_lu"),
    )
    .select_from(
        tracks.outerjoin(analyses, ANALYSIS_OF_THIS_FILE)
        .outerjoin(track_measures, track_measures.c.track_id == analyses.c.track_id)
        .outerjoin(track_fingerprints, track_fingerprints.c.track_id == analyses.c.track_id)
    )
    .where(VISIBLE, tracks.c.album_id == bindparam("album_id"))
)


class AlbumRepository:
    """Albums. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def get(self, album_id: int) -> AlbumSummary | None:
        """One album, or None where there is none with a track whose file is there."""
        if not is_id(album_id):
            return None
        with self._sessions.reading() as session:
            return _albums(session, [album_id]).get(album_id)

    def level(self, album_id: int | None) -> AlbumLevel | None:
        """How loud the album is as a whole and how high it peaks, as streams carry it (a stereo downmix
        where there are more channels).

        None for no album, and while one of its tracks whose files are there has not been measured. A track
        of which measuring found that it is too short or too quiet counts as measured: it adds nothing.
        """
        if album_id is None or not is_id(album_id):
            return None
        with self._sessions.reading() as session:
            rows = session.execute(_LEVELS, {"album_id": album_id}).all()
        levels = []
        for error_code, histogram, peak_dbtp, shift_lu in rows:
            if histogram is not None:
                levels.append(TrackLevel(histogram, peak_dbtp, shift_lu))
            elif error_code != NotEnoughAudio.code:
                return None
        return album_level_of(levels)

    def page(self, limit: int, offset: int, search: str = "", order_by: str = "title") -> AlbumPage:
        """A part of the list of albums; every word of ``search`` occurs in title or artist.

        Raises:
            ValueError: an order that is not in ``ALBUM_ORDERS``, or a negative limit or offset.
        """
        return self._page(matches(albums.c.search_text, search), limit, offset, order_by)

    def of_artist(self, artist_id: int, limit: int, offset: int, order_by: str = "year") -> AlbumPage:
        """A part of the albums on which the artist is named.

        Raises:
            ValueError: as for ``page``.
        """
        if not is_id(artist_id):
            return AlbumPage(rows=(), total=0)
        of_artist = (
            select(tracks.c.album_id)
            .join(track_artists, track_artists.c.track_id == tracks.c.id)
            .where(VISIBLE, tracks.c.album_id.is_not(None), track_artists.c.artist_id == artist_id)
        )
        return self._page(albums.c.id.in_(of_artist), limit, offset, order_by)

    def _page(self, where: ColumnElement[bool], limit: int, offset: int, order_by: str) -> AlbumPage:
        require_page(limit, offset)
        order = ordering(ALBUM_ORDERS, order_by)
        there = select(tracks.c.id).where(VISIBLE, tracks.c.album_id == albums.c.id).exists()
        if order_by.removeprefix("-") == "title":
            ids = select(albums.c.id).where(there, where)
        else:
            joined = albums.join(_ALBUM_TOTALS, _ALBUM_TOTALS.c.album_id == albums.c.id)
            ids = select(albums.c.id).select_from(joined).where(where)
        total = select(func.count()).select_from(albums).where(there, where)
        with self._sessions.reading() as session:
            page = session.execute(ids.order_by(*order).limit(limit).offset(offset)).scalars().all()
            found = _albums(session, page)
            return AlbumPage(
                rows=tuple(found[album_id] for album_id in page), total=session.execute(total).scalar_one()
            )


class ArtistRepository:
    """Artists. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def get(self, artist_id: int) -> ArtistSummary | None:
        """One artist, or None where no track whose file is there names it."""
        if not is_id(artist_id):
            return None
        with self._sessions.reading() as session:
            return _artists(session, [artist_id]).get(artist_id)

    def page(self, limit: int, offset: int, search: str = "", order_by: str = "name") -> ArtistPage:
        """A part of the list of artists; every word of ``search`` occurs in the name.

        Raises:
            ValueError: an order that is not in ``ARTIST_ORDERS``, or a negative limit or offset.
        """
        require_page(limit, offset)
        order = ordering(ARTIST_ORDERS, order_by)
        there = (
            select(track_artists.c.track_id)
            .join(tracks, tracks.c.id == track_artists.c.track_id)
            .where(VISIBLE, track_artists.c.artist_id == artists.c.id)
            .exists()
        )
        where = and_(there, matches(artists.c.sort_name, search))
        ids = select(artists.c.id).where(where).order_by(*order).limit(limit).offset(offset)
        total = select(func.count()).select_from(artists).where(where)
        with self._sessions.reading() as session:
            page = session.execute(ids).scalars().all()
            found = _artists(session, page)
            return ArtistPage(
                rows=tuple(found[artist_id] for artist_id in page), total=session.execute(total).scalar_one()
            )


def _albums(session: Session, ids: Sequence[int]) -> dict[int, AlbumSummary]:
    first = and_(track_artists.c.track_id == tracks.c.id, track_artists.c.position == 0)
    shared = case(
        (
            and_(func.min(artists.c.id) == func.max(artists.c.id), func.count() == func.count(artists.c.id)),
            func.min(artists.c.name),
        ),
    )
    statement = (
        select(
            albums.c.id,
            albums.c.title,
            func.coalesce(albums.c.album_artist, shared).label("artist"),
            func.min(tracks.c.year).label("year"),
            func.count().label("track_count"),
            func.sum(DURATION_S).label("duration_s"),
            func.min(case((tracks.c.has_cover, tracks.c.id))).label("cover_track_id"),
        )
        .select_from(
            albums.join(tracks, tracks.c.album_id == albums.c.id)
            .outerjoin(track_artists, first)
            .outerjoin(artists, artists.c.id == track_artists.c.artist_id)
        )
        .where(VISIBLE, albums.c.id.in_(ids))
        .group_by(albums.c.id, albums.c.title, albums.c.album_artist)
    )
    return {row.id: AlbumSummary(**row._mapping) for row in session.execute(statement)}


def _artists(session: Session, ids: Sequence[int]) -> dict[int, ArtistSummary]:
    statement = (
        select(
            artists.c.id,
            artists.c.name,
            func.count(tracks.c.id.distinct()).label("track_count"),
            func.count(tracks.c.album_id.distinct()).label("album_count"),
        )
        .select_from(
            artists.join(track_artists, track_artists.c.artist_id == artists.c.id).join(
                tracks, tracks.c.id == track_artists.c.track_id
            )
        )
        .where(VISIBLE, artists.c.id.in_(ids))
        .group_by(artists.c.id, artists.c.name)
    )
    return {row.id: ArtistSummary(**row._mapping) for row in session.execute(statement)}
