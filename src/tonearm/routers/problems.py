"""Errors over HTTP: RFC 9457 problem details with a code and a sentence, never internals."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tonearm.model import errors

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"

_STATUS: Final[Mapping[type[errors.TonearmError], int]] = {
    errors.TrackNotFound: 404,
    errors.FileMissing: 404,
    errors.DecodeError: 422,
    errors.NotEnoughAudio: 422,
    errors.AlbumNotMeasured: 404,
    errors.NoAlbum: 404,
    errors.NoArtwork: 404,
    errors.AlbumNotFound: 404,
    errors.ArtistNotFound: 404,
    errors.GenreNotFound: 404,
    errors.FingerprintNotReady: 404,
    errors.InvalidQuery: 422,
    errors.PlaylistNotFound: 404,
    errors.SmartListNotFound: 404,
    errors.PlaylistFull: 409,
    errors.OutsideLibrary: 403,
    errors.ScanInProgress: 409,
    errors.ServerBusy: 503,
    errors.LibraryUnavailable: 503,
    errors.FingerprintUnavailable: 503,
    errors.ProcessorUnavailable: 503,
}


PROBLEM: Final[dict[int | str, dict[str, object]]] = {
    "default": {
        "description": "What went wrong, as RFC 9457 has it: a sentence for people and a code for programs.",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "code"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "code": {"type": "string"},
                        "position": {"type": "integer"},
                        "wanted": {"type": "array", "items": {"type": "string"}},
                    },
                }
            }
        },
    }
}
"""Every answer that is no success, as the OpenAPI document shows it."""


def problem(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    """One problem document; ``code`` is for programs, ``detail`` a sentence for people, ``more`` what this
    kind of problem has besides."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    headers = {"Retry-After": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


class CountedProblems:
    """ASGI middleware: tells the code of every problem document that leaves, whoever made it.

    Args:
        app: what answers.
        told: called with the code, before the document is sent.
    """

    def __init__(self, app: ASGIApp, told: Callable[[str], None]) -> None:
        self._app = app
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_problem = False

        async def watched(message: Message) -> None:
            nonlocal is_problem
            if message["type"] == "http.response.start":
                is_problem = Headers(raw=message["headers"]).get("content-type") == MEDIA_TYPE
            elif is_problem and message["type"] == "http.response.body" and message["body"]:
                # One is sent in one piece.
                self._told(json.loads(message["body"])["code"])
            await send(message)

        await self._app(scope, receive, watched)


def status_of(error: errors.TonearmError) -> int:
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return 500


async def _tonearm_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.TonearmError)  # registered for this class alone
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("Request failed", path=request.url.path, code=error.code, cause=str(error))
    if isinstance(error, errors.InvalidQuery):
        # Its text is made of what the client sent. Where it has a place, programs can point to it.
        more = {} if error.position is None else {"position": error.position, "wanted": list(error.wanted)}
        return problem(status, error.code, str(error), **more)
    return problem(status, error.code, error.sentence)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # registered for this class alone
    return problem(error.status_code, HTTPStatus(error.status_code).name, str(error.detail))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # registered for this class alone
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return problem(422, "VALIDATION_ERROR", f"{where}: {first['msg']}" if where else str(first["msg"]))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("Request crashed", path=request.url.path, exc_info=error)
    return problem(500, "INTERNAL_ERROR", "Something went wrong on the server.")


def install(app: FastAPI) -> None:
    """Let every error leave the app as a problem document."""
    app.add_exception_handler(errors.TonearmError, _tonearm_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)
