"""Covers over HTTP: found, kept by the client, absent."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image
from scanned import scanned

from tonearm.artwork.pictures import Pictures
from tonearm.library.database import open_library
from tonearm.routers.app import build_app
from tonearm.routers.artwork import build_artwork_router


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    shown, bare = tmp_path / "music" / "shown", tmp_path / "music" / "bare"
    for folder in (shown, bare):
        folder.mkdir(parents=True)
    Image.new("RGB", (300, 300), (220, 30, 30)).save(shown / "cover.jpg")
    library = open_library(f"sqlite:///{tmp_path / 'library.db'}")
    library.tracks.store([scanned(folder / "1.flac", album=folder.name) for folder in (shown, bare)])
    router = build_artwork_router(library, Pictures(tmp_path / "artwork"), ThreadPoolExecutor(1))
    app = build_app([router], allow_hosts=[], token=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    library.close()


@pytest.mark.parametrize("kind", ["albums", "tracks"])
async def test_a_cover_in_a_size(http: httpx.AsyncClient, kind: str) -> None:
    path = f"/api/{kind}/1/artwork"
    answer = await http.get(path, params={"size": 128})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    other = await http.get(path)
    assert other.headers["etag"] != answer.headers["etag"]
    for held in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}', "*"):
        same = await http.get(path, params={"size": 128}, headers={"if-none-match": held})
        assert (same.status_code, same.content) == (304, b"")
    assert (await http.get(path, headers={"if-none-match": '"x"'})).status_code == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("albums/2", "ARTWORK_NOT_FOUND"),
        ("tracks/2", "ARTWORK_NOT_FOUND"),
        ("albums/99", "ARTWORK_NOT_FOUND"),
        (f"albums/{2**63 - 1}", "ARTWORK_NOT_FOUND"),
        ("tracks/99", "TRACK_NOT_FOUND"),
    ],
)
async def test_what_has_none(http: httpx.AsyncClient, path: str, code: str) -> None:
    answer = await http.get(f"/api/{path}/artwork")
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert "music" not in answer.json()["detail"].replace("this music", "")


@pytest.mark.parametrize("size", ["100", "0", "-1", "99999999", "big"])
async def test_only_the_sizes_there_are(http: httpx.AsyncClient, size: str) -> None:
    assert (await http.get("/api/albums/1/artwork", params={"size": size})).status_code == 422
