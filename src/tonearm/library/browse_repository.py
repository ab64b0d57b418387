"""Albums, artists and genres, as far as tracks whose files are there name them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import and_, bindparam, case, func, select
from sqlalchemy.orm import Session

from tonearm.library.paging import Confined, Listing, Order, Pages
from tonearm.library.queries import (
    ANALYSIS_OF_THIS_FILE,
    ARTIST_THERE,
    DURATION_S,
    VISIBLE,
    is_id,
    order_named,
    require_page,
)
from tonearm.library.search import found_in, words_condition
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import (
    albums,
    analyses,
    artists,
    genres,
    track_artists,
    track_fingerprints,
    track_genres,
    track_measures,
    tracks,
)
from tonearm.library.values import (
    AlbumPage,
    AlbumSummary,
    ArtistPage,
    ArtistSummary,
    GenrePage,
    GenreSummary,
)
from tonearm.library.words import searched
from tonearm.mastering.album import TrackLevel, album_level_of
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.plan import AlbumLevel

ALBUM_ORDERS: Final[Mapping[str, Order]] = {
    "title": Order("title", (albums.c.sort_title, albums.c.id)),
    "artist": Order("artist", (albums.c.sort_artist, albums.c.sort_year, albums.c.sort_title, albums.c.id)),
    "year": Order("year", (albums.c.sort_year, albums.c.sort_title, albums.c.id)),
    "added": Order("added", (albums.c.added_at, albums.c.id)),
}
ARTIST_ORDERS: Final[Mapping[str, Order]] = {"name": Order("name", (artists.c.sort_name, artists.c.id))}
GENRE_ORDERS: Final[Mapping[str, Order]] = {"name": Order("name", (genres.c.sort_name, genres.c.id))}

_ALBUM_THERE: Final = select(tracks.c.id).where(VISIBLE, tracks.c.album_id == albums.c.id).exists()
_GENRE_THERE: Final = (
    select(track_genres.c.track_id)
    .join(tracks, tracks.c.id == track_genres.c.track_id)
    .where(VISIBLE, track_genres.c.genre_id == genres.c.id)
    .exists()
)

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

    def __init__(self, sessions: DatabaseSessions, pages: Pages) -> None:
        self._sessions = sessions
        self._pages = pages

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
        """A part of the list of albums; every word of ``search`` begins a word of title or artist.

        Raises:
            ValueError: an order that is not in ``ALBUM_ORDERS``, or a negative limit or offset.
        """
        words = searched(search)

        def listing(session: Session) -> Listing:
            found = found_in(session, albums, search, _ALBUM_THERE)
            return Listing(("albums", words), albums, (_ALBUM_THERE,), found)

        return self._page(listing, limit, offset, order_by)

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
        confined = Confined(
            ids=of_artist,
            test=of_artist.where(tracks.c.album_id == albums.c.id).exists(),
            count=select(func.count()).select_from(of_artist.distinct().subquery()),
        )
        listing = Listing(("albums of", artist_id), albums, (), confined)
        return self._page(lambda _: listing, limit, offset, order_by)

    def _page(
        self, listing: Callable[[Session], Listing], limit: int, offset: int, order_by: str
    ) -> AlbumPage:
        require_page(limit, offset)
        order, descending = order_named(ALBUM_ORDERS, order_by)
        with self._sessions.reading() as session:
            cut = self._pages.cut(session, listing(session), order, limit, offset, descending=descending)
            found = _albums(session, cut.ids)
            return AlbumPage(rows=tuple(found[album_id] for album_id in cut.ids), total=cut.total)


class ArtistRepository:
    """Artists. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions, pages: Pages) -> None:
        self._sessions = sessions
        self._pages = pages

    def get(self, artist_id: int) -> ArtistSummary | None:
        """One artist, or None where no track whose file is there names it."""
        if not is_id(artist_id):
            return None
        with self._sessions.reading() as session:
            return _artists(session, [artist_id]).get(artist_id)

    def page(self, limit: int, offset: int, search: str = "", order_by: str = "name") -> ArtistPage:
        """A part of the list of artists; every word of ``search`` begins a word of the name.

        Raises:
            ValueError: an order that is not in ``ARTIST_ORDERS``, or a negative limit or offset.
        """
        require_page(limit, offset)
        order, descending = order_named(ARTIST_ORDERS, order_by)
        words = searched(search)
        with self._sessions.reading() as session:
            ids = found_in(session, artists, search, ARTIST_THERE)
            listing = Listing(("artists", words), artists, (ARTIST_THERE,), ids)
            cut = self._pages.cut(session, listing, order, limit, offset, descending=descending)
            found = _artists(session, cut.ids)
            return ArtistPage(rows=tuple(found[artist_id] for artist_id in cut.ids), total=cut.total)


class GenreRepository:
    """Genres. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions, pages: Pages) -> None:
        self._sessions = sessions
        self._pages = pages

    def get(self, genre_id: int) -> GenreSummary | None:
        """One genre, or None where no track whose file is there names it."""
        if not is_id(genre_id):
            return None
        with self._sessions.reading() as session:
            return _genres(session, [genre_id]).get(genre_id)

    def page(self, limit: int, offset: int, search: str = "", order_by: str = "name") -> GenrePage:
        """A part of the list of genres; every word of ``search`` begins a word of the name.

        Raises:
            ValueError: an order that is not in ``GENRE_ORDERS``, or a negative limit or offset.
        """
        require_page(limit, offset)
        order, descending = order_named(GENRE_ORDERS, order_by)
        words = searched(search)
        conditions = (_GENRE_THERE, words_condition(genres.c.search_text, search))
        listing = Listing(("genres", words), genres, conditions)
        with self._sessions.reading() as session:
            cut = self._pages.cut(session, listing, order, limit, offset, descending=descending)
            found = _genres(session, cut.ids)
            return GenrePage(rows=tuple(found[genre_id] for genre_id in cut.ids), total=cut.total)


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


def _genres(session: Session, ids: Sequence[int]) -> dict[int, GenreSummary]:
    """Genres that tracks name whose files are there.

    A genre may have 100,000 tracks: they are counted in the index, and the few missing ones taken off.
    """
    named = (
        select(track_genres.c.genre_id, func.count().label("total"))
        .where(track_genres.c.genre_id.in_(ids))
        .group_by(track_genres.c.genre_id)
    )
    missing = (
        select(track_genres.c.genre_id, func.count().label("total"))
        .where(
            track_genres.c.track_id.in_(select(tracks.c.id).where(tracks.c.missing_since.is_not(None))),
            track_genres.c.genre_id.in_(ids),
        )
        .group_by(track_genres.c.genre_id)
    )
    gone = {row.genre_id: row.total for row in session.execute(missing)}
    counts = {row.genre_id: row.total - gone.get(row.genre_id, 0) for row in session.execute(named)}
    names = session.execute(select(genres.c.id, genres.c.name).where(genres.c.id.in_(ids)))
    return {key: GenreSummary(key, name, counts[key]) for key, name in names if counts.get(key)}
