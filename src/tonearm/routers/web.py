"""The player's page and its files."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette

STATIC_DIR: Final = Path(__file__).resolve().parent.parent / "static"


def build_web_router() -> APIRouter:
    """The page itself, always revalidated so that an upgrade is seen at once."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC_DIR / "index.html", headers={"Cache-Control": "no-cache"})

    return router


def mount_static(app: Starlette) -> None:
    """Serve the page's files below ``/static``."""
    app.mount("/static", StaticFiles(directory=STATIC_DIR), name="static")
