"""Who may call: the Host header, the access token, and the headers that keep a page to itself.

A web page elsewhere must not drive a server on the listener's own machine. Its browser can be
led here under another *name* (DNS rebinding), never under a bare address, so addresses and
``localhost`` are allowed and every other name has to be given with ``--allow-host``.
"""

import ipaddress
import secrets
from collections.abc import Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tonearm.routers.problems import problem

COOKIE = "tonearm_token"
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}
LARGEST_BODY: Final = 1 << 20
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_DOCUMENTATION_PATHS = ("/api/docs", "/api/redoc")


def host_name(header: str) -> str:
    """The name in a Host or Origin value, without scheme and port, in lower case."""
    name = header.rsplit("//", 1)[-1].rsplit("@", 1)[-1].lower()
    if name.startswith("["):
        return name[1:].split("]", 1)[0]
    return name.split(":", 1)[0]


def allowed_host(names: Iterable[str]) -> Callable[[str], bool]:
    """A predicate on Host or Origin values: addresses, localhost, and the given names."""
    known = {"localhost", *(name.lower() for name in names)}

    def allowed(header: str) -> bool:
        name = host_name(header)
        if name in known:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    return allowed


def same_origin(headers: Headers, names: Iterable[str]) -> bool:
    """Whether the page that calls is ours: it came from the host it calls, or from a given name.

    An absent Origin is not a browser's and is allowed. A bare address is no excuse here: a page
    served from any address, or from another port of this machine, could otherwise drive this server.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    if host_name(origin) in {name.lower() for name in names}:
        return True
    scheme, _, place = origin.lower().partition("://")
    return place.removesuffix(_USUAL_PORTS.get(scheme, "")) == headers.get("host", "").lower().removesuffix(
        _USUAL_PORTS.get(scheme, "")
    )


class Guard:
    """ASGI middleware: refuses foreign hosts, foreign pages and, where a token is set, callers without it."""

    def __init__(self, app: ASGIApp, names: Iterable[str], token: str | None) -> None:
        self._app = app
        self._names = tuple(names)
        self._allowed = allowed_host(self._names)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._allowed(headers.get("host", "")):
            await _refuse(scope, receive, send, 400, "HOST_NOT_ALLOWED", "This name is not allowed here.")
        elif _may_change(scope) and not same_origin(headers, self._names):
            await _refuse(
                scope, receive, send, 403, "ORIGIN_NOT_ALLOWED", "Another site may not call this server."
            )
        elif self._token is not None and scope["path"] != "/api/health" and not self._knows(headers):
            await self._admit_or_refuse(scope, receive, send)
        else:
            await self._app(scope, _of_bounded_size(scope, receive), _with_security_headers(scope, send))

    def _knows(self, headers: Headers) -> bool:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if not given:
            try:
                morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
            except CookieError:
                morsel = None
            given = morsel.value if morsel else ""
        return secrets.compare_digest(given.encode(), (self._token or "").encode())

    async def _admit_or_refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        token = self._token or ""
        if (
            scope["type"] == "http"
            and scope["path"] == "/"
            and secrets.compare_digest(given.encode(), token.encode())
        ):
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=31_536_000)
            await answer(scope, receive, send)
            return
        await _refuse(
            scope, receive, send, 401, "TOKEN_REQUIRED", "Open this page once with ?token=... first."
        )


def _may_change(scope: Scope) -> bool:
    return scope["type"] == "websocket" or scope["method"] not in {"GET", "HEAD", "OPTIONS"}


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, code: str, sentence: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    await problem(status, code, sentence)(scope, receive, send)


def _of_bounded_size(scope: Scope, receive: Receive) -> Receive:
    """A body is read whole before it is looked at, so it must not be as long as its sender likes."""
    if scope["type"] != "http":
        return receive
    left = LARGEST_BODY

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"A request's body may have at most {LARGEST_BODY} bytes.")
        return message

    return bounded


def _with_security_headers(scope: Scope, send: Send) -> Send:
    if scope["type"] != "http" or scope["path"].startswith(_DOCUMENTATION_PATHS):
        return send

    async def decorated(message: Message) -> None:
        if message["type"] == "http.response.start":
            raw: MutableMapping[str, Any] = message
            headers = MutableHeaders(scope=raw)
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return decorated
