"""The listener's settings: JSON values by name."""

import json
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, insert, select

from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import settings

MAX_KEY_LENGTH: Final = 200


class SettingsRepository:
    """The table ``settings``. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def get(self, key: str) -> object:
        """The value stored under ``key``, or None where there is none."""
        return self.all().get(key)

    def all(self) -> dict[str, object]:
        """Every value by its name."""
        with self._sessions.reading() as session:
            rows = session.execute(select(settings.c.key, settings.c.value)).all()
        return {row.key: row.value for row in rows}

    def put(self, key: str, value: object) -> None:
        """Store a JSON value over what was there.

        Raises:
            ValueError: the name is empty or longer than 200 characters.
            TypeError: the value is not JSON.
        """
        if not 0 < len(key) <= MAX_KEY_LENGTH:
            raise ValueError(f"a setting's name has 1..{MAX_KEY_LENGTH} characters, got {len(key)}")
        json.dumps(value, allow_nan=False)
        with self._sessions.writing() as session:
            session.execute(delete(settings).where(settings.c.key == key))
            session.execute(insert(settings).values(key=key, value=value, updated_at=datetime.now(UTC)))
