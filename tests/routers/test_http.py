"""The HTTP API against a real database: shapes, limits, errors."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from analyses import analysis
from prometheus_client import CollectorRegistry
from scanned import scanned

from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.presets import BIASES
from tonearm.model.errors import OutsideLibrary, ScanInProgress
from tonearm.model.fingerprint import DIMENSION_NAMES
from tonearm.model.plan import Preset, Target
from tonearm.model.track import Track
from tonearm.routers.app import build_app
from tonearm.routers.enhancement import build_enhancement_router
from tonearm.routers.fingerprints import build_fingerprint_router
from tonearm.routers.health import build_health_router
from tonearm.routers.library import build_library_router
from tonearm.routers.preferences import ListenerPreferences, build_preferences_router
from tonearm.routers.web import build_web_router


class Desk:
    """Scans, the analysis queue and readiness, as far as the routes see them."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.running = False
        self.states = {"database": "ok", "fingerprint_server": "ok", "kernels": "ok", "scan": "ok"}

    def start(self, directories: Sequence[Path]) -> None:
        if self.running:
            raise ScanInProgress("running")
        if any(not str(directory).startswith("/music") for directory in directories):
            raise OutsideLibrary("elsewhere")
        self.running = True

    def status(self) -> dict[str, Any]:
        return {"state": "running" if self.running else "idle"}

    def request(self, track: Track) -> None:
        self.asked.append(track.id)

    def estimated_remaining_s(self, pending: int) -> float | None:
        return 2.0 * pending

    async def components(self) -> dict[str, str]:
        return self.states


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path / 'library.db'}")
    opened.tracks.store(
        [scanned(f"/music/{n:02}.flac", title=f"Song {n:02}", artists=("Ann",)) for n in range(30)]
    )
    yield opened
    opened.close()


@pytest.fixture
async def http(library: RepositoryFactory, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    preferences = ListenerPreferences(library)
    routers = [
        build_health_router(desk, CollectorRegistry()),
        build_library_router(library, desk),
        build_fingerprint_router(library, desk, desk, AdaptiveMode(), Target(), preferences.current),
        build_enhancement_router(),
        build_preferences_router(preferences),
        build_web_router(),
    ]
    app = build_app(routers, allow_hosts=[], token=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def test_tracks_are_paged_and_never_show_a_path(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/library/tracks", params={"limit": 20, "offset": 20})
    page = answer.json()
    assert (page["total"], page["limit"], page["offset"], page["has_more"]) == (30, 20, 20, False)
    assert [track["title"] for track in page["tracks"]] == [f"Song {n:02}" for n in range(20, 30)]
    assert "/music" not in answer.text
    first = page["tracks"][0]
    assert first["fingerprint_status"] == "pending"
    assert first["duration"] == 60.0
    assert first["filesize"] == 1_000


async def test_search_and_order(http: httpx.AsyncClient) -> None:
    found = (await http.get("/api/library/tracks", params={"search": "song 07"})).json()
    assert [track["title"] for track in found["tracks"]] == ["Song 07"]
    for wildcard in ("%", "_", "'; DROP TABLE tracks; --"):
        assert (await http.get("/api/library/tracks", params={"search": wildcard})).json()["total"] == 0
    wrong = await http.get("/api/library/tracks", params={"order_by": "path; DROP TABLE tracks"})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "offset=-1", "limit=many", f"search={'x' * 1001}", f"offset={2**70}"]
)
async def test_what_cannot_be_asked_is_a_problem_not_a_crash(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/api/library/tracks?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "path", ["/api/library/tracks/999", "/api/tracks/999/plan", "/api/tracks/999/fingerprint"]
)
async def test_an_unknown_track_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "TRACK_NOT_FOUND"


@pytest.mark.parametrize("number", ["0", "-1", str(2**64), "x", "1.5"])
async def test_a_number_that_is_none_is_a_problem(http: httpx.AsyncClient, number: str) -> None:
    assert (await http.get(f"/api/tracks/{number}/fingerprint")).status_code == 422


async def test_what_is_not_measured_yet_is_queued(http: httpx.AsyncClient, desk: Desk) -> None:
    answer = await http.get("/api/tracks/3/fingerprint")
    assert answer.status_code == 404
    assert answer.json()["code"] == "FINGERPRINT_NOT_READY"
    assert desk.asked == [3]


async def test_fingerprint_and_plan_of_a_measured_track(
    http: httpx.AsyncClient, library: RepositoryFactory
) -> None:
    track = library.tracks.get(3)
    library.fingerprints.put(3, track.signature, analysis())
    told = (await http.get("/api/tracks/3/fingerprint")).json()
    assert told["track_id"] == 3
    assert told["stage"] == "full"
    assert list(told["fingerprint"]) == list(DIMENSION_NAMES)
    assert told["fingerprint"] == analysis().fingerprint.as_mapping()
    assert len(told["measures"]["waveform"]) == 2_000
    plan = (await http.get("/api/tracks/3/plan", params={"preset": "warm", "intensity": 0.5})).json()
    assert plan["preset"] == "warm"
    assert plan["intensity"] == 0.5
    assert plan["lwrp"]["class"] in {"restore", "preserve", "master"}
    assert plan["parameters"]["target_lufs"]["value"] == -14.0
    await http.put("/api/settings", json={"preset": "live", "intensity": 0.25, "target_lufs": -18.0})
    plan = (await http.get("/api/tracks/3/plan")).json()
    assert (plan["preset"], plan["intensity"]) == ("live", 0.25)
    # What the preset itself moves comes on top.
    assert plan["parameters"]["target_lufs"]["value"] == pytest.approx(
        -18.0 + BIASES[Preset.LIVE].target_offset_db
    )
    plan = (await http.get("/api/tracks/3/plan", params={"preset": "warm"})).json()
    assert (plan["preset"], plan["intensity"]) == ("warm", 0.25)
    status = (await http.get("/api/library/fingerprints/status")).json()
    assert status["total_tracks"] == 30
    assert status["fingerprinted_tracks"] == 1
    assert status["pending_tracks"] == 29
    assert status["progress_percent"] == pytest.approx(100 / 30)
    assert status["estimated_remaining_seconds"] == 58.0


async def test_the_plan_of_an_album_waits_for_all_its_tracks(
    http: httpx.AsyncClient, library: RepositoryFactory, desk: Desk
) -> None:
    library.tracks.store([scanned(f"/music/a/{n}.flac", album="A") for n in range(3)])
    (album,) = library.albums.page(1, 0).rows
    first, second, third = (row.track for row in library.tracks.of_album(album.id))
    asked = {"level": "album"}
    path = f"/api/tracks/{first.id}/plan"
    for track in (first, second):
        library.fingerprints.put(track.id, track.signature, analysis())
    early = await http.get(path, params=asked)
    assert (early.status_code, early.json()["code"]) == (404, "ALBUM_NOT_MEASURED")
    assert desk.asked == [third.id]
    other = analysis()
    louder = replace(other.measures, downmix_true_peak_dbtp=other.measures.downmix_true_peak_dbtp + 7.0)
    library.fingerprints.put(third.id, third.signature, replace(other, measures=louder))
    told = (await http.get(path, params=asked)).json()
    level = library.albums.level(album.id)
    assert level is not None
    assert told["measured"]["album_lufs"] == level.lufs
    assert told["measured"]["album_true_peak_dbtp"] == louder.downmix_true_peak_dbtp
    by_track = (await http.get(path)).json()
    assert "album_lufs" not in by_track["measured"]
    assert by_track["parameters"]["gain_db"] != told["parameters"]["gain_db"]


async def test_a_track_without_an_album_has_no_plan_of_one(
    http: httpx.AsyncClient, library: RepositoryFactory
) -> None:
    track = library.tracks.get(3)
    library.fingerprints.put(3, track.signature, analysis())
    answer = await http.get("/api/tracks/3/plan", params={"level": "album"})
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_ALBUM")
    assert (await http.get("/api/tracks/3/plan", params={"level": "disc"})).status_code == 422


async def test_presets_say_what_they_move(http: httpx.AsyncClient) -> None:
    told = (await http.get("/api/enhancement/presets")).json()
    assert told["default"] == "adaptive"
    presets = {preset["name"]: preset for preset in told["presets"]}
    assert set(presets) == {preset.value for preset in Preset}
    assert all(len(preset["summary"]) > 10 for preset in presets.values())
    assert presets["gentle"]["moves"]["target_offset_db"] == -2.0
    assert presets["warm"]["moves"]["tone_db"]["bass"] == 1.5
    assert not any(presets["adaptive"]["moves"]["tone_db"].values())
    assert set(presets["live"]["moves"]["correction_scale"].values()) == {0.5, 1.0}
    scales = ("compression_scale", "restoration_scale", "width_scale")
    assert [presets["live"]["moves"][scale] for scale in scales] == [0.25, 1.0, 0.0]
    assert [presets["punchy"]["moves"][scale] for scale in scales] == [1.0, 1.5, 1.0]


async def test_yardsticks_say_what_a_decision_goes_by(http: httpx.AsyncClient) -> None:
    told = (await http.get("/api/enhancement/yardsticks")).json()
    assert [band["low_hz"] for band in told["bands"]] == [20, 60, 250, 500, 2000, 4000, 6000]
    assert (told["bands"][0]["name"], told["bands"][-1]["high_hz"]) == ("sub_bass", 20_000)
    corridor = told["corridor"]
    assert [round(corridor[k]["hz"]) for k in (0, 16, 29)] == [25, 1000, 20159]
    assert all(each["half_width_db"] >= 4 for each in corridor)
    # BS.1770: 0.69 dB at 1 kHz, 4 dB at the top; its high-pass alone, 38.1 Hz and Q 0.5, at 31.25 Hz.
    assert [round(corridor[k]["k_weighting_db"], 1) for k in (1, 16, 26)] == [-7.9, 0.7, 4.0]
    assert told["borders"] == {"lufs": -12, "crest_db": 13, "psr_p10_db": 9, "half_width_db": 1}
    assert [each["name"] for each in told["dimensions"]] == list(DIMENSION_NAMES)
    assert set(told["dimensions"][0]) == {"name", "unit", "low", "high", "meaning"}


@pytest.mark.parametrize("query", ["intensity=nan", "intensity=1.01", "intensity=-0.1", "preset=loudest"])
async def test_a_plan_asked_wrongly(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/api/tracks/3/plan?{query}")).status_code == 422


async def test_one_scan_at_a_time_inside_the_roots(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/library/scan", json={"directories": ["/etc"]})).status_code == 403
    assert (await http.post("/api/library/scan", json={"directories": ["/music/new"]})).status_code == 202
    again = await http.post("/api/library/scan", json={"directories": []})
    assert again.status_code == 409
    assert again.json()["code"] == "SCAN_IN_PROGRESS"


async def test_a_body_of_any_length_is_not_read(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"directories": ["'
        while True:
            sent += 1 << 16
            yield b"a" * (1 << 16)

    answer = await http.post("/api/library/scan", content=endless())
    assert answer.status_code == 413
    assert answer.json()["code"] == "REQUEST_ENTITY_TOO_LARGE"
    assert sent < 1 << 21


async def test_ready_says_which_part_is_down(http: httpx.AsyncClient, desk: Desk) -> None:
    assert (await http.get("/api/ready")).json() == {"ready": True, "components": desk.states}
    desk.states = desk.states | {"fingerprint_server": "unavailable"}
    down = await http.get("/api/ready")
    assert down.status_code == 503
    assert down.json()["components"]["fingerprint_server"] == "unavailable"
    assert (await http.get("/api/health")).json()["status"] == "healthy"
    assert "algorithm_version" in (await http.get("/api/version")).json()


async def test_a_database_that_is_gone_is_said_plainly(
    http: httpx.AsyncClient, library: RepositoryFactory, tmp_path: Path
) -> None:
    library.close()
    for file in tmp_path.glob("library.db*"):
        file.unlink()
    answer = await http.get("/api/library/tracks")
    assert answer.status_code == 503
    assert answer.json()["code"] == "LIBRARY_UNAVAILABLE"
    assert str(tmp_path) not in answer.text


async def test_an_old_signature_is_not_an_answer(http: httpx.AsyncClient, library: RepositoryFactory) -> None:
    track = library.tracks.get(4)
    library.fingerprints.put(4, replace(track.signature, mtime_ns=1), analysis())
    assert (await http.get("/api/tracks/4/fingerprint")).status_code == 404
