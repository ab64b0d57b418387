"""The listener's preferences: kept, in force from the next play on, and never in the way of one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.model.plan import Preset
from tonearm.model.preferences import Preferences
from tonearm.routers.app import build_app
from tonearm.routers.preferences import KEY, ListenerPreferences, build_preferences_router

CHOSEN = {"preset": "warm", "intensity": 0.5, "target_lufs": -18.0, "level": "album"}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path / 'library.db'}")
    yield opened
    opened.close()


@pytest.fixture
def preferences(library: RepositoryFactory) -> ListenerPreferences:
    return ListenerPreferences(library)


@pytest.fixture
async def http(preferences: ListenerPreferences) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app([build_preferences_router(preferences)], allow_hosts=[], token=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def test_settings_have_defaults_and_are_kept(http: httpx.AsyncClient) -> None:
    default = {"preset": "adaptive", "intensity": 1.0, "target_lufs": -14.0, "level": "track"}
    assert (await http.get("/api/settings")).json() == default
    assert (await http.put("/api/settings", json=CHOSEN)).json() == CHOSEN
    assert (await http.get("/api/settings")).json() == CHOSEN
    for wrong in ({"intensity": 2}, {"preset": "loudest"}, {"target_lufs": 0}, {"port": 80}, {"level": None}):
        assert (await http.put("/api/settings", json=wrong)).status_code == 422
    assert (await http.get("/api/settings")).json() == CHOSEN


async def test_what_is_put_is_in_force_at_once_and_after_a_start(
    http: httpx.AsyncClient, preferences: ListenerPreferences, library: RepositoryFactory
) -> None:
    assert preferences.current() == Preferences()
    await http.put("/api/settings", json=CHOSEN)
    chosen = Preferences(Preset.WARM, 0.5, -18.0, "album")
    assert preferences.current() == chosen
    assert ListenerPreferences(library).current() == chosen


async def test_what_another_server_stored_is_in_force_once_it_is_read(
    http: httpx.AsyncClient, preferences: ListenerPreferences, library: RepositoryFactory
) -> None:
    ListenerPreferences(library).write(Preferences(intensity=0.25))
    await http.get("/api/settings")
    assert preferences.current().intensity == 0.25


def test_what_cannot_be_understood_is_told_and_gives_way_to_the_defaults(library: RepositoryFactory) -> None:
    library.settings.put(KEY, {"preset": "of a later version"})
    with capture_logs() as logs:
        preferences = ListenerPreferences(library)
    assert preferences.current() == Preferences()
    assert [line["log_level"] for line in logs] == ["warning"]
