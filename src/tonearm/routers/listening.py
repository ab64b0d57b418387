"""Favourites and the history of what was played, over HTTP."""

from typing import Any

from fastapi import APIRouter

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import Play
from tonearm.routers.described import describe_page, describe_track
from tonearm.routers.parameters import Limit, Offset, OrderBy, TrackId


def build_listening_router(library: RepositoryFactory) -> APIRouter:
    """Routes that read and write; they block, so they run in the thread pool.

    Plays are not reported here: the server itself knows what it played.
    """
    router = APIRouter(prefix="/api", tags=["listening"])

    @router.post("/tracks/{track_id}/favorite")
    def mark(track_id: TrackId) -> dict[str, Any]:
        library.favourites.add(track_id)
        return {"track_id": track_id, "favorite": True}

    @router.delete("/tracks/{track_id}/favorite")
    def unmark(track_id: TrackId) -> dict[str, Any]:
        library.favourites.remove(track_id)
        return {"track_id": track_id, "favorite": False}

    @router.get("/favorites")
    def favorites(limit: Limit = 50, offset: Offset = 0, order_by: OrderBy = "artist") -> dict[str, Any]:
        page = library.tracks.favourites(limit, offset, order_by)
        return describe_page("tracks", [describe_track(row) for row in page.rows], page.total, limit, offset)

    @router.get("/history")
    def history(limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
        page = library.history.page(limit, offset)
        return describe_page("plays", [_play(row) for row in page.rows], page.total, limit, offset)

    @router.delete("/history", status_code=204)
    def forget() -> None:
        library.history.clear()

    return router


def _play(play: Play) -> dict[str, Any]:
    return {
        "id": play.id,
        "played_at": play.played_at.isoformat(),
        "played_seconds": play.played_seconds,
        "counted": play.counted,
        "track": describe_track(play.track),
    }
