"""What the listener prefers, kept in the database; the server's own settings are fixed when it starts."""

from dataclasses import asdict
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonearm.library.repositories import RepositoryFactory
from tonearm.model.plan import Level, Preset
from tonearm.model.preferences import Preferences

KEY: Final = "listener"

_DEFAULTS: Final = Preferences()

log = structlog.get_logger()


class PreferencesShown(BaseModel):
    """How music is to sound where a request does not say otherwise. What is left out has its default."""

    model_config = ConfigDict(extra="forbid", title="Preferences")

    preset: Preset = _DEFAULTS.preset
    intensity: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = _DEFAULTS.intensity
    target_lufs: Annotated[float, Field(ge=-40.0, le=-5.0, allow_inf_nan=False)] = _DEFAULTS.target_lufs
    level: Level = _DEFAULTS.level


class ListenerPreferences:
    """The preferences as they were last stored or read here, so that a play waits for no database.

    Construction blocks, and may raise ``LibraryUnavailable``.
    """

    def __init__(self, library: RepositoryFactory) -> None:
        self._settings = library.settings
        self._current = self.read()

    def current(self) -> Preferences:
        """What is in force; returns at once."""
        return self._current

    def read(self) -> Preferences:
        """What is stored, which is in force from here on; blocks. Defaults, with a warning, for what cannot
        be understood.

        Raises:
            LibraryUnavailable: the database does not answer.
        """
        stored: Any = self._settings.get(KEY)
        try:
            shown = PreferencesShown.model_validate(stored or {})
        except ValidationError as error:
            log.warning("The stored preferences cannot be understood; defaults are used", cause=str(error))
            shown = PreferencesShown()
        self._current = Preferences(**dict(shown))
        return self._current

    def write(self, preferences: Preferences) -> None:
        """Store them, and use them from here on; blocks.

        Raises:
            LibraryUnavailable: the database does not answer; what was in force stays.
        """
        self._settings.put(KEY, asdict(preferences))
        self._current = preferences


def build_preferences_router(preferences: ListenerPreferences) -> APIRouter:
    """Routes on the listener's settings; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/settings", tags=["settings"])

    @router.get("")
    def read() -> PreferencesShown:
        return PreferencesShown(**asdict(preferences.read()))

    @router.put("")
    def write(shown: PreferencesShown) -> PreferencesShown:
        preferences.write(Preferences(**dict(shown)))
        return shown

    return router
