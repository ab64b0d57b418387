"""Opening the database.

SQLite runs in WAL mode, so readers never wait for the writer. Writers take one lock and then
``BEGIN IMMEDIATE``: a transaction that reads first and writes later can otherwise not be
upgraded while another one writes, and fails at once instead of waiting.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.sessions import WRITER_WAIT_S, DatabaseSessions
from tonearm.model.errors import LibraryUnavailable

BUSY_TIMEOUT_S: Final = 5.0
_POOL_SIZE: Final = 8
_POOL_OVERFLOW: Final = 24

_compact_json: Final = partial(json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def open_library(url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> RepositoryFactory:
    """Open the database at ``url``, creating it or bringing its schema up to date.

    Args:
        url: an SQLAlchemy URL, such as ``sqlite:////data/library.db`` or ``postgresql+psycopg://...``.
            An SQLite database has to be a file, because several threads use it.
        busy_timeout_s: how long SQLite waits for another process that writes.

    Raises:
        ModuleNotFoundError: the driver that ``url`` names is not installed.
        ValueError: ``url`` is no database URL, is of an unknown kind, or names an SQLite database in memory.
        LibraryUnavailable: the database cannot be opened, or was made by a newer version.
    """
    try:
        parsed = make_url(url)
    except SQLAlchemyError as exc:
        raise ValueError("wanted a database URL such as sqlite:////data/library.db") from exc
    file = _sqlite_file(parsed)
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise LibraryUnavailable(f"cannot create the folder of {file}: {exc}") from exc
    try:
        engine = _create_engine(parsed, busy_timeout_s)
    except ArgumentError as exc:
        raise ValueError(f"there is no driver for {parsed.drivername}") from exc
    sessions = DatabaseSessions(engine, file)
    try:
        sessions.bring_up_to_date()
    except LibraryUnavailable:
        sessions.close()
        raise
    return RepositoryFactory(sessions)


def _sqlite_file(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError(f"an SQLite library has to be a plain file, got {url.database or 'none'}")
    return Path(url.database)


def _create_engine(url: URL, busy_timeout_s: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, json_serializer=_compact_json, pool_pre_ping=True)
    engine = create_engine(
        url,
        json_serializer=_compact_json,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=WRITER_WAIT_S,
        connect_args={"timeout": busy_timeout_s},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, and too late; "begin" below does it.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
