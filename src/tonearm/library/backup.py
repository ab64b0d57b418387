"""Copies of an SQLite library while it is in use, bringing one back, and looking for damage.

A backup is one consistent state: SQLite's backup interface copies all pages in one read transaction,
during which others go on reading and writing. Files are written under a temporary name and renamed, so there
is always either the old one or the new one.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tonearm.library.lock import FileLock
from tonearm.library.migrations.upgrade import known_revisions
from tonearm.model.errors import LibraryUnavailable

_MAGIC: Final = b"SQLite format 3\0"
_WORDS: Final = ("tracks_words", "albums_words", "artists_words")
_COMPANIONS: Final = ("-wal", "-shm")


def backup(database: Path, into: Path) -> int:
    """Copy the library at ``database`` into the file ``into``, over an earlier backup; returns its bytes.

    Raises:
        LibraryUnavailable: there is no library, it is damaged, or the copy cannot be written.
        ValueError: ``into`` is the library itself, or a file that is no backup.
    """
    _require_library(database)
    if into.exists() and not _is_database(into):
        raise ValueError(f"{into} exists and is no backup of a library; it was left alone")
    if into.exists() and into.samefile(database):
        raise ValueError(f"{into} is the library itself")
    with _translated(), _beside(into) as copy:
        _copy(database, copy)
        problems = _damage(copy)
        if problems:
            raise LibraryUnavailable(f"the library is damaged: {problems[0]}")
        _replace(copy, into)
    return into.stat().st_size


def restore(database: Path, source: Path) -> Path | None:
    """Put the backup ``source`` in the place of the library at ``database``.

    Returns:
        Where the library that was there is kept, or None where there was none.

    Raises:
        LibraryUnavailable: a server or a scan uses the library; ``source`` is damaged, is no library, or was
            made by a newer version; or the files cannot be written.
    """
    if not source.is_file():
        raise LibraryUnavailable(f"there is no file {source}")
    with _translated():
        database.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(database, exclusive=True), _beside(database) as copy:
            _require_restorable(source)
            _copy(source, copy)
            kept = _keep(database) if database.exists() else None
            _replace(copy, database)
    return kept


def damage(database: Path) -> list[str]:
    """What is wrong with the library at ``database``, in words; empty where all is well.

    Raises:
        LibraryUnavailable: there is no library, or it cannot be opened at all.
    """
    _require_library(database)
    with _translated():
        return _damage(database)


def _damage(file: Path) -> list[str]:
    try:
        with closing(sqlite3.connect(file)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(20):
                found.append(f"row {row} of {table} names a row of {parent} that is not there")
            for index in _indexes(connection):
                found += _damaged_words(connection, index)
    except sqlite3.DatabaseError as exc:
        return [str(exc)]
    return found


def _indexes(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [name for name in _WORDS if (name,) in rows]


def _damaged_words(connection: sqlite3.Connection, index: str) -> list[str]:
    try:
        # 1: compare with the rows, too.
        connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as exc:
        return [f"the index {index} does not agree with its rows: {exc}"]
    finally:
        connection.rollback()
    return []


def _copy(source: Path, into: Path) -> None:
    with closing(sqlite3.connect(source)) as library, closing(sqlite3.connect(into)) as copy:
        library.backup(copy)
        # One file alone, without the companions that a library in use has.
        copy.execute("PRAGMA journal_mode = DELETE")


def _keep(database: Path) -> Path:
    """A second name for the library that is about to be replaced."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        # Too damaged to be opened: it is kept as it is, with what was not yet written into it.
        for suffix in _COMPANIONS:
            companion = database.with_name(database.name + suffix)
            if companion.exists():
                shutil.copy2(companion, _kept_name(database) + suffix)
    kept = Path(_kept_name(database))
    os.link(database, kept)
    for suffix in _COMPANIONS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    return kept


def _kept_name(database: Path) -> str:
    written = datetime.fromtimestamp(database.stat().st_mtime, UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{database}.replaced-{written}"
    number = 0
    while Path(name if not number else f"{name}-{number}").exists():
        number += 1
    return name if not number else f"{name}-{number}"


def _replace(copy: Path, place: Path) -> None:
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_database(file: Path) -> bool:
    if not file.is_file():
        return False
    with _translated(), file.open("rb") as opened:
        return opened.read(len(_MAGIC)) == _MAGIC


def _require_library(database: Path) -> None:
    if not database.is_file():
        raise LibraryUnavailable(f"there is no library at {database}")


def _require_restorable(source: Path) -> None:
    problems = _damage(source)
    if problems:
        raise LibraryUnavailable(f"{source} is damaged, or no library: {problems[0]}")
    with closing(sqlite3.connect(source)) as connection:
        try:
            revisions = {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
        except sqlite3.OperationalError as exc:
            raise LibraryUnavailable(f"{source} is no library") from exc
    if not revisions or not revisions <= known_revisions():
        raise LibraryUnavailable(f"{source} was made by a newer version of this program, or is no library")


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A file to write into, in the folder of ``place``; gone afterwards unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{place.name}-", dir=place.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        for suffix in ("", *_COMPANIONS, "-journal"):
            Path(name + suffix).unlink(missing_ok=True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as exc:
        raise LibraryUnavailable(f"{type(exc).__name__}: {exc}") from exc
