"""A scan brings a real library in line with a real folder; only the reading of audio is a fake."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from scanned import scanned
from structlog.testing import capture_logs

from tonearm.audio.signature import file_signature
from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.model.errors import (
    DecodeError,
    FileMissing,
    LibraryUnavailable,
    OutsideLibrary,
    ScanInProgress,
    TrackNotFound,
)
from tonearm.model.track import ScannedFile
from tonearm.scanning.ahead import TOGETHER
from tonearm.scanning.reading import read_file
from tonearm.scanning.report import MAX_FAILURES, ScanFailure, ScanPhase, ScanReport
from tonearm.scanning.scanner import Scanner

ALL = 10_000
DATA = Path(__file__).parents[1] / "data" / "tags"


class Reader:
    """Reads the signature alone, and remembers what it opened; a file of ``bad`` bytes is no audio."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, path: Path) -> ScannedFile:
        self.opened.append(path.name)
        if not path.exists():
            raise FileMissing(f"{path}: gone")
        if path.read_bytes() == b"bad":
            raise DecodeError(f"{path}: not audio")
        signature = file_signature(path)
        return scanned(path, content=signature.content, mtime_ns=signature.mtime_ns, size=signature.size)

    def forget(self) -> None:
        self.opened.clear()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path}/library.db")
    yield opened
    opened.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def scan(library, root, reader) -> Callable[..., ScanReport]:
    def run(*directories: Path) -> ScanReport:
        reader.forget()
        *_, last = Scanner([root], library.tracks, reader).scan(directories)
        assert last.report is not None
        return last.report

    return run


def make(root: Path, *names: str, content: bytes = b"music") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def found(library: RepositoryFactory) -> set[str]:
    return {row.track.path.name for row in library.tracks.page(ALL, 0).rows}


def counts(report: ScanReport) -> dict[str, int]:
    names = ("files_processed", "added", "updated", "skipped", "failed", "missing")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def test_new_unchanged_changed_gone_and_back(scan, root, reader, library):
    make(root, "a.flac", "b/c.flac", "b/d.flac")
    assert counts(scan()) == {"files_processed": 3, "added": 3}
    assert counts(scan()) == {"files_processed": 3, "skipped": 3}
    assert reader.opened == []

    make(root, "b/c.flac", content=b"other music")
    assert counts(scan()) == {"files_processed": 3, "updated": 1, "skipped": 2}
    assert reader.opened == ["c.flac"]

    (root / "b" / "d.flac").rename(root.parent / "d.flac")
    assert counts(scan()) == {"files_processed": 2, "skipped": 2, "missing": 1}
    assert found(library) == {"a.flac", "c.flac"}
    assert counts(scan()) == {"files_processed": 2, "skipped": 2}

    (root.parent / "d.flac").rename(root / "b" / "d.flac")
    assert counts(scan()) == {"files_processed": 3, "skipped": 3}
    assert reader.opened == []
    assert found(library) == {"a.flac", "c.flac", "d.flac"}


@pytest.mark.parametrize("change", [{"ns": (1, 1)}, {"content": b"longer music"}])
def test_time_or_size_alone_make_a_file_changed(scan, root, change):
    make(root, "a.flac")
    scan()
    before = (root / "a.flac").stat()
    if "content" in change:
        make(root, "a.flac", content=change["content"])
        os.utime(root / "a.flac", ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        os.utime(root / "a.flac", **change)
    assert counts(scan()) == {"files_processed": 1, "updated": 1}


def test_a_bad_file_is_an_entry_in_the_report_and_not_the_end(scan, root, library):
    make(root, "a.flac", "c.flac")
    make(root, "b.flac", content=b"bad")
    with capture_logs() as logs:
        report = scan()
    assert counts(report) == {"files_processed": 3, "added": 2, "failed": 1}
    assert report.failures == (ScanFailure("b.flac", DecodeError.code, DecodeError.sentence),)
    assert found(library) == {"a.flac", "c.flac"}
    assert [entry["path"] for entry in logs if entry["log_level"] == "warning"] == [str(root / "b.flac")]
    # Tried again as long as it is there, and forgotten when it is gone.
    assert counts(scan()) == {"files_processed": 3, "skipped": 2, "failed": 1}
    (root / "b.flac").unlink()
    assert counts(scan()) == {"files_processed": 2, "skipped": 2}


def test_a_file_that_crashes_the_reader_costs_itself_and_is_told(root, library, reader):
    make(root, "a.flac", "b.flac", "c.flac")

    def crashing(path: Path) -> ScannedFile:
        if path.name == "b.flac":
            raise AttributeError("a defect")
        return reader(path)

    with capture_logs() as logs:
        *_, last = Scanner([root], library.tracks, crashing).scan()
    assert last.report is not None
    assert (last.report.added, last.report.failed) == (2, 1)
    assert last.report.failures == (ScanFailure("b.flac", DecodeError.code, DecodeError.sentence),)
    assert found(library) == {"a.flac", "c.flac"}
    assert [log["log_level"] for log in logs if "exc_info" in log] == ["error"]


def test_a_flood_of_bad_files_is_counted_and_named_in_part(scan, root):
    make(root, *(f"{n}.flac" for n in range(MAX_FAILURES + 50)), content=b"bad")
    with capture_logs():
        report = scan()
    assert (report.failed, len(report.failures)) == (MAX_FAILURES + 50, MAX_FAILURES)


AWKWARD = [
    b"line\nbreak.flac",
    b"escape\x1b[2J.flac",
    "emoji 🎉.flac".encode(),
    b"latin1 caf\xe9.flac",
    b" .flac",
    b"-i.flac",
]


@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
@pytest.mark.parametrize("content", [b"music", b"bad"])
def test_any_name_is_scanned_told_and_logged(library, root, reader, name, content):
    (root / os.fsdecode(name)).write_bytes(content)
    with capture_logs() as logs:
        *steps, last = Scanner([root], library.tracks, reader).scan()
    assert last.report is not None
    assert last.report.added + last.report.failed == 1
    told = [step.current_file for step in steps] + [failure.name for failure in last.report.failures]
    told += [str(value) for entry in logs for value in entry.values()]
    assert all(text.isprintable() and text.encode() is not None for text in told)


@pytest.mark.parametrize("lose", [shutil.rmtree, lambda root: [path.unlink() for path in root.iterdir()]])
def test_a_root_that_is_gone_or_suddenly_empty_takes_nothing_with_it(scan, root, library, lose):
    make(root, "a.flac", "b.flac")
    scan()
    lose(root)
    with capture_logs():
        report = scan()
    assert counts(report) == {"failed": 1}
    assert [failure.name for failure in report.failures] == ["music"]
    assert report.failures[0].code == ("FOLDER_EMPTY" if root.exists() else "FOLDER_UNREADABLE")
    assert found(library) == {"a.flac", "b.flac"}
    make(root, "a.flac")
    assert scan().missing == 1
    assert found(library) == {"a.flac"}


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "another disk"])
def test_a_root_that_goes_away_in_the_middle_of_a_scan_takes_nothing_with_it(
    scan, root, library, reader, left
):
    names = [f"{folder}/{number:03}.flac" for folder in "abc" for number in range(300)]
    make(root, *names)
    assert scan().added == 900
    make(root, *names, content=b"another")
    steps = Scanner([root], library.tracks, reader).scan()
    while next(steps).phase is not ScanPhase.READING:
        pass
    root.rename(root.with_name("unplugged"))
    if left != "nothing":
        root.mkdir()
    if left == "another disk":
        make(root, "c/299.flac", content=b"something else")
    *_, last = steps
    assert last.report.missing == 0
    assert last.report.failed > 0
    assert len(found(library)) == 300
    assert library.tracks.stats().tracks == 900
    shutil.rmtree(root, ignore_errors=True)
    root.with_name("unplugged").rename(root)
    report = scan()
    assert (report.missing, report.failed, report.updated + report.skipped) == (0, 0, 900)


def test_one_lost_root_does_not_stop_the_others(library, tmp_path, reader):
    make(tmp_path, "one/a.flac", "one/b.flac", "two/c.flac", "two/d.flac")
    scanner = Scanner([tmp_path / "one", tmp_path / "two"], library.tracks, reader)
    list(scanner.scan())
    shutil.rmtree(tmp_path / "one")
    (tmp_path / "two" / "c.flac").unlink()
    with capture_logs():
        *_, last = scanner.scan()
    assert last.report is not None
    assert counts(last.report) == {"files_processed": 1, "skipped": 1, "failed": 1, "missing": 1}
    assert found(library) == {"a.flac", "b.flac", "d.flac"}


def test_an_empty_library_in_an_empty_root_is_no_failure(scan):
    assert counts(scan()) == {}


def test_a_folder_that_cannot_be_listed_takes_nothing_with_it(scan, root, library):
    make(root, "a.flac", "b.flac")
    folder, descriptor = root, os.open(root, os.O_RDONLY)
    for _ in range(17):  # beyond the longest path that can be listed
        os.mkdir("n" * 250, dir_fd=descriptor)
        deeper = os.open("n" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        folder, descriptor = folder / ("n" * 250), deeper
    os.close(descriptor)
    library.tracks.store([scanned(folder / "c.flac")])
    with capture_logs():
        assert counts(scan()) == {"files_processed": 2, "added": 2, "failed": 1}
    (root / "b.flac").unlink()
    with capture_logs():
        report = scan()
    assert counts(report) == {"files_processed": 1, "skipped": 1, "failed": 1, "missing": 1}
    assert [failure.code for failure in report.failures] == ["FOLDER_UNREADABLE"]
    assert found(library) == {"a.flac", "c.flac"}


def test_a_scan_of_one_folder_leaves_the_others_alone(scan, root, library):
    make(root, "a/1.flac", "a/2.flac", "b/3.flac", "a_private/4.flac")
    scan()
    for path in ("a/1.flac", "b/3.flac", "a_private/4.flac"):
        (root / path).unlink()
    make(root, "b/5.flac")
    assert counts(scan(root / "a")) == {"files_processed": 1, "skipped": 1, "missing": 1}
    assert found(library) == {"2.flac", "3.flac", "4.flac"}


def test_files_behind_links_are_one_track_each_and_stay(scan, root, library):
    make(root, ".store/1.flac", ".store/2.flac", "a/3.flac")
    (root / "a" / "link.flac").symlink_to("../.store/1.flac")
    (root / "b").symlink_to(root / "a")
    assert counts(scan()) == {"files_processed": 2, "added": 2}
    assert counts(scan()) == {"files_processed": 2, "skipped": 2}
    make(root, "c/4.flac")
    assert counts(scan(root / "c")) == {"files_processed": 1, "added": 1}
    (root / "a" / "link.flac").unlink()
    assert counts(scan()) == {"files_processed": 2, "skipped": 2, "missing": 1}
    assert found(library) == {"3.flac", "4.flac"}


def test_progress_counts_up_to_all_there_is(library, root, reader):
    make(root, *(f"{n:03}.flac" for n in range(450)))
    steps = list(Scanner([root], library.tracks, reader).scan())
    assert [step.phase for step in steps[:1] + steps[-1:]] == [ScanPhase.COUNTING, ScanPhase.DONE]
    reading = [step for step in steps if step.phase is ScanPhase.READING]
    assert [step.current for step in reading] == list(range(1, 451))
    assert {step.total for step in reading} == {450}
    assert [step.current_file for step in reading[:2]] == ["000.flac", "001.flac"]
    assert [step.report is None for step in steps] == [True] * (len(steps) - 1) + [False]
    assert len(library.tracks.page(ALL, 0).rows) == 450


def test_a_scan_that_is_closed_keeps_what_it_read_and_frees_the_scanner(library, root, reader):
    make(root, *(f"{n:03}.flac" for n in range(50)))
    scanner = Scanner([root], library.tracks, reader)
    steps = scanner.scan()
    while next(steps).current < 20:
        pass
    steps.close()
    assert len(found(library)) == 20
    *_, last = scanner.scan()
    assert last.report is not None
    assert counts(last.report) == {"files_processed": 50, "added": 30, "skipped": 20}


def test_one_scan_at_a_time(library, root, reader):
    make(root, "a.flac")
    scanner = Scanner([root], library.tracks, reader)
    first = scanner.scan()
    next(first)
    with pytest.raises(ScanInProgress):
        next(scanner.scan())
    first.close()
    assert list(scanner.scan())[-1].report is not None


def test_a_folder_outside_is_refused_at_once(library, root, reader):
    make(root.parent, "music_private/a.flac")
    with pytest.raises(OutsideLibrary):
        Scanner([root], library.tracks, reader).scan([root.parent / "music_private"])


def test_files_are_read_side_by_side(library, root):
    names = {f"{n:03}.flac" for n in range(2 * TOGETHER)}
    make(root, *names)
    both = threading.Barrier(2)

    def read(path: Path) -> ScannedFile:
        both.wait(timeout=10)
        return scanned(path)

    assert list(Scanner([root], library.tracks, read, readers=2).scan())[-1].report is not None
    assert found(library) == names


def test_a_library_that_is_gone_ends_the_scan_and_frees_the_scanner(library, root, reader, tmp_path):
    make(root, "a.flac")
    scanner = Scanner([root], library.tracks, reader)
    (tmp_path / "library.db").rename(tmp_path / "away.db")
    for _ in range(2):
        with pytest.raises(LibraryUnavailable):
            list(scanner.scan())
    (tmp_path / "away.db").rename(tmp_path / "library.db")
    assert list(scanner.scan())[-1].report is not None


def test_real_files_are_read_whole(library, root):
    for path in DATA.glob("full.*"):
        shutil.copy(path, root)
    (root / "broken.flac").write_bytes(b"fLaC" + b"\0" * 100)
    (root / "list.mp3").write_bytes(b"#EXTM3U\n/etc/hostname\n")
    with capture_logs():
        *_, last = Scanner([root], library.tracks, read_file).scan()
    assert last.report is not None
    assert {failure.name for failure in last.report.failures} == {"broken.flac", "list.mp3"}
    rows = library.tracks.page(ALL, 0, search="the artist").rows
    assert {row.track.path.suffix for row in rows} == {path.suffix for path in DATA.glob("full.*")}
    for row in rows:
        assert row.track.signature == file_signature(row.track.path)
        assert 0.9 < row.track.info.duration_s < 1.1


def ids(library: RepositoryFactory) -> dict[str, int]:
    return {row.track.path.name: row.track.id for row in library.tracks.page(ALL, 0).rows}


def test_a_file_that_is_moved_keeps_its_row_whichever_way_it_goes(scan, root, library):
    make(root, "m/1.flac", content=b"first")
    make(root, "m/2.flac", content=b"second")
    scan()
    before = ids(library)
    (root / "a").mkdir()
    (root / "z").mkdir()
    (root / "m/1.flac").rename(root / "a/one.flac")
    (root / "m/2.flac").rename(root / "z/two.flac")
    report = scan()
    assert (report.added, report.updated, report.moved, report.missing) == (0, 2, 2, 0)
    assert ids(library) == {"one.flac": before["1.flac"], "two.flac": before["2.flac"]}
    assert scan().skipped == 2


def test_a_folder_that_is_renamed_keeps_all_its_rows(scan, root, library):
    for number in range(250):
        make(root, f"old/{number:03}.flac", content=b"%d" % number)
    scan()
    before = ids(library)
    (root / "old").rename(root / "new")
    report = scan()
    assert (report.added, report.moved, report.missing) == (0, 250, 0)
    assert ids(library) == before


def test_a_copy_is_another_track(scan, root, library):
    make(root, "1.flac")
    scan()
    shutil.copy2(root / "1.flac", root / "2.flac")
    report = scan()
    assert (report.added, report.moved) == (1, 0)
    assert len(set(ids(library).values())) == 2


def test_of_equal_files_each_takes_one_row(scan, root, library):
    make(root, "a/1.flac", "a/2.flac", "a/3.flac")
    scan()
    before = ids(library)
    (root / "a").rename(root / "b")
    (root / "b/3.flac").unlink()
    report = scan()
    assert (report.added, report.moved, report.missing) == (0, 2, 1)
    assert set(ids(library).values()) < set(before.values())


def test_a_file_moved_away_from_a_root_that_is_not_there_is_not_known_to_be_gone(library, tmp_path, reader):
    roots = [tmp_path / "disk", tmp_path / "home"]
    make(roots[0], "1.flac")
    make(roots[1], "other.flac", content=b"other")
    scanner = Scanner(roots, library.tracks, reader)
    list(scanner.scan())
    before = ids(library)
    shutil.copy2(roots[0] / "1.flac", roots[1] / "1 copy.flac")
    roots[0].rename(tmp_path / "unplugged")
    roots[0].mkdir()
    *_, last = scanner.scan()
    assert (last.report.added, last.report.moved) == (1, 0)
    assert ids(library)["1.flac"] == before["1.flac"]


def test_what_is_missing_long_enough_is_forgotten_by_a_scan_that_saw_everything(library, root, reader):
    make(root, "1.flac", "2.flac", "3.flac")
    scanner = Scanner([root], library.tracks, reader, forget_after=timedelta(0))
    list(scanner.scan())
    known = ids(library)
    library.favourites.add(known["1.flac"])
    for name in known:
        (root / name).unlink()
    make(root, "4.flac", content=b"another")
    list(scanner.scan([root]))
    list(Scanner([root], library.tracks, reader).scan())
    assert {row.path for row in library.tracks.known(root)} >= {os.fsencode(root / name) for name in known}
    list(scanner.scan())
    assert library.tracks.get(known["1.flac"]).missing_since is not None
    for name in ("2.flac", "3.flac"):
        with pytest.raises(TrackNotFound):
            library.tracks.get(known[name])


def test_nothing_is_forgotten_while_a_folder_cannot_be_read(library, tmp_path, reader):
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        make(root, "1.flac", "2.flac", content=os.fsencode(root))
    scanner = Scanner(roots, library.tracks, reader, forget_after=timedelta(0))
    list(scanner.scan())
    (roots[0] / "1.flac").unlink()
    shutil.rmtree(roots[1])
    list(scanner.scan())
    list(scanner.scan())
    assert len(list(library.tracks.known(roots[0]))) == 2
    assert len(list(library.tracks.known(roots[1]))) == 2
