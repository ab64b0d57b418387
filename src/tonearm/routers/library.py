"""The library over HTTP: tracks, scans, totals."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import TrackSummary
from tonearm.model.track import Track
from tonearm.routers.parameters import TrackId
from tonearm.routers.ports import Scans

MAX_PAGE = 500


class ScanRequest(BaseModel):
    """Folders to scan, inside the configured roots; empty means all of them."""

    directories: list[str] = Field(default_factory=list, max_length=100)


def describe_track(summary: TrackSummary) -> dict[str, Any]:
    """A track as the API shows it: what it is and what it sounds like on paper, never where it lies."""
    track, tags = summary.track, summary.track.tags
    return {
        "id": track.id,
        "title": summary.title,
        "artist": summary.artist,
        "artists": list(tags.artists),
        "album": tags.album,
        "album_id": track.album_id,
        "track_number": tags.track_number,
        "disc_number": tags.disc_number,
        "year": tags.year,
        "genres": list(tags.genres),
        "duration": track.info.duration_s,
        "sample_rate": track.info.format.rate,
        "channels": track.info.format.channels,
        "bit_depth": track.info.bit_depth,
        "format": track.info.codec,
        "bitrate": track.info.bitrate,
        "filesize": track.signature.size,
        # No favourites or counts are kept yet, so there is none of either.
        "artwork_url": _artwork_url(track),
        "favorite": False,
        "play_count": 0,
        "fingerprint_status": summary.fingerprint_status,
        "created_at": track.created_at.isoformat(),
        "updated_at": track.updated_at.isoformat(),
    }


def _artwork_url(track: Track) -> str:
    """Where the picture is, if there is one: only who opens the files can tell."""
    if track.album_id is None:
        return f"/api/tracks/{track.id}/artwork"
    return f"/api/albums/{track.album_id}/artwork"


def build_library_router(library: RepositoryFactory, scans: Scans) -> APIRouter:
    """Routes that read the library and start scans; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/library", tags=["library"])

    @router.get("/tracks")
    def tracks(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        search: Annotated[str, Query(max_length=1000)] = "",
        order_by: Annotated[str, Query(max_length=40)] = "title",
    ) -> dict[str, Any]:
        try:
            page = library.tracks.page(limit=limit, offset=offset, search=search, order_by=order_by)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return {
            "tracks": [describe_track(row) for row in page.rows],
            "total": page.total,
            "limit": limit,
            "offset": offset,
            "has_more": offset + len(page.rows) < page.total,
        }

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
