"""Bringing the library in line with the files below its roots.

The files on the disk and the rows of the library come in the same order, so one pass over both,
side by side, tells what is new, changed, unchanged and gone, in memory that does not grow with the
library. Only new and changed files are opened.
"""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from tonearm.library.values import KnownFile, StoreCount
from tonearm.model.errors import ScanInProgress
from tonearm.model.track import ScannedFile
from tonearm.scanning.ahead import Outcome, ReadAhead
from tonearm.scanning.cleaning import clean, spelled_out
from tonearm.scanning.pairing import side_by_side
from tonearm.scanning.report import MAX_FAILURES, ScanFailure, ScanPhase, ScanProgress, ScanReport
from tonearm.scanning.walk import (
    FoundFile,
    Walk,
    count_audio,
    folders_to_scan,
    identity_of,
    is_below,
    is_gone,
    is_hidden_below,
)

BATCH_FILES: Final = 200
BATCH_S: Final = 2.0
"""What was read is stored after so many files or so much time, in one transaction."""

FORGET_AFTER: Final = timedelta(days=90)
"""A disk may lie in a drawer for a summer."""

_READ_AHEAD: Final = 2 * BATCH_FILES
_UNCHANGED_PER_PROGRESS: Final = 1_000

_log = structlog.get_logger()


class TrackStore(Protocol):
    """Where tracks are kept, as a scan sees it."""

    def known(self, root: Path) -> Iterator[KnownFile]: ...

    def store(self, files: Sequence[ScannedFile], is_gone: Callable[[Path], bool], /) -> StoreCount: ...

    def mark_missing(self, paths: Iterable[Path]) -> int: ...

    def mark_present(self, paths: Iterable[Path]) -> int: ...

    def forget_missing(self, before: datetime, /) -> int: ...


class Scanner:
    """Scans the library's roots, one scan at a time.

    Args:
        roots: folders of the library.
        tracks: where the tracks are kept.
        read: reads one file; raises a ``TonearmError`` where it cannot.
        readers: how many threads read files.
        forget_after: how long a file has to be missing, by a scan of everything that saw all of it,
            before its row is taken away.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        tracks: TrackStore,
        read: Callable[[Path], ScannedFile],
        readers: int = 2,
        forget_after: timedelta = FORGET_AFTER,
    ) -> None:
        self._roots = tuple(roots)
        self._tracks = tracks
        self._read = read
        self._readers = readers
        self._forget_after = forget_after
        self._running = threading.Lock()

    def scan(self, directories: Iterable[Path] = ()) -> Generator[ScanProgress, None, ScanReport]:
        """Scan the directories, or all roots where none are named.

        The folders are checked at once; the work is done as the progress is asked for. The last item
        carries the report, which is also the value that the generator returns. Closing the generator
        ends the scan; what was read by then is stored, and the next scan goes on from there.

        Raises:
            OutsideLibrary: a directory does not lie below a root.
            ScanInProgress: from the first item, while another scan runs.
            LibraryUnavailable: from any item, where the library cannot be read or written.
        """
        folders = folders_to_scan(self._roots, directories)
        return self._scan(folders)

    def _scan(self, folders: Sequence[Path]) -> Generator[ScanProgress, None, ScanReport]:
        if not self._running.acquire(blocking=False):
            raise ScanInProgress("another scan has not finished yet")
        pool = ThreadPoolExecutor(self._readers, thread_name_prefix="scan")
        try:
            roots = folders_to_scan(self._roots, ())
            walk, whole = Walk(roots, folders), set(roots) <= set(folders)
            forgotten = datetime.now(UTC) - self._forget_after if whole else None
            ahead = ReadAhead(self._read, pool, _READ_AHEAD)
            run = _Run(walk, forgotten, roots, self._tracks, ahead)
            try:
                return (yield from run.run())
            except GeneratorExit:
                run.store()
                raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._running.release()


class _Run:
    """The state of one scan; ``forget_before`` is None where only a part of the library is scanned."""

    def __init__(
        self,
        walk: Walk,
        forget_before: datetime | None,
        roots: Sequence[Path],
        tracks: TrackStore,
        ahead: ReadAhead,
    ) -> None:
        self._walk = walk
        self._forget_before = forget_before
        self._roots = roots
        self._tracks = tracks
        self._ahead = ahead
        self._started = self._stored_at = time.monotonic()
        self._read: list[ScannedFile] = []
        self._back: list[Path] = []
        self._gone: set[bytes] = set()
        self._failures: list[ScanFailure] = []
        self._total = self._processed = self._skipped = self._failed = self._failed_folders = 0
        self._added = self._updated = self._moved = 0

    def run(self) -> Generator[ScanProgress, None, ScanReport]:
        for start in self._walk.starts():
            yield self._progress(ScanPhase.COUNTING)
            self._total += count_audio(start)
            yield from self._section(start)
        yield from self._collect(self._ahead.rest())
        self.store()
        for folder, reason in self._walk.unreadable:
            self._fail_folder(folder, "FOLDER_UNREADABLE", "This folder cannot be read.", reason)
        report = self._report(self._tracks.mark_missing(map(_path, sorted(self._gone))))
        if self._forget_before is not None and not self._failed_folders:
            self._tracks.forget_missing(self._forget_before)
        _log.info(
            "scan finished",
            **{
                name: getattr(report, name)
                for name in ("added", "updated", "moved", "skipped", "failed", "missing")
            },
            duration_s=round(report.duration_s, 2),
        )
        yield self._progress(ScanPhase.DONE, report=report)
        return report

    def _section(self, start: bytes) -> Iterator[ScanProgress]:
        """Everything at and below one start of the walk."""
        gone: list[bytes] = []
        any_found = False
        before = identity_of(start)
        known = self._tracks.known(_path(start))
        for found, row in side_by_side(self._walk.below(start), known):
            if found is not None:
                any_found = True
                yield from self._take(found, row)
            elif row is not None and not row.missing and self._judges(row.path, start):
                gone.append(row.path)
        unseen = [folder for folder, _ in self._walk.unreadable]
        gone = [path for path in gone if not any(is_below(path, folder) for folder in unseen)]
        if before is not None and identity_of(start) != before:
            # Files that went with their disk look deleted, each by itself.
            self._fail_folder(
                start, "FOLDER_GONE", "This folder went away during the scan; nothing was concluded."
            )
        elif any_found:
            self._gone.update(gone)
        elif gone:
            # A disk that is not mounted looks like this, so nothing is concluded from it.
            self._fail_folder(
                start, "FOLDER_EMPTY", "This folder had music and has none now; nothing was changed."
            )

    def _judges(self, path: bytes, start: bytes) -> bool:
        # Hidden folders are entered through links only, and those may lie outside of this scan.
        return self._forget_before is not None or not is_hidden_below(path, start)

    def _take(self, found: FoundFile, row: KnownFile | None) -> Iterator[ScanProgress]:
        self._gone.discard(found.path)
        if row is None or (row.size, row.mtime_ns) != (found.size, found.mtime_ns):
            yield from self._collect(self._ahead.add(found.path))
            return
        self._processed += 1
        self._skipped += 1
        if row.missing:
            self._back.append(_path(found.path))
        if self._skipped % _UNCHANGED_PER_PROGRESS == 0:
            yield self._progress(ScanPhase.READING, found.path)
            self._store_if_due()

    def _collect(self, read: Iterable[tuple[bytes, Outcome]]) -> Iterator[ScanProgress]:
        """Take in what has been read."""
        for path, outcome in read:
            if isinstance(outcome, ScannedFile):
                self._read.append(outcome)
            else:
                self._fail(path, outcome.code, outcome.sentence, outcome)
            self._processed += 1
            self._store_if_due()
            yield self._progress(ScanPhase.READING, path)

    def _store_if_due(self) -> None:
        late = time.monotonic() - self._stored_at > BATCH_S
        if late or max(len(self._read), len(self._back)) >= BATCH_FILES:
            self.store()

    def store(self) -> None:
        """Write what has been read since the last time."""
        if self._read:
            count = self._tracks.store(self._read, lambda path: is_gone(path, self._roots))
            self._moved += count.moved
            self._added += count.added
            self._updated += count.updated
        if self._back:
            self._tracks.mark_present(self._back)
        self._read, self._back = [], []
        self._stored_at = time.monotonic()

    def _fail_folder(
        self, path: bytes, code: str, sentence: str, reason: BaseException | None = None
    ) -> None:
        self._failed_folders += 1
        self._fail(path, code, sentence, reason)

    def _fail(self, path: bytes, code: str, sentence: str, reason: BaseException | None = None) -> None:
        self._failed += 1
        if len(self._failures) < MAX_FAILURES:
            self._failures.append(ScanFailure(_name(path), code, sentence))
        spelled, cause = spelled_out(os.fsdecode(path)), spelled_out(str(reason or sentence))
        _log.warning("not scanned", path=spelled, code=code, reason=cause)

    def _progress(
        self, phase: ScanPhase, path: bytes = b"", report: ScanReport | None = None
    ) -> ScanProgress:
        # A folder that grows while it is scanned holds more than was counted.
        total = max(self._total, self._processed)
        return ScanProgress(self._processed, total, _name(path), phase, report)

    def _report(self, missing: int) -> ScanReport:
        return ScanReport(
            files_processed=self._processed,
            added=self._added,
            updated=self._updated,
            moved=self._moved,
            skipped=self._skipped,
            failed=self._failed,
            missing=missing,
            failures=tuple(self._failures),
            duration_s=time.monotonic() - self._started,
        )


def _path(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def _name(path: bytes) -> str:
    return clean(os.fsdecode(path).rpartition("/")[2]) or ""
