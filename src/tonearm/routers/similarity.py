"""Similar tracks over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from tonearm.library.repositories import RepositoryFactory
from tonearm.routers.parameters import TrackId


class SimilarShown(TypedDict):
    """A neighbour: ``distance`` 0 and ``similarity_score`` 1 are the same sound."""

    track_id: int
    distance: float
    similarity_score: float
    rank: int
    because: list[str]


def build_similarity_router(library: RepositoryFactory) -> APIRouter:
    """Routes on what sounds alike; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/tracks", tags=["similarity"])

    @router.get("/{track_id}/similar")
    def similar(track_id: TrackId, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> list[SimilarShown]:
        return [
            {
                "track_id": other.track_id,
                "distance": other.distance,
                "similarity_score": other.score,
                "rank": rank,
                "because": list(other.because),
            }
            for rank, other in enumerate(library.similarity.similar(track_id, limit), 1)
        ]

    return router
