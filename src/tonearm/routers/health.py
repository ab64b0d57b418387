"""Is it alive, is it ready, what is it: health, readiness, version, metrics."""

import platform
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

import tonearm
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.routers.metrics import Parts
from tonearm.routers.ports import Readiness

_PARTS = ("av", "numba", "numpy", "scipy")


def build_health_router(readiness: Readiness, registry: CollectorRegistry) -> APIRouter:
    """Routes that say how the server is; none of them waits for audio work."""
    router = APIRouter(tags=["system"])
    parts = Parts()
    registry.register(parts)

    @router.get("/api/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy", "version": tonearm.__version__}

    @router.get("/api/ready")
    async def ready() -> JSONResponse:
        components = await readiness.components()
        is_ready = all(state == "ok" for state in components.values())
        body = {"ready": is_ready, "components": components}
        return JSONResponse(body, status_code=200 if is_ready else 503)

    @router.get("/api/version")
    async def versions() -> dict[str, Any]:
        return {
            "version": tonearm.__version__,
            "algorithm_version": ALGORITHM_VERSION,
            "python": platform.python_version(),
            "parts": {part: version(part) for part in _PARTS},
        }

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        parts.states = await readiness.components()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
