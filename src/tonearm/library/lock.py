"""Who uses an SQLite library: any number of programs that read and write it, or one that replaces its file.

A lock on a file of its own, because a lock on the database would be lost whenever SQLite closes it. The
system gives the lock back when a program ends, however it ends.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from tonearm.model.errors import LibraryUnavailable


class FileLock:
    """Holds a lock until it is released.

    Args:
        database: the SQLite file; the lock is ``<name>.lock`` beside it.
        exclusive: nobody else may use the library.

    Raises:
        LibraryUnavailable: others use the library, or it is being replaced; or the lock cannot be made.
    """

    def __init__(self, database: Path, *, exclusive: bool) -> None:
        place = database.with_name(database.name + ".lock")
        try:
            self._file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as exc:
            raise LibraryUnavailable(f"cannot lock the library: {exc}") from exc
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(self._file)
            why = "a server or a scan uses it" if exclusive else "it is being replaced by a backup"
            raise LibraryUnavailable(f"the library at {database} is in use: {why}") from exc

    def release(self) -> None:
        """Give the lock back; once."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
