"""Flags over environment over file over defaults, and where each value came from."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tonearm.settings import Settings, explain


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEARM_CONFIG", str(tmp_path / "tonearm.toml"))


def test_the_nearer_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tonearm.toml").write_text(
        "[server]\nport = 1000\nhost = '127.0.0.2'\n[streaming]\nlead_s = 30.0\n[limits]\nstreams_total = 9\n"
    )
    monkeypatch.setenv("TONEARM_SERVER__PORT", "2000")
    monkeypatch.setenv("TONEARM_STREAMING__LEAD_S", "40")
    flags = {"server": {"port": 3000}}
    settings = Settings(**flags)
    assert settings.server.port == 3000
    assert settings.server.host == "127.0.0.2"
    assert settings.streaming.lead_s == 40.0
    assert settings.limits.streams_total == 9
    assert settings.limits.streams_per_client == 8
    origins = {row.name: row.origin for row in explain(settings, flags)}
    assert origins["server.port"] == "flag"
    assert origins["streaming.lead_s"] == "environment"
    assert origins["limits.streams_total"] == "file"
    assert origins["limits.streams_per_client"] == "default"


def test_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEARM_ACCESS__TOKEN", "open sesame")
    settings = Settings()
    shown = {row.name: row.value for row in explain(settings, {})}
    assert settings.access.token is not None
    assert settings.access.token.get_secret_value() == "open sesame"
    assert "sesame" not in str(shown)


def test_a_database_password_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEARM_LIBRARY__DATABASE_URL", "postgresql+psycopg://bob:hunt@er2@db:5432/music")
    shown = {row.name: row.value for row in explain(Settings(), {})}
    assert shown["library.database_url"] == "postgresql+psycopg://bob:**********@db:5432/music"


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tonearm.toml").write_text("[streaming]\nled_s = 3\n")
    with pytest.raises(ValidationError, match="led_s"):
        Settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().server.port = 1  # type: ignore[misc]


def test_an_empty_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEARM_ACCESS__TOKEN", "")
    with pytest.raises(ValidationError, match="token"):
        Settings()
