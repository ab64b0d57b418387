"""What the listener prefers, kept in the database; the server's own settings are fixed when it starts."""

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from tonearm.library.repositories import RepositoryFactory
from tonearm.model.plan import DEFAULT_TARGET_LUFS, Level, Preset

KEY: Final = "listener"


class Preferences(BaseModel):
    """How music is to sound where a request does not say otherwise. What is left out has its default."""

    model_config = ConfigDict(extra="forbid")

    preset: Preset = Preset.ADAPTIVE
    intensity: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 1.0
    target_lufs: Annotated[float, Field(ge=-40.0, le=-5.0, allow_inf_nan=False)] = DEFAULT_TARGET_LUFS
    level: Level = "track"


def build_preferences_router(library: RepositoryFactory) -> APIRouter:
    """Routes on the listener's settings; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/settings", tags=["settings"])

    @router.get("")
    def read() -> Preferences:
        return Preferences.model_validate(library.settings.get(KEY) or {})

    @router.put("")
    def write(preferences: Preferences) -> Preferences:
        library.settings.put(KEY, preferences.model_dump(mode="json"))
        return preferences

    return router
