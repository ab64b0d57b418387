"""Browsing, favourites, history and playlists over HTTP."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from analyses import analysis
from scanned import scanned

from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.routers.app import build_app
from tonearm.routers.collection import build_collection_routers


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path / 'library.db'}")
    opened.tracks.store(
        [
            scanned(
                f"/music/{n // 4}/{n:02}.flac",
                title=f"Song {n:02}",
                artists=("Björk",) if n < 8 else ("Ann",),
                album=f"Album {n // 4}",
                genres=("Pop",) if n % 2 else ("Jazz",),
                year=1990 + n // 4,
                track_number=n % 4 + 1,
            )
            for n in range(12)
        ]
    )
    yield opened
    opened.close()


@pytest.fixture
async def http(library: RepositoryFactory) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(build_collection_routers(library), allow_hosts=[], token=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def test_albums_are_paged_ordered_and_searched(http: httpx.AsyncClient) -> None:
    page = (await http.get("/api/albums", params={"limit": 2, "order_by": "-year"})).json()
    assert [album["title"] for album in page["albums"]] == ["Album 2", "Album 1"]
    assert (page["total"], page["has_more"]) == (3, True)
    found = (await http.get("/api/albums", params={"search": "bjor 1"})).json()["albums"]
    assert [album["title"] for album in found] == ["Album 1"]
    album = (await http.get(f"/api/albums/{found[0]['id']}")).json()
    assert (album["artist"], album["year"], album["track_count"], album["duration"]) == (
        "Björk",
        1991,
        4,
        240.0,
    )
    assert album["artwork_url"] == f"/api/albums/{album['id']}/artwork"
    assert [track["track_number"] for track in album["tracks"]] == [1, 2, 3, 4]


async def test_artists_and_genres_lead_to_their_music(http: httpx.AsyncClient) -> None:
    artists = (await http.get("/api/artists")).json()["artists"]
    assert [(one["name"], one["track_count"], one["album_count"]) for one in artists] == [
        ("Ann", 4, 1),
        ("Björk", 8, 2),
    ]
    bjork = artists[1]["id"]
    assert (await http.get(f"/api/artists/{bjork}")).json() == artists[1]
    albums = (await http.get(f"/api/artists/{bjork}/albums")).json()
    assert [album["title"] for album in albums["albums"]] == ["Album 0", "Album 1"]
    tracks = (await http.get(f"/api/artists/{bjork}/tracks", params={"limit": 3, "offset": 6})).json()
    assert ([track["title"] for track in tracks["tracks"]], tracks["total"]) == (["Song 06", "Song 07"], 8)
    genres = (await http.get("/api/genres")).json()["genres"]
    assert [(genre["name"], genre["track_count"]) for genre in genres] == [("Jazz", 6), ("Pop", 6)]
    jazz = (await http.get(f"/api/genres/{genres[0]['id']}/tracks", params={"order_by": "-title"})).json()
    assert [track["title"] for track in jazz["tracks"]][:2] == ["Song 10", "Song 08"]


@pytest.mark.parametrize(
    "path", ["albums/99", "artists/99", "artists/99/tracks", "genres/99", "playlists/99"]
)
async def test_what_is_not_there_is_said_with_a_code(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/api/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == f"{path.split('/', maxsplit=1)[0].removesuffix('s').upper()}_NOT_FOUND"


@pytest.mark.parametrize("path", ["albums", "artists", "genres", "favorites"])
async def test_an_unknown_order_is_said_plainly(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/api/{path}", params={"order_by": "path"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_QUERY")
    assert "order_by must be one of" in answer.json()["detail"]


async def test_a_favourite_is_marked_and_unmarked(
    http: httpx.AsyncClient, library: RepositoryFactory
) -> None:
    for _ in range(2):
        assert (await http.post("/api/tracks/3/favorite")).json() == {"track_id": 3, "favorite": True}
    (marked,) = (await http.get("/api/favorites")).json()["tracks"]
    assert (marked["id"], marked["favorite"]) == (3, True)
    assert (await http.delete("/api/tracks/3/favorite")).json() == {"track_id": 3, "favorite": False}
    assert (await http.get("/api/favorites")).json()["total"] == 0
    assert (await http.post("/api/tracks/99/favorite")).json()["code"] == "TRACK_NOT_FOUND"


async def test_history_is_shown_and_forgotten(http: httpx.AsyncClient, library: RepositoryFactory) -> None:
    library.history.record(5, 45.0, False, datetime(2026, 5, 1, tzinfo=UTC))
    (play,) = (await http.get("/api/history")).json()["plays"]
    assert (play["track"]["id"], play["track"]["play_count"], play["counted"]) == (5, 1, True)
    assert (play["played_seconds"], play["played_at"]) == (45.0, "2026-05-01T00:00:00+00:00")
    assert (await http.delete("/api/history")).status_code == 204
    assert (await http.get("/api/history")).json()["plays"] == []


async def test_a_playlist_from_its_beginning_to_its_end(http: httpx.AsyncClient) -> None:
    made = await http.post("/api/playlists", json={"name": "Later"})
    assert made.status_code == 201
    path = f"/api/playlists/{made.json()['id']}"
    added = await http.post(f"{path}/tracks", json={"track_ids": [4, 2, 4]})
    assert (added.json()["track_count"], added.json()["duration"]) == (3, 180.0)
    await http.post(f"{path}/tracks", json={"track_ids": [9], "position": 1})
    entries = (await http.get(f"{path}/tracks")).json()["entries"]
    assert [entry["track"]["id"] for entry in entries] == [4, 9, 2, 4]
    assert [entry["position"] for entry in entries] == [0, 1, 2, 3]
    await http.patch(f"{path}/tracks/{entries[3]['entry_id']}", json={"position": 0})
    assert (await http.delete(f"{path}/tracks/{entries[1]['entry_id']}")).status_code == 204
    page = (await http.get(f"{path}/tracks", params={"offset": 1})).json()
    assert [(entry["track"]["id"], entry["position"]) for entry in page["entries"]] == [(4, 1), (2, 2)]
    assert (await http.patch(path, json={"name": "Now"})).json()["name"] == "Now"
    assert [one["name"] for one in (await http.get("/api/playlists")).json()["playlists"]] == ["Now"]
    assert (await http.delete(path)).status_code == 204
    assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "\0"},
        {"name": "x" * 201},
        {"name": 5},
        {"name": "x", "owner": "y"},
    ],
)
async def test_a_playlist_is_named_properly(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await http.post("/api/playlists", json=body)).status_code == 422


async def test_similar_tracks_have_a_rank_and_a_reason(
    http: httpx.AsyncClient, library: RepositoryFactory
) -> None:
    for track_id, tempo in ((1, 120.0), (2, 180.0), (3, 121.0)):
        track = library.tracks.get(track_id)
        library.fingerprints.put(track_id, track.signature, analysis(tempo_bpm=tempo))
    found = (await http.get("/api/tracks/1/similar", params={"limit": 5})).json()
    assert [(one["track_id"], one["rank"]) for one in found] == [(3, 1), (2, 2)]
    assert 1 > found[0]["similarity_score"] > found[1]["similarity_score"] > 0
    assert found[0]["distance"] < found[1]["distance"]
    assert all(isinstance(one["because"], list) for one in found)
    early = await http.get("/api/tracks/4/similar")
    assert (early.status_code, early.json()["code"]) == (404, "FINGERPRINT_NOT_READY")
    assert (await http.get("/api/tracks/99/similar")).json()["code"] == "TRACK_NOT_FOUND"
    assert (await http.get("/api/tracks/1/similar", params={"limit": 101})).status_code == 422


async def test_a_smart_list_from_its_preview_to_its_end(http: httpx.AsyncClient) -> None:
    query = 'genre = "Jazz" and year >= 1991 order by title desc'
    preview = (await http.get("/api/smart-lists/preview", params={"query": query, "limit": 3})).json()
    assert [track["title"] for track in preview["tracks"]] == ["Song 10", "Song 08", "Song 06"]
    assert (preview["total"], preview["has_more"]) == (4, True)
    made = await http.post("/api/smart-lists", json={"name": "Later jazz", "query": query})
    assert made.status_code == 201
    path = f"/api/smart-lists/{made.json()['id']}"
    assert (await http.get(f"{path}/tracks", params={"limit": 3})).json() == preview
    changed = await http.put(path, json={"name": "Pop", "query": 'genre = "pop"'})
    assert changed.json()["name"] == "Pop"
    assert (await http.get(f"{path}/tracks")).json()["total"] == 6
    assert [one["query"] for one in (await http.get("/api/smart-lists")).json()["smart_lists"]] == [
        'genre = "pop"'
    ]
    assert (await http.delete(path)).status_code == 204
    assert (await http.get(path)).json()["code"] == "SMART_LIST_NOT_FOUND"
    fields = {
        one["name"]: one["kind"] for one in (await http.get("/api/smart-lists/fields")).json()["fields"]
    }
    assert (fields["lufs"], fields["genre"]) == ("a number", "one or more texts")


async def test_a_query_that_cannot_be_read_says_where(http: httpx.AsyncClient) -> None:
    answers = [
        await http.get("/api/smart-lists/preview", params={"query": "lufs > -9 and tempo > 1"}),
        await http.post("/api/smart-lists", json={"name": "x", "query": "lufs > -9 and tempo > 1"}),
    ]
    for answer in answers:
        assert answer.status_code == 422
        problem = answer.json()
        assert (problem["code"], problem["position"]) == ("INVALID_QUERY", 15)
        assert "tempo_bpm" in problem["wanted"]
        assert "tempo_bpm" in problem["detail"]
