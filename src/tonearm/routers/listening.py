"""Favourites and the history of what was played, over HTTP."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import Play
from tonearm.routers.described import Place, TrackShown, TracksPage, describe_track, place, tracks_page
from tonearm.routers.parameters import Limit, Offset, OrderBy, TrackId


class PlayShown(TypedDict):
    """One time that a track was played; ``counted`` if enough of it was heard."""

    id: int
    played_at: str
    played_seconds: float
    counted: bool
    track: TrackShown


class PlaysPage(Place):
    plays: list[PlayShown]


class Marked(TypedDict):
    track_id: int
    favorite: bool


def build_listening_router(library: RepositoryFactory) -> APIRouter:
    """Routes that read and write; they block, so they run in the thread pool.

    Plays are not reported here: the server itself knows what it played.
    """
    router = APIRouter(prefix="/api", tags=["listening"])

    @router.post("/tracks/{track_id}/favorite")
    def mark(track_id: TrackId) -> Marked:
        library.favourites.add(track_id)
        return {"track_id": track_id, "favorite": True}

    @router.delete("/tracks/{track_id}/favorite")
    def unmark(track_id: TrackId) -> Marked:
        library.favourites.remove(track_id)
        return {"track_id": track_id, "favorite": False}

    @router.get("/favorites")
    def favorites(limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "artist") -> TracksPage:
        return tracks_page(library.tracks.favourites(limit, offset, order_by), limit, offset)

    @router.get("/history")
    def history(limit: Limit = 50, offset: Offset = 0) -> PlaysPage:
        page = library.history.page(limit, offset)
        at = place(page.total, limit, offset, len(page.rows))
        return {"plays": [_play(row) for row in page.rows], **at}

    @router.delete("/history", status_code=204)
    def forget() -> None:
        library.history.clear()

    return router


def _play(play: Play) -> PlayShown:
    return {
        "id": play.id,
        "played_at": play.played_at.isoformat(),
        "played_seconds": play.played_seconds,
        "counted": play.counted,
        "track": describe_track(play.track),
    }
