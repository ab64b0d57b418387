"""All routes that need the library and nothing else."""

from fastapi import APIRouter

from tonearm.library.repositories import RepositoryFactory
from tonearm.routers.browse import build_album_router, build_artist_router, build_genre_router
from tonearm.routers.listening import build_listening_router
from tonearm.routers.playlists import build_playlist_router
from tonearm.routers.similarity import build_similarity_router
from tonearm.routers.smart_lists import build_smart_list_router


def build_collection_routers(library: RepositoryFactory) -> tuple[APIRouter, ...]:
    """Albums, artists, genres, favourites, history, playlists, smart lists, what sounds
    alike."""
    return (
        build_album_router(library),
        build_artist_router(library),
        build_genre_router(library),
        build_listening_router(library),
        build_playlist_router(library),
        build_similarity_router(library),
        build_smart_list_router(library),
    )
