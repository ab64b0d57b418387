"""Finding audio files below the library's roots.

Paths are bytes here, as the file system has them, and files come in the order of these bytes: the
order in which the library reads its rows, so the two can be laid side by side.

A link is followed only where its target, all links resolved, lies below a root; the files are then
reported under the target's own path. So a file has one path however many links lead to it, and a
link that leads back into its own folder finds only what has been walked already.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from tonearm.model.errors import OutsideLibrary

AUDIO_SUFFIXES: Final = frozenset(
    (
        b"aac aif aifc aiff ape au caf dsf flac m4a m4b mka mp2 mp3 mp4 mpc oga ogg opus tta w64 wav wma wv"
    ).split()
)

_NOT_MUSIC: Final = frozenset({b"@eaDir", b"#recycle", b"#snapshot", b"$RECYCLE.BIN", b"lost+found"})
"""Folders that storage devices keep for themselves; what lies in them is a copy or was thrown away."""


_Entry: TypeAlias = "os.DirEntry[bytes]"


class FoundFile(NamedTuple):
    """An audio file, by its name: it has not been opened."""

    path: bytes
    size: int
    mtime_ns: int


class Unreadable(NamedTuple):
    """A folder that could not be listed."""

    path: bytes
    reason: OSError


class Walk:
    """One walk over folders below the roots.

    Args:
        roots: the library's roots, links resolved.
        folders: where to look, links resolved, each a root or below one.
    """

    def __init__(self, roots: Iterable[Path], folders: Iterable[Path]) -> None:
        self.unreadable: list[Unreadable] = []
        self._roots = [os.fsencode(root) for root in roots]
        self._ahead = sorted({os.fsencode(folder) for folder in folders})
        self._walked: set[bytes] = set()

    def starts(self) -> Iterator[bytes]:
        """Where to walk: the folders, then what the links found on the way lead to.

        Each has to be walked before the next is asked for.
        """
        while self._ahead:
            start = self._ahead.pop(0)
            if not self._has_walked(start):
                yield start
                self._walked.add(start)

    def below(self, start: bytes) -> Iterator[FoundFile]:
        """The audio files at or below ``start``, in order. What vanishes meanwhile is left out."""
        if os.path.isfile(start):  # noqa: PTH113
            status = os.stat(start)  # noqa: PTH116
            yield FoundFile(start, status.st_size, status.st_mtime_ns)
            return
        # A stack of its own, because folders may lie deeper than calls can.
        stack = [self._listing(start)]
        while stack:
            entry = next(stack[-1], None)
            if entry is None:
                stack.pop()
            elif entry.is_dir(follow_symlinks=False):
                if entry.path not in self._walked:
                    stack.append(self._listing(entry.path))
            elif (found := self._look_at(entry)) is not None:
                yield found

    def _has_walked(self, path: bytes) -> bool:
        while path not in self._walked:
            parent = os.path.dirname(path)  # noqa: PTH120
            if parent == path or _is_hidden(os.path.basename(path)):  # noqa: PTH119
                return False
            path = parent
        return True

    def _listing(self, folder: bytes) -> Iterator[_Entry]:
        """The entries of a folder that matter, in the order of the paths at and below them."""
        try:
            with os.scandir(folder) as entries:
                wanted = [entry for entry in entries if self._matters(entry)]
            wanted.sort(key=_path_order)
        except OSError as exc:
            self.unreadable.append(Unreadable(folder, exc))
            return iter(())
        return iter(wanted)

    def _matters(self, entry: _Entry) -> bool:
        if _is_hidden(entry.name):
            return False
        if entry.is_symlink():
            self._note_link(entry.path)
            return False
        return is_audio(entry.name) or entry.is_dir(follow_symlinks=False)

    def _note_link(self, link: bytes) -> None:
        try:
            target = os.path.realpath(link, strict=True)
        except OSError:
            return  # it leads nowhere, or round in a circle
        wanted = os.path.isdir(target) or (is_audio(target) and os.path.isfile(target))  # noqa: PTH112, PTH113
        if wanted and any(is_below(target, root) for root in self._roots):
            self._ahead.append(target)

    def _look_at(self, entry: _Entry) -> FoundFile | None:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as exc:
            self.unreadable.append(Unreadable(entry.path, exc))
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return FoundFile(entry.path, status.st_size, status.st_mtime_ns)


def count_audio(start: bytes) -> int:
    """How many audio files ``Walk.below`` finds, links apart; what cannot be listed holds none."""
    return sum(1 for _ in _audio_below(start))


def has_audio(folder: Path) -> bool:
    """Whether there is any audio file at or below ``folder``, links apart."""
    return next(_audio_below(os.fsencode(folder)), None) is not None


def _audio_below(start: bytes) -> Iterator[bytes]:
    """The audio files, in no order."""
    if os.path.isfile(start):  # noqa: PTH113
        yield start
        return
    folders = [start]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if _is_hidden(entry.name) or entry.is_symlink():
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif is_audio(entry.name):
                        yield entry.path
        except OSError:
            continue


def identity_of(path: bytes) -> tuple[int, int] | None:
    """Which folder lies there, on which disk; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_gone(path: Path, roots: Iterable[Path]) -> bool:
    """Whether there is no file any more, and not for want of the disk it lay on: its root holds something.

    Args:
        path: where the file was.
        roots: the library's roots, links resolved. Of what lies below none of them nothing is known.
    """
    if os.path.lexists(path):
        return False
    for root in roots:
        if is_below(os.fsencode(path), os.fsencode(root)):
            try:
                with os.scandir(root) as entries:
                    return next(entries, None) is not None
            except OSError:
                return False
    return False


def audio_files(folder: Path) -> Iterator[Path]:
    """The audio files below one folder, sorted; links are followed where they stay inside it."""
    root = _resolved(folder)
    walk = Walk([root], [root])
    for start in walk.starts():
        yield from (Path(os.fsdecode(found.path)) for found in walk.below(start))


def folders_to_scan(roots: Iterable[Path], directories: Iterable[Path]) -> tuple[Path, ...]:
    """The directories with all links resolved; all roots where none are named.

    Raises:
        OutsideLibrary: one of them does not lie below a root.
    """
    resolved_roots = [_resolved(root) for root in roots]
    resolved = [_resolved(directory) for directory in directories]
    for folder in resolved:
        if not any(is_below(os.fsencode(folder), os.fsencode(root)) for root in resolved_roots):
            raise OutsideLibrary(f"{folder!r} lies below none of the library's roots")
    return tuple(resolved or resolved_roots)


def is_below(path: bytes, folder: bytes) -> bool:
    """Whether ``path`` is ``folder`` or lies in it; ``music_private`` does not lie in ``music``."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def is_hidden_below(path: bytes, folder: bytes) -> bool:
    """Whether a walk from ``folder`` comes to ``path`` through links only."""
    return any(map(_is_hidden, path.removeprefix(folder).split(b"/")))


def is_audio(name: bytes) -> bool:
    """Whether a file's name has the suffix of an audio format."""
    return name.rpartition(b".")[2].lower() in AUDIO_SUFFIXES


def _resolved(path: Path) -> Path:
    try:
        resolved = os.path.realpath(path)
        os.fsencode(resolved)
    except ValueError as exc:
        raise OutsideLibrary(f"{path!r} cannot be a path: {exc}") from exc
    return Path(resolved)


def _is_hidden(name: bytes) -> bool:
    return name.startswith(b".") or name in _NOT_MUSIC


def _path_order(entry: _Entry) -> bytes:
    # The files below "a" have paths that begin with "a/", and "a-b" comes before that.
    return entry.name + b"/" if entry.is_dir(follow_symlinks=False) else entry.name
