"""Covers over HTTP: of an album, and of a track."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from tonearm.artwork.pictures import SIZES, Picture
from tonearm.artwork.sources import Candidate
from tonearm.library.repositories import RepositoryFactory
from tonearm.model.errors import NoArtwork
from tonearm.model.track import Track
from tonearm.routers.parameters import RowId, TrackId

DEFAULT_SIZE: Final = 256
_CACHE: Final = "private, no-cache"
"""A client keeps it and asks each time whether it is still the same, which costs no picture."""

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/jpeg": {}}},
    304: {"description": "The client has it."},
    404: {"description": "There is none."},
}

Size = Annotated[int, Query(description=f"pixels of the longer side, one of {SIZES}")]


class PictureMaker(Protocol):
    """Makes the pictures; calls block."""

    def picture(self, candidates: Sequence[Candidate], size: int, /) -> Picture:
        """Raises NoArtwork where there is none."""
        ...


def build_artwork_router(library: RepositoryFactory, pictures: PictureMaker, making: Executor) -> APIRouter:
    """Routes for covers; they are made in ``making``, so that a page full of them delays nothing else."""
    router = APIRouter(prefix="/api", tags=["artwork"])

    async def answer(request: Request, files: Callable[[], Sequence[Track]], size: int) -> Response:
        if size not in SIZES:
            raise HTTPException(422, f"size: wanted one of {', '.join(map(str, SIZES))}")

        def make() -> Picture:
            return pictures.picture([Candidate(track.path, track.tags.has_cover) for track in files()], size)

        picture = await asyncio.get_running_loop().run_in_executor(making, make)
        tag = f'"{picture.tag}"'
        headers = {"etag": tag, "cache-control": _CACHE}
        # "*" is whatever there is (RFC 9110, section 13.1.2).
        held = request.headers.get("if-none-match", "")
        if tag in held or held.strip() == "*":
            return Response(status_code=304, headers=headers)
        return Response(picture.data, media_type="image/jpeg", headers=headers)

    @router.get("/albums/{album_id}/artwork", response_class=Response, responses=_ANSWERS)
    async def of_album(request: Request, album_id: RowId, size: Size = DEFAULT_SIZE) -> Response:
        def files() -> Sequence[Track]:
            found = [summary.track for summary in library.tracks.of_album(album_id)]
            if not found:
                raise NoArtwork(f"album {album_id} has no track")
            return found

        return await answer(request, files, size)

    @router.get("/tracks/{track_id}/artwork", response_class=Response, responses=_ANSWERS)
    async def of_track(request: Request, track_id: TrackId, size: Size = DEFAULT_SIZE) -> Response:
        return await answer(request, lambda: [library.tracks.get(track_id)], size)

    return router
