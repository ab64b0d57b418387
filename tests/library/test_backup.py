"""Backups: one state, while others write; brought back whole or not at all."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from analyses import analysis
from scanned import scanned

from tonearm.library.backup import backup, damage, restore
from tonearm.library.database import open_library
from tonearm.model.errors import LibraryUnavailable

ALL = 1_000


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A library of five tracks of which one is measured."""
    place = tmp_path / "data" / "library.db"
    with closing(open_library(f"sqlite:///{place}")) as library:
        library.tracks.store([scanned(f"/music/{n}.flac", title=f"t{n}", genres=("Jazz",)) for n in range(5)])
        track = library.tracks.page(1, 0).rows[0].track
        library.fingerprints.put(track.id, track.signature, analysis())
    return place


def count(place: Path) -> int:
    with closing(open_library(f"sqlite:///{place}")) as library:
        return library.tracks.page(ALL, 0, search="jazz").total


def test_a_backup_brought_back_is_the_library_as_it_was(database, tmp_path):
    size = backup(database, tmp_path / "saved.db")
    assert size == (tmp_path / "saved.db").stat().st_size > 10_000
    with closing(open_library(f"sqlite:///{database}")) as library:
        library.tracks.store([scanned("/music/later.flac", genres=("Jazz",))])
    kept = restore(database, tmp_path / "saved.db")
    assert (count(database), count(kept)) == (5, 6)
    with closing(open_library(f"sqlite:///{database}")) as library:
        track = library.tracks.page(1, 0).rows[0].track
        assert library.fingerprints.get(track.id, track.signature) == analysis()
    assert damage(database) == []


def test_a_library_in_use_is_saved_and_goes_on(database, tmp_path):
    with closing(open_library(f"sqlite:///{database}")) as library:
        # Not yet in the file itself, only in the log beside it.
        library.tracks.store([scanned("/music/new.flac", genres=("Jazz",))])
        backup(database, tmp_path / "saved.db")
        library.tracks.store([scanned("/music/newer.flac", genres=("Jazz",))])
        assert library.tracks.page(ALL, 0).total == 7
    assert count(tmp_path / "saved.db") == 6
    assert {path.name for path in tmp_path.iterdir()} >= {"saved.db"}
    assert not list(tmp_path.glob(".saved.db-*"))


WRITER = """
import sys
from scanned import scanned
from tonearm.library.database import open_library
library = open_library(sys.argv[1])
for number in range(100_000):
    library.tracks.store([scanned(f"/w/{number}/{n}.flac", genres=("Jazz",)) for n in range(10)])
    print(number, flush=True)
"""


def test_a_backup_amid_writing_holds_whole_batches(database, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, f"sqlite:///{database}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        for number in range(5):
            next(writer.stdout)
            backup(database, tmp_path / f"{number}.db")
        writer.kill()
    for number in range(5):
        assert (count(tmp_path / f"{number}.db") - 5) % 10 == 0
        assert damage(tmp_path / f"{number}.db") == []


def test_a_library_in_use_is_not_replaced(database, tmp_path):
    backup(database, tmp_path / "saved.db")
    with closing(open_library(f"sqlite:///{database}")), pytest.raises(LibraryUnavailable, match="in use"):
        restore(database, tmp_path / "saved.db")
    assert restore(database, tmp_path / "saved.db") is not None


def test_a_library_is_restored_where_there_was_none(database, tmp_path):
    backup(database, tmp_path / "saved.db")
    assert restore(tmp_path / "elsewhere" / "library.db", tmp_path / "saved.db") is None
    assert count(tmp_path / "elsewhere" / "library.db") == 5


@pytest.mark.parametrize("content", [b"", b"my diary", b"SQLite format 3\0 and then nothing"])
def test_what_is_no_library_is_not_restored(database, tmp_path, content):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(LibraryUnavailable, match=r"no library|damaged"):
        restore(database, tmp_path / "other")
    with pytest.raises(LibraryUnavailable, match="no file"):
        restore(database, tmp_path / "nothing")
    assert count(database) == 5


def test_a_newer_backup_is_not_restored(database, tmp_path):
    backup(database, tmp_path / "saved.db")
    with closing(sqlite3.connect(tmp_path / "saved.db")) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LibraryUnavailable, match="newer"):
        restore(database, tmp_path / "saved.db")


def test_files_that_are_no_backups_are_left_alone(database, tmp_path):
    (tmp_path / "diary").write_bytes(b"my diary")
    with pytest.raises(ValueError, match="left alone"):
        backup(database, tmp_path / "diary")
    with pytest.raises(ValueError, match="itself"):
        backup(database, database)
    assert (tmp_path / "diary").read_bytes() == b"my diary"
    backup(database, tmp_path / "saved.db")
    backup(database, tmp_path / "saved.db")
    with pytest.raises(LibraryUnavailable, match="no library"):
        backup(tmp_path / "nothing.db", tmp_path / "saved.db")


def test_damage_is_found_and_neither_saved_nor_lost(database, tmp_path):
    backup(database, tmp_path / "saved.db")
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.execute("DROP TRIGGER tracks_words_update")
        raw.execute("UPDATE tracks SET search_text = 'other' WHERE id = 1")
    assert any("tracks_words" in line for line in damage(database))
    with database.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(20 * 4096))
    assert damage(database)
    with pytest.raises(LibraryUnavailable):
        backup(database, tmp_path / "saved.db")
    assert damage(tmp_path / "saved.db") == []
    kept = restore(database, tmp_path / "saved.db")
    assert count(database) == 5
    assert kept.exists()
