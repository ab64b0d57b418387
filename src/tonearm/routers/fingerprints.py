"""Fingerprints and the plans that follow from them, over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import FingerprintStatus
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.describe import describe
from tonearm.model.errors import AlbumNotMeasured, NoAlbum
from tonearm.model.measures import Analysis, describe_analysis
from tonearm.model.plan import AlbumLevel, Level, Preset, Target
from tonearm.model.preferences import Preferences
from tonearm.model.track import Track
from tonearm.routers.parameters import Intensity, TrackId
from tonearm.routers.ports import AnalysisQueue, AnalysisStatus
from tonearm.routers.problems import problem

NOT_YET = "This track has not been measured yet; it was put at the head of the queue."


def build_fingerprint_router(
    library: RepositoryFactory,
    queue: AnalysisQueue,
    status: AnalysisStatus,
    mode: AdaptiveMode,
    target: Target,
    preferences: Callable[[], Preferences],
) -> APIRouter:
    """Routes on what was measured; the reading ones block, so they run in the thread pool.

    Args:
        library: the tracks and what was measured of them.
        queue: told what should be measured soon.
        status: how fast that goes.
        mode: what decides.
        target: what it aims at, but for the loudness.
        preferences: what the listener prefers now: loudness, and what a request leaves out.
    """
    router = APIRouter(prefix="/api", tags=["fingerprints"])

    def measured(track: Track) -> Analysis | None:
        analysis = library.fingerprints.get(track.id, track.signature)
        if analysis is None:
            queue.request(track)
        return analysis

    def album_of(track: Track) -> AlbumLevel:
        """Raises AlbumNotMeasured, and has what is missing measured; NoAlbum."""
        if track.album_id is None:
            raise NoAlbum(f"track {track.id} belongs to no album")
        level = library.albums.level(track.album_id)
        if level is None:
            for other in library.tracks.of_album(track.album_id):
                if other.fingerprint_status is FingerprintStatus.PENDING:
                    queue.request(other.track)
            raise AlbumNotMeasured(f"album {track.album_id} of track {track.id}")
        return level

    @router.get("/tracks/{track_id}/fingerprint", response_model=None)
    def fingerprint(track_id: TrackId) -> dict[str, Any] | JSONResponse:
        analysis = measured(library.tracks.get(track_id))
        if analysis is None:
            return problem(404, "FINGERPRINT_NOT_READY", NOT_YET)
        return {"track_id": track_id, **describe_analysis(analysis)}

    @router.get("/tracks/{track_id}/plan", response_model=None)
    def plan(
        track_id: TrackId,
        preset: Preset | None = None,
        intensity: Intensity | None = None,
        level: Level | None = None,
    ) -> dict[str, Any] | JSONResponse:
        """The plan with its reasons; what is left out is as the listener prefers it (`/api/settings`)."""
        preferred = preferences()
        track = library.tracks.get(track_id)
        analysis = measured(track)
        if analysis is None:
            return problem(404, "FINGERPRINT_NOT_READY", NOT_YET)
        aim = replace(target, lufs=preferred.target_lufs)
        if (level or preferred.level) == "album":
            aim = replace(aim, level="album", album=album_of(track))
        decided = mode.plan(
            analysis.fingerprint,
            analysis.measures,
            preset or preferred.preset,
            preferred.intensity if intensity is None else intensity,
            aim,
        )
        return {"track_id": track_id, **describe(decided)}

    @router.get("/library/fingerprints/status")
    def fingerprint_status() -> dict[str, Any]:
        total, complete, pending, failed = library.fingerprints.counts()
        done = complete + failed
        return {
            "total_tracks": total,
            "fingerprinted_tracks": complete,
            "pending_tracks": pending,
            "failed_tracks": failed,
            "progress_percent": 100.0 * done / total if total else 100.0,
            "estimated_remaining_seconds": status.estimated_remaining_s(pending),
        }

    return router
