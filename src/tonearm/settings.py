"""Every setting in one frozen tree: flags over environment over TOML file over defaults.

The environment writes ``TONEARM_STREAMING__LEAD_S`` for ``streaming.lead_s``. The TOML file is
``tonearm.toml`` in the user's configuration folder, or the one named by ``TONEARM_CONFIG``.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

CONFIG_VARIABLE: Final = "TONEARM_CONFIG"
_PASSWORD: Final = re.compile(r"(://[^:/@]*:).*@")


class UnusableSetting(Exception):
    """A setting that is well formed and cannot be used here; says which and why."""


def config_file() -> Path:
    """The TOML file that is read, whether it exists or not."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("tonearm")) / "tonearm.toml"


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LibrarySettings(_Group):
    """Where the music is, where what is known about it is kept, and how changes are noticed.

    With ``watch`` a change is scanned when the system tells of it. Besides, all roots are scanned every
    ``rescan_minutes``, those on other machines every ``poll_minutes``. A track whose file has been missing
    for ``forget_days`` is forgotten.
    """

    roots: tuple[Path, ...] = ()
    database_url: str | None = None
    watch: bool = True
    rescan_minutes: float = Field(60.0, ge=1.0)
    poll_minutes: float = Field(5.0, ge=1.0)
    forget_days: float = Field(90.0, ge=0.0, le=36_500.0)


class ServerSettings(_Group):
    """Where the web server listens and under which names it may be called."""

    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    allow_hosts: tuple[str, ...] = ()


class AccessSettings(_Group):
    """Who may call. An empty token is refused: everybody has that."""

    token: SecretStr | None = Field(None, min_length=1)


class FingerprintSettings(_Group):
    """The fingerprint service: a supervised child, unless ``server`` names another."""

    server: str | None = None
    listen: str = "127.0.0.1:50051"
    workers: int = Field(2, ge=1, le=64)
    deadline_s: float = Field(60.0, gt=0)
    background: bool = True


class StreamingSettings(_Group):
    """``start_wait_s`` is the longest a play waits for a plan; ``lead_s`` how far ahead it renders."""

    lead_s: float = Field(20.0, ge=1.0, le=600.0)
    start_wait_s: float = Field(1.0, ge=0.0)


class LimitSettings(_Group):
    streams_total: int = Field(256, ge=1)
    streams_per_client: int = Field(8, ge=1)


class LogSettings(_Group):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(BaseSettings):
    """The whole tree. Read once; only the command line and bootstrap see it."""

    model_config = SettingsConfigDict(
        env_prefix="TONEARM_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("tonearm")))
    library: LibrarySettings = LibrarySettings()
    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    fingerprints: FingerprintSettings = FingerprintSettings()
    streaming: StreamingSettings = StreamingSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @property
    def database_url(self) -> str:
        """The database asked for, or SQLite in the data directory."""
        return self.library.database_url or f"sqlite:///{self.data_dir / 'library.db'}"


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting: its dotted name, its value (secrets hidden), and where the value came from."""

    name: str
    value: object
    origin: Literal["flag", "environment", "file", "default"]


def explain(settings: Settings, flags: Mapping[str, Any]) -> list[Explained]:
    """Every setting with its origin; ``flags`` is the nested mapping the command line gave."""
    environment = set(_leaves(EnvSettingsSource(Settings)()))
    file = set(_leaves(TomlConfigSettingsSource(Settings, config_file())()))
    given = set(_leaves(flags))
    explained = []
    for name, value in _values(settings):
        origin: Literal["flag", "environment", "file", "default"] = "default"
        if name in given:
            origin = "flag"
        elif name in environment:
            origin = "environment"
        elif name in file:
            origin = "file"
        explained.append(Explained(name, value, origin))
    return explained


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _values(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _values(value, f"{prefix}{name}.")
        elif isinstance(value, tuple):
            yield f"{prefix}{name}", [str(item) for item in value]
        elif value is None or isinstance(value, (bool, int, float)):
            yield f"{prefix}{name}", value
        elif name.endswith("_url"):
            yield f"{prefix}{name}", _PASSWORD.sub(r"\1**********@", str(value))
        else:
            yield f"{prefix}{name}", str(value)
