"""Sessions on the database: any number that read, one at a time that writes.

Whatever the database complains about leaves this module as ``LibraryUnavailable``.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from tonearm.library.lock import FileLock
from tonearm.library.migrations.upgrade import upgrade
from tonearm.model.errors import LibraryUnavailable

WRITER_WAIT_S: Final = 30.0


class DatabaseSessions:
    """Hands out sessions: any number that read, one at a time that writes.

    Args:
        readers: where those connect that read.
        writers: where the one connects that writes; of the same pool.
        file: the SQLite file, or None for a database behind a server.
    """

    def __init__(self, readers: Engine, writers: Engine, file: Path | None) -> None:
        self._engine = readers
        self._file = file
        self._inode: int | None = None
        self._lock: FileLock | None = None
        self._writer = threading.Lock()
        self._refused = False
        self._readers = sessionmaker(readers)
        self._writers = sessionmaker(writers)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database.

        Raises:
            LibraryUnavailable: whatever the database has to complain about.
        """
        with _translated():
            self._require_file()
            with self._readers() as session:
                yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed at the end, or leaves nothing behind if an error is raised.

        Raises:
            LibraryUnavailable: whatever the database has to complain about.
        """
        if not self._writer.acquire(timeout=WRITER_WAIT_S):
            raise LibraryUnavailable(f"another thread has been writing for {WRITER_WAIT_S:g} s")
        try:
            with _translated():
                self._require_file()
                with self._writers() as session, session.begin():
                    yield session
            self._refused = False
        except LibraryUnavailable:
            self._refused = True
            raise
        finally:
            self._writer.release()

    def check_writing(self) -> None:
        """Return if what was last written was stored; where it was not, try again by a write that changes
        nothing.

        Raises:
            LibraryUnavailable: the database cannot be written.
        """
        if self._refused:
            with self.writing() as session:
                session.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def bring_up_to_date(self) -> None:
        """Run the migrations that are missing.

        Raises:
            LibraryUnavailable: the database is newer than this program, is being replaced, or cannot be used.
        """
        if self._file is not None:
            self._lock = FileLock(self._file, exclusive=False)
        with _translated(), self._writers() as session, session.begin():
            upgrade(session.connection())
        if self._file is not None:
            self._inode = self._file.stat().st_ino

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _require_file(self) -> None:
        # SQLite goes on writing into a deleted file, and makes an empty one on the next
        # connection; both would lose what is written without a word.
        if self._file is None:
            return
        try:
            inode = self._file.stat().st_ino
        except OSError as exc:
            raise LibraryUnavailable(f"the database file cannot be found: {exc}") from exc
        if inode != self._inode:
            raise LibraryUnavailable(f"{self._file} is not the file that was opened")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as exc:
        raise LibraryUnavailable(f"{type(exc).__name__}: {exc}") from exc
