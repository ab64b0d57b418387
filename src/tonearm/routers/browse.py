"""Albums, artists and genres over HTTP, and the tracks of each."""

from typing import Any

from fastapi import APIRouter

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import AlbumPage, TrackPage
from tonearm.model.errors import AlbumNotFound, ArtistNotFound, GenreNotFound
from tonearm.routers.described import (
    describe_album,
    describe_artist,
    describe_genre,
    describe_page,
    describe_track,
)
from tonearm.routers.parameters import AlbumId, Limit, Offset, OrderBy, RowId, Search


def build_album_router(library: RepositoryFactory) -> APIRouter:
    """Routes on albums; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/albums", tags=["albums"])

    @router.get("")
    def albums(
        limit: Limit = 50, offset: Offset = 0, search: Search = "", order_by: OrderBy = "title"
    ) -> dict[str, Any]:
        return _albums(library.albums.page(limit, offset, search, order_by), limit, offset)

    @router.get("/{album_id}")
    def album(album_id: AlbumId) -> dict[str, Any]:
        found = library.albums.get(album_id)
        if found is None:
            raise AlbumNotFound(f"there is no album {album_id}")
        tracks = library.tracks.of_album(album_id)
        return {**describe_album(found), "tracks": [describe_track(row) for row in tracks]}

    return router


def build_artist_router(library: RepositoryFactory) -> APIRouter:
    """Routes on artists; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/artists", tags=["artists"])

    def found(artist_id: int) -> dict[str, Any]:
        artist = library.artists.get(artist_id)
        if artist is None:
            raise ArtistNotFound(f"there is no artist {artist_id}")
        return describe_artist(artist)

    @router.get("")
    def artists(
        limit: Limit = 50, offset: Offset = 0, search: Search = "", order_by: OrderBy = "name"
    ) -> dict[str, Any]:
        page = library.artists.page(limit, offset, search, order_by)
        return describe_page(
            "artists", [describe_artist(row) for row in page.rows], page.total, limit, offset
        )

    @router.get("/{artist_id}")
    def artist(artist_id: RowId) -> dict[str, Any]:
        return found(artist_id)

    @router.get("/{artist_id}/albums")
    def albums(
        artist_id: RowId, limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "year"
    ) -> dict[str, Any]:
        found(artist_id)
        return _albums(library.albums.of_artist(artist_id, limit, offset, order_by), limit, offset)

    @router.get("/{artist_id}/tracks")
    def tracks(
        artist_id: RowId, limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "album"
    ) -> dict[str, Any]:
        found(artist_id)
        return _tracks(library.tracks.of_artist(artist_id, limit, offset, order_by), limit, offset)

    return router


def build_genre_router(library: RepositoryFactory) -> APIRouter:
    """Routes on genres; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/genres", tags=["genres"])

    def found(genre_id: int) -> dict[str, Any]:
        genre = library.genres.get(genre_id)
        if genre is None:
            raise GenreNotFound(f"there is no genre {genre_id}")
        return describe_genre(genre)

    @router.get("")
    def genres(
        limit: Limit = 50, offset: Offset = 0, search: Search = "", order_by: OrderBy = "name"
    ) -> dict[str, Any]:
        page = library.genres.page(limit, offset, search, order_by)
        return describe_page("genres", [describe_genre(row) for row in page.rows], page.total, limit, offset)

    @router.get("/{genre_id}")
    def genre(genre_id: RowId) -> dict[str, Any]:
        return found(genre_id)

    @router.get("/{genre_id}/tracks")
    def tracks(
        genre_id: RowId, limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "artist"
    ) -> dict[str, Any]:
        found(genre_id)
        return _tracks(library.tracks.of_genre(genre_id, limit, offset, order_by), limit, offset)

    return router


def _albums(page: AlbumPage, limit: int, offset: int) -> dict[str, Any]:
    return describe_page("albums", [describe_album(row) for row in page.rows], page.total, limit, offset)


def _tracks(page: TrackPage, limit: int, offset: int) -> dict[str, Any]:
    return describe_page("tracks", [describe_track(row) for row in page.rows], page.total, limit, offset)
