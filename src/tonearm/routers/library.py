"""The library over HTTP: tracks, scans, totals."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tonearm.library.repositories import RepositoryFactory
from tonearm.routers.described import describe_page, describe_track
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
    ) -> dict[str, Any]:
        page = library.tracks.page(limit=limit, offset=offset, search=search, order_by=order_by)
        return describe_page("tracks", [describe_track(row) for row in page.rows], page.total, limit, offset)

    @router.get("/tracks/{track_id}")
    def track(track_id: TrackId) -> dict[str, Any]:
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
