"""The library over HTTP: tracks, scans, totals."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tonearm.library.repositories import RepositoryFactory
from tonearm.routers.described import TrackShown, TracksPage, describe_track, tracks_page
from tonearm.routers.parameters import Limit, Offset, OrderBy, Search, TrackId
from tonearm.routers.ports import Scans


class ScanRequest(BaseModel):
    """Folders to scan, inside the configured roots; empty means all of them."""

    directories: list[str] = Field(default_factory=list, max_length=100)


def build_library_router(library: RepositoryFactory, scans: Scans) -> APIRouter:
    """Routes that read the library and start scans; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/library", tags=["library"])

    @router.get("/tracks")
    def tracks(
        limit: Limit = 50,
        offset: Offset = 0,
        search: Search = "",
        order_by: OrderBy = "title",
    ) -> TracksPage:
        return tracks_page(library.tracks.page(limit, offset, search, order_by), limit, offset)

    @router.get("/tracks/{track_id}")
    def track(track_id: TrackId) -> TrackShown:
        return describe_track(library.tracks.summary(track_id))

    @router.post("/scan", status_code=202)
    async def scan(request: ScanRequest) -> dict[str, Any]:
        scans.start([Path(directory) for directory in request.directories])
        return scans.status()

    @router.get("/scan/status")
    async def scan_status() -> dict[str, Any]:
        return scans.status()

    @router.get("/stats")
    def stats() -> dict[str, Any]:
        totals = library.tracks.stats()
        return {
            "total_tracks": totals.tracks,
            "total_albums": totals.albums,
            "total_artists": totals.artists,
            "total_duration": totals.duration_s,
            "total_filesize": totals.filesize,
        }

    return router
