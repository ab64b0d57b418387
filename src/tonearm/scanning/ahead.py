"""Files that are read in threads while what was read before is stored."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from tonearm.model.errors import DecodeError, TonearmError
from tonearm.model.track import ScannedFile
from tonearm.scanning.cleaning import spelled_out

TOGETHER: Final = 20
"""So many files are handed to a thread at once: each by itself, that costs a tenth of reading it."""

Outcome: TypeAlias = ScannedFile | TonearmError

_log = structlog.get_logger()


class ReadAhead:
    """Paths go in, and what came of reading them comes out in the same order.

    Args:
        read: reads one file; raises a ``TonearmError`` where it cannot.
        pool: where that is done.
        most: so many files may be on their way.
    """

    def __init__(self, read: Callable[[Path], ScannedFile], pool: Executor, most: int) -> None:
        self._read = read
        self._pool = pool
        self._most = most // TOGETHER
        self._next: list[bytes] = []
        self._away: deque[tuple[Sequence[bytes], Future[list[Outcome]]]] = deque()

    def add(self, path: bytes) -> Iterator[tuple[bytes, Outcome]]:
        """Have one more file read. Where many are on their way the first half is waited for."""
        self._next.append(path)
        if len(self._next) == TOGETHER:
            self._hand_over()
            if len(self._away) >= self._most:
                yield from self._until(self._most // 2)

    def rest(self) -> Iterator[tuple[bytes, Outcome]]:
        """What has not come out yet."""
        self._hand_over()
        yield from self._until(0)

    def _hand_over(self) -> None:
        if self._next:
            self._away.append((self._next, self._submit(self._next)))
            self._next = []

    def _submit(self, paths: Sequence[bytes]) -> Future[list[Outcome]]:
        return self._pool.submit(lambda: [self._outcome(path) for path in paths])

    def _outcome(self, path: bytes) -> Outcome:
        try:
            return self._read(Path(os.fsdecode(path)))
        except TonearmError as error:
            return error

    def _until(self, left: int) -> Iterator[tuple[bytes, Outcome]]:
        while len(self._away) > left:
            paths, future = self._away.popleft()
            yield from zip(paths, self._outcomes(paths, future), strict=True)

    def _outcomes(self, paths: Sequence[bytes], future: Future[list[Outcome]]) -> Iterator[Outcome]:
        """What came of reading each; a defect costs its file, not the others."""
        crash = future.exception()
        if crash is None:
            yield from future.result()
        elif len(paths) > 1:
            for path in paths:
                yield from self._outcomes([path], self._submit([path]))
        else:
            name = os.fsdecode(paths[0])
            _log.error("Reading a file crashed", path=spelled_out(name), exc_info=crash)
            yield DecodeError(f"{name}: {crash}")
