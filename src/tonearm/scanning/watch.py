"""Noticing changes below the roots: at once where the kernel tells, by looking where it does not.

What is told is a hint, and a scan of the folder finds out what is true. All roots are scanned every
now and then besides, since hints get lost: that is the truth. Folders on other machines are looked at
more often, for of them nothing is told.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from watchfiles import Change, watch

from tonearm.model.errors import OutsideLibrary, ScanInProgress
from tonearm.scanning.mounts import MOUNTS, is_remote
from tonearm.scanning.walk import has_audio, identity_of, is_audio, is_below, is_hidden_below

_PATIENCE_S: Final = 20.0
"""A folder that never comes to rest is scanned every so often."""

_LOOK_S: Final = 2.0
"""How often is looked whether a disk lies at a root that did not before, or another one."""

_STEP_MS: Final = 100
_TICK_MS: Final = 250
"""How often is looked whether something is due, or the watch is to end."""

log = structlog.get_logger()

Changes = set[tuple[Change, str]]


class StartsScans(Protocol):
    """Begins scans."""

    def start(self, directories: Sequence[Path], /) -> None:
        """Raises ScanInProgress, OutsideLibrary."""
        ...


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds.

    Attributes:
        all_s: between two scans of everything.
        remote_s: between two scans of what lies on other machines.
        settled_s: so long nothing may change before a folder is scanned: a file is seldom written at one go.
    """

    all_s: float
    remote_s: float
    settled_s: float


class LibraryWatch:
    """Watches the roots in a thread of its own.

    Args:
        roots: folders of the library, links resolved.
        scans: what is told to scan.
        intervals: how often the roots are scanned besides.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        scans: StartsScans,
        intervals: Intervals,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roots, self._scans, self._intervals, self._clock = tuple(roots), scans, intervals, clock
        self._stop = threading.Event()
        self._pending: set[Path] = set()
        self._first_change: float | None = None
        self._last_change = 0.0
        self._begun = 0.0
        self._placed: dict[Path, tuple[int, int] | None] = {}
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to watch; a disk that comes after this call is noticed."""
        self._placed = _identities(self._roots)
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait for that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        self._begun = self._clock()
        while not self._stop.is_set():
            present = [root for root in self._roots if _is_folder(root)]
            mounts = MOUNTS.read_bytes() if MOUNTS.exists() else b""
            remote = [root for root in present if is_remote(root, mounts)]
            self._until_anew([root for root in present if root not in remote], remote)

    def _until_anew(self, local: Sequence[Path], remote: Sequence[Path]) -> None:
        """Watch until the next scan of everything, or until a disk comes or goes: then begin anew."""
        # One that lies elsewhere is not asked: if its server is gone, the answer never comes.
        near = [root for root in self._roots if root not in remote]
        polled = looked = self._clock()
        for changes in self._changes(local):
            now = self._clock()
            self._note(changes, now)
            due = now - self._begun >= self._intervals.all_s
            come: set[Path] = set()
            if now - looked >= _LOOK_S:
                looked, placed = now, _identities(near)
                come = {root for root in near if placed[root] != self._placed[root]}
                self._placed |= placed
            if due:
                self._begun = now
                self._pending |= set(self._roots)
            elif remote and now - polled >= self._intervals.remote_s:
                polled = now
                self._pending |= set(remote)
            self._pending |= come
            if not self._stirs(now):
                self._scan_pending()
            if due or come:
                return

    def _note(self, changes: Changes, now: float) -> None:
        if not changes:
            return
        if self._first_change is None:
            self._first_change = now
        self._last_change = now
        self._pending |= folders_of(changes, self._roots)

    def _stirs(self, now: float) -> bool:
        """Whether what has changed may still be changing; in the end it is scanned all the same."""
        if self._first_change is None:
            return False
        late = now - self._first_change >= _PATIENCE_S
        return not late and now - self._last_change < self._intervals.settled_s

    def _scan_pending(self) -> None:
        """Scan what has changed; while another scan runs it waits for the next tick."""
        if not self._pending:
            # Of a change that is none of the library's nothing is left to wait for.
            self._first_change = None
            return
        try:
            self._scans.start(without_parts(self._pending))
        except ScanInProgress:
            return
        except OutsideLibrary as error:
            # A folder was replaced by a link to elsewhere; the scan of everything will see to the rest.
            log.warning("Changed folder not scanned", cause=str(error))
        self._pending.clear()
        self._first_change = None

    def _changes(self, roots: Sequence[Path]) -> Iterator[Changes]:
        """What has changed, or nothing every half second, until the watch is stopped."""
        try:
            if roots:
                yield from watch(
                    *roots,
                    watch_filter=lambda change, name: is_of_music(change, name, self._roots),
                    debounce=_TICK_MS,
                    step=_STEP_MS,
                    stop_event=self._stop,
                    rust_timeout=_TICK_MS,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    force_polling=False,
                    ignore_permission_denied=True,
                )
        except (OSError, RuntimeError) as error:
            # On Linux mostly the limit fs.inotify.max_user_watches, one for each folder.
            log.warning(
                "Changes are found by scans alone",
                every_s=self._intervals.all_s,
                cause=str(error),
                mend="raise fs.inotify.max_user_watches",
            )
        while not self._stop.wait(_TICK_MS / 1000):
            yield set()


def is_of_music(change: Change, name: str, roots: Iterable[Path]) -> bool:
    """Whether a change may be one of the library: of what has gone no one can tell any more whether it
    was a folder."""
    path = os.fsencode(name)
    above = [root for root in map(os.fsencode, roots) if is_below(path, root)]
    if all(is_hidden_below(path, root) for root in above):
        return False
    return change is Change.deleted or is_audio(path) or _is_folder(path)


def folders_of(changes: Iterable[tuple[Change, str]], roots: Iterable[Path]) -> set[Path]:
    """The folders to scan to find out what these changes were.

    Of what has gone that is the nearest folder above with music in it, since a folder without any
    says nothing: a disk that is not mounted looks the same.
    """
    folders = set()
    for change, name in changes:
        for root in roots:
            if is_below(os.fsencode(name), os.fsencode(root)):
                folders.add(_anchor(Path(name), root, gone=change is Change.deleted))
    return folders


def without_parts(folders: Iterable[Path]) -> list[Path]:
    """The same without those that lie below others."""
    kept: list[Path] = []
    for folder in sorted(folders):
        if not any(is_below(os.fsencode(folder), os.fsencode(above)) for above in kept):
            kept.append(folder)
    return kept


def _anchor(path: Path, root: Path, *, gone: bool) -> Path:
    folder = path if _is_folder(path) else path.parent
    while folder not in (root, folder.parent) and not (has_audio(folder) if gone else _is_folder(folder)):
        folder = folder.parent
    return folder


def _identities(roots: Iterable[Path]) -> dict[Path, tuple[int, int] | None]:
    return {root: identity_of(os.fsencode(root)) for root in roots}


def _is_folder(path: Path | bytes) -> bool:
    """No, too, where nobody can tell: ``Path.is_dir`` raises on a network folder whose server is gone."""
    return os.path.isdir(path)  # noqa: PTH112
