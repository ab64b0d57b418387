"""The player's page and its files, built from ``web/``."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette

STATIC_DIR: Final = Path(__file__).resolve().parent.parent / "static"

# What the page shows has an address of its own, which opens the same page: it reads there what to show.
VIEWS: Final = (
    "albums",
    "artists",
    "genres",
    "tracks",
    "playlists",
    "smart",
    "favorites",
    "history",
    "queue",
    "now",
    "search",
)


def player_is_here() -> bool:
    """Whether this installation contains the built player. One from its source tree may lack it."""
    return (STATIC_DIR / "index.html").is_file()


def build_web_router() -> APIRouter:
    """The page, at the address of each of its views; always revalidated: an upgrade is seen at once."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC_DIR / "index.html", headers={"Cache-Control": "no-cache"})

    for view in VIEWS:
        router.add_api_route(f"/{view}", page)
        router.add_api_route(f"/{view}/{{rest:path}}", page)
    return router


class _Built(StaticFiles):
    """Files whose names carry a hash of their contents: kept by browsers for good."""

    def file_response(self, *args: object, **named: object) -> Response:
        response = super().file_response(*args, **named)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def mount_static(app: Starlette) -> None:
    """Serve the page's files below ``/static``."""
    app.mount("/static", _Built(directory=STATIC_DIR), name="static")
