"""The web application: every router, the guard around them, one place for errors."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

import tonearm
from tonearm.routers import problems
from tonearm.routers.guard import Guard
from tonearm.routers.web import mount_static


def build_app(routers: Iterable[APIRouter], *, allow_hosts: Iterable[str], token: str | None) -> ASGIApp:
    """Join the routers to one application that answers only to its own names."""
    app = FastAPI(
        title="Tonearm",
        version=tonearm.__version__,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=problems.PROBLEM,
    )
    for router in routers:
        app.include_router(router)
    mount_static(app)
    problems.install(app)
    return Guard(app, allow_hosts, token)
