"""Albums, artists and genres over HTTP, and the tracks of each."""

from fastapi import APIRouter

from tonearm.library.repositories import RepositoryFactory
from tonearm.model.errors import AlbumNotFound, ArtistNotFound, GenreNotFound
from tonearm.routers.described import (
    AlbumsPage,
    AlbumWithTracks,
    ArtistShown,
    ArtistsPage,
    GenreShown,
    GenresPage,
    TracksPage,
    albums_page,
    describe_album,
    describe_artist,
    describe_genre,
    describe_track,
    place,
    tracks_page,
)
from tonearm.routers.parameters import Limit, Offset, OrderBy, RowId, Search


def build_album_router(library: RepositoryFactory) -> APIRouter:
    """Routes on albums; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/albums", tags=["albums"])

    @router.get("")
    def albums(
        limit: Limit = 50, offset: Offset = 0, search: Search = "", order_by: OrderBy = "title"
    ) -> AlbumsPage:
        return albums_page(library.albums.page(limit, offset, search, order_by), limit, offset)

    @router.get("/{album_id}")
    def album(album_id: RowId) -> AlbumWithTracks:
        found = library.albums.get(album_id)
        if found is None:
            raise AlbumNotFound(f"there is no album {album_id}")
        tracks = library.tracks.of_album(album_id)
        return {**describe_album(found), "tracks": [describe_track(row) for row in tracks]}

    return router


def build_artist_router(library: RepositoryFactory) -> APIRouter:
    """Routes on artists; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/artists", tags=["artists"])

    def found(artist_id: int) -> ArtistShown:
        artist = library.artists.get(artist_id)
        if artist is None:
            raise ArtistNotFound(f"there is no artist {artist_id}")
        return describe_artist(artist)

    @router.get("")
    def artists(
        limit: Limit = 50, offset: Offset = 0, search: Search = "", order_by: OrderBy = "name"
    ) -> ArtistsPage:
        page = library.artists.page(limit, offset, search, order_by)
        at = place(page.total, limit, offset, len(page.rows))
        return {"artists": [describe_artist(row) for row in page.rows], **at}

    @router.get("/{artist_id}")
    def artist(artist_id: RowId) -> ArtistShown:
        return found(artist_id)

    @router.get("/{artist_id}/albums")
    def albums(
        artist_id: RowId, limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "year"
    ) -> AlbumsPage:
        found(artist_id)
        return albums_page(library.albums.of_artist(artist_id, limit, offset, order_by), limit, offset)

    @router.get("/{artist_id}/tracks")
    def tracks(
        artist_id: RowId, limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "album"
    ) -> TracksPage:
        found(artist_id)
        return tracks_page(library.tracks.of_artist(artist_id, limit, offset, order_by), limit, offset)

    return router


def build_genre_router(library: RepositoryFactory) -> APIRouter:
    """Routes on genres; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/genres", tags=["genres"])

    def found(genre_id: int) -> GenreShown:
        genre = library.genres.get(genre_id)
        if genre is None:
            raise GenreNotFound(f"there is no genre {genre_id}")
        return describe_genre(genre)

    @router.get("")
    def genres(
        limit: Limit = 50, offset: Offset = 0, search: Search = "", order_by: OrderBy = "name"
    ) -> GenresPage:
        page = library.genres.page(limit, offset, search, order_by)
        at = place(page.total, limit, offset, len(page.rows))
        return {"genres": [describe_genre(row) for row in page.rows], **at}

    @router.get("/{genre_id}")
    def genre(genre_id: RowId) -> GenreShown:
        return found(genre_id)

    @router.get("/{genre_id}/tracks")
    def tracks(
        genre_id: RowId, limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "artist"
    ) -> TracksPage:
        found(genre_id)
        return tracks_page(library.tracks.of_genre(genre_id, limit, offset, order_by), limit, offset)

    return router
