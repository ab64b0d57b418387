"""Who may call: names, pages elsewhere, the token."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tonearm.routers.guard import COOKIE, Guard


async def _hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def client(token: str | None = None, host: str = "127.0.0.1:8765") -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/{path:path}", _hello, methods=["GET", "POST"])])
    guarded = Guard(app, ["nas.local"], token)
    return httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url=f"http://{host}")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost", "[::1]:8765", "192.168.1.5", "nas.local", "NAS.local:80"]
)
async def test_addresses_localhost_and_given_names_may_be_called(host: str) -> None:
    async with client() as http:
        assert (await http.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "nas.local.evil.example", ""])
async def test_any_other_name_is_refused(host: str) -> None:
    async with client() as http:
        answer = await http.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.json()["code"] == "HOST_NOT_ALLOWED"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8765", 200),
        ("http://nas.local", 200),
        ("https://nas.local:8443", 200),
        ("http://127.0.0.1:3000", 403),
        ("http://127.0.0.1", 403),
        ("http://evil.example", 403),
        ("http://93.184.216.34", 403),
        ("http://127.0.0.1@evil.example", 403),
        ("null", 403),
        (None, 200),
    ],
)
async def test_a_page_elsewhere_may_not_change_anything(origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"Origin": origin}
    async with client() as http:
        assert (await http.post("/api/library/scan", headers=headers)).status_code == status


async def test_without_the_token_nothing_but_health_answers() -> None:
    async with client(token="let me in") as http:
        assert (await http.get("/api/library/tracks")).status_code == 401
        assert (await http.get("/?token=wrong")).status_code == 401
        assert (await http.get("/api/health")).status_code == 200


async def test_the_token_is_taken_as_bearer_and_after_one_visit_as_cookie() -> None:
    async with client(token="let-me-in") as http:
        bearer = await http.get("/api/library/tracks", headers={"Authorization": "Bearer let-me-in"})
        assert bearer.status_code == 200
        visit = await http.get("/?token=let-me-in")
        assert visit.status_code == 303
        assert visit.headers["location"] == "/"
        cookie = visit.headers["set-cookie"].lower()
        assert cookie.startswith(COOKIE)
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await http.get("/api/library/tracks")).status_code == 200


async def test_answers_keep_the_page_to_itself() -> None:
    async with client() as http:
        headers = (await http.get("/")).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
