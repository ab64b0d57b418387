"""Opening the database.

SQLite runs in WAL mode, so readers never wait for the writer. Writers take one lock and then
``BEGIN IMMEDIATE``: a transaction that reads first and writes later can otherwise not be
upgraded while another one writes, and fails at once instead of waiting.

Postgres is spoken to through psycopg 3 and has one writer at a time as well, by an advisory lock that
a transaction holds: two servers on one database then never both make the row of one artist.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tonearm.library.paging import FEW, Pages
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.sessions import WRITER_WAIT_S, DatabaseSessions
from tonearm.model.errors import LibraryUnavailable

BUSY_TIMEOUT_S: Final = 5.0
_POOL_SIZE: Final = 8
_POOL_OVERFLOW: Final = 24
_CONNECT_TIMEOUT_S: Final = 5
WRITER_LOCK: Final = 0x746F6E6561726D
"""``tonearm``: the number of the lock that who writes into Postgres holds."""

_compact_json: Final = partial(json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def open_library(url: str, busy_timeout_s: float = BUSY_TIMEOUT_S, few: int = FEW) -> RepositoryFactory:
    """Open the database at ``url``, creating it or bringing its schema up to date.

    Args:
        url: ``sqlite:////data/library.db`` or ``postgresql://user:password@host/name``. An SQLite database
            has to be a file, because several threads use it.
        busy_timeout_s: how long is waited for another process that writes.
        few: lists of so many rows are sorted here rather than by the database.

    Raises:
        ModuleNotFoundError: the driver that ``url`` names is not installed.
        ValueError: ``url`` is no database URL, is of an unknown kind, or names an SQLite database in memory.
        LibraryUnavailable: the database cannot be opened, or was made by a newer version.
    """
    parsed = _parsed(url)
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
    writers = engine.execution_options(immediate=True)
    # One state for all statements of a reader. A writer sees what the one before it, on whose lock it
    # waited, has committed: its first snapshot may be older than that.
    readers = engine if file is not None else engine.execution_options(isolation_level="REPEATABLE READ")
    sessions = DatabaseSessions(readers, writers, file)
    try:
        sessions.bring_up_to_date()
    except LibraryUnavailable:
        sessions.close()
        raise
    return RepositoryFactory(sessions, Pages(few))


def library_file(url: str) -> Path | None:
    """The file of an SQLite library; None for one that a server keeps.

    Raises:
        ValueError: as for ``open_library``.
    """
    return _sqlite_file(_parsed(url))


def _parsed(url: str) -> URL:
    try:
        return _with_driver(make_url(url))
    except SQLAlchemyError as exc:
        raise ValueError("wanted a database URL such as sqlite:////data/library.db") from exc


def _with_driver(url: URL) -> URL:
    """``postgres://``, as many write it, and ``postgresql://`` mean the one driver that is supported."""
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise ValueError(f"a library is kept in sqlite or postgresql, not in {url.drivername}")
    return url


def _sqlite_file(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError(f"an SQLite library has to be a plain file, got {url.database or 'none'}")
    return Path(url.database)


def _create_engine(url: URL, busy_timeout_s: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _create_postgres_engine(url, busy_timeout_s)
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


def _create_postgres_engine(url: URL, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        url,
        json_serializer=_compact_json,
        pool_pre_ping=True,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=WRITER_WAIT_S,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_S},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {round(busy_timeout_s * 1000)}")
        connection.commit()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("immediate", False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

    return engine
