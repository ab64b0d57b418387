"""A folder that is watched: what changes is scanned, by real notices of a real file system."""

import queue
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from watchfiles import Change

from tonearm.model.errors import ScanInProgress
from tonearm.scanning.watch import Intervals, LibraryWatch, folders_of, is_of_music, without_parts

NEVER = Intervals(all_s=1e9, remote_s=1e9, settled_s=0.1)
WITHIN_S = 60.0
"""Nothing here takes more than 1 s; a machine that is busy may take long."""


class Scans:
    """Takes orders, and refuses as many as the test says."""

    def __init__(self) -> None:
        self.orders: queue.Queue[list[Path]] = queue.Queue()
        self.refusals = 0

    def start(self, directories: Sequence[Path]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ScanInProgress("one is running")
        self.orders.put(list(directories))


@pytest.fixture
def scans() -> Scans:
    return Scans()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    music = tmp_path / ".hidden above" / "music"
    (music / "album").mkdir(parents=True)
    (music / "album" / "1.flac").write_bytes(b"one")
    (music / "2.flac").write_bytes(b"two")
    return music


@pytest.fixture
def watching(root: Path, scans: Scans) -> Iterator[LibraryWatch]:
    """A watch that has proved to be at work."""
    watch = LibraryWatch([root], scans, NEVER)
    watch.start()
    number = 0
    while scans.orders.empty():
        # Until the kernel has been asked, it tells nothing.
        (root / f"early {number}.flac").write_bytes(b"early")
        number += 1
        try:
            scans.orders.put(scans.orders.get(timeout=1.0))
        except queue.Empty:
            assert number < WITHIN_S
    while not scans.orders.empty():
        scans.orders.get()
    yield watch
    watch.stop()


def is_scanned(scans: Scans, folder: Path) -> bool:
    """Whether an order comes that takes the folder in; ones of what was done earlier may come before."""
    while True:
        order = scans.orders.get(timeout=WITHIN_S)
        if any(folder.is_relative_to(ordered) for ordered in order):
            return True


def test_a_new_file_and_a_new_folder(root: Path, scans: Scans, watching: LibraryWatch) -> None:
    (root / "album" / "2.flac").write_bytes(b"new")
    assert is_scanned(scans, root / "album")
    (root / "another" / "disc 1").mkdir(parents=True)
    (root / "another" / "disc 1" / "1.mp3").write_bytes(b"new")
    assert is_scanned(scans, root / "another" / "disc 1")


def test_what_has_gone_is_looked_for_where_music_still_is(
    root: Path, scans: Scans, watching: LibraryWatch
) -> None:
    shutil.rmtree(root / "album")
    assert is_scanned(scans, root)


def test_a_scan_that_runs_is_waited_for(root: Path, scans: Scans, watching: LibraryWatch) -> None:
    scans.refusals = 2
    (root / "album" / "2.flac").write_bytes(b"new")
    assert is_scanned(scans, root / "album")
    assert scans.refusals == 0


def test_everything_is_scanned_now_and_then_also_where_nothing_can_be_watched(
    root: Path, scans: Scans, tmp_path: Path
) -> None:
    absent = tmp_path / "not mounted"
    watch = LibraryWatch([absent, root], scans, Intervals(all_s=0.1, remote_s=1e9, settled_s=0.1))
    watch.start()
    orders = [scans.orders.get(timeout=WITHIN_S) for _ in range(2)]
    watch.stop()
    assert orders == [sorted([absent, root])] * 2


def test_a_disk_that_comes_is_scanned_and_watched(tmp_path: Path, scans: Scans) -> None:
    root = tmp_path / "disk"
    watch = LibraryWatch([root], scans, NEVER)
    watch.start()
    try:
        assert scans.orders.empty()
        root.mkdir()
        assert is_scanned(scans, root)
        # Another one in its place.
        root.rename(tmp_path / "away")
        (tmp_path / "other").mkdir()
        (tmp_path / "other").rename(root)
        assert is_scanned(scans, root)
        number = 0
        while scans.orders.empty():
            (root / f"{number}.flac").write_bytes(b"new")
            number += 1
            try:
                scans.orders.put(scans.orders.get(timeout=1.0))
            except queue.Empty:
                assert number < WITHIN_S
    finally:
        watch.stop()


def test_a_root_that_cannot_even_be_asked_for_ends_no_watch(root: Path, scans: Scans) -> None:
    """As a network folder whose server is gone; a name that is too long is refused in the same way."""
    watch = LibraryWatch([root / ("x" * 300), root], scans, Intervals(all_s=0.1, remote_s=1e9, settled_s=0.1))
    watch.start()
    try:
        assert is_scanned(scans, root)
    finally:
        watch.stop()


def test_what_is_not_music_is_left_out(root: Path) -> None:
    def matters(change: Change, *parts: str) -> bool:
        return is_of_music(change, str(root.joinpath(*parts)), [root])

    assert matters(Change.modified, "album", "new.FLAC")
    assert matters(Change.added, "album")
    assert matters(Change.deleted, "album that was")
    assert not matters(Change.added, "album", "notes.txt")
    assert not matters(Change.added, "album", ".1.flac.part")
    assert not matters(Change.deleted, "@eaDir", "1.flac")
    assert not is_of_music(Change.added, "/elsewhere/1.flac", [root])


def test_a_watch_that_was_never_begun_can_be_stopped(root: Path, scans: Scans) -> None:
    LibraryWatch([root], scans, NEVER).stop()


def test_the_folders_behind_changes(root: Path) -> None:
    gone = str(root / "album" / "gone" / "9.flac")
    assert folders_of([(Change.deleted, gone)], [root]) == {root / "album"}
    assert folders_of([(Change.added, gone)], [root]) == {root / "album"}
    assert folders_of([(Change.added, str(root / "album"))], [root]) == {root / "album"}
    assert folders_of([(Change.deleted, str(root))], [root]) == {root}
    assert folders_of([(Change.added, "/elsewhere/1.flac")], [root]) == set()
    assert folders_of([(Change.added, str(root / "album" / ("x" * 300)))], [root]) == {root / "album"}
    (root / "album" / "1.flac").unlink()
    assert folders_of([(Change.deleted, str(root / "album" / "1.flac"))], [root]) == {root}


def test_a_folder_is_scanned_with_the_one_above() -> None:
    folders = [Path("/m/a/b"), Path("/m/ab"), Path("/m/a"), Path("/m/a b")]
    assert without_parts(folders) == [Path("/m/a"), Path("/m/a b"), Path("/m/ab")]
