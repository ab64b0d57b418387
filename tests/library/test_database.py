"""Opening, migrating and losing the database."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from analyses import analysis
from scanned import scanned
from sqlalchemy import create_engine

from tonearm.library.database import WRITER_LOCK, open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.tables import metadata
from tonearm.model.errors import LibraryUnavailable

ALL = 1_000


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_migrations_lead_to_the_schema_of_the_tables(library, raw):
    # The indexes of words are peculiar to each database and known to the migrations alone.
    def compared(_: object, name: str | None, *_rest: object) -> bool:
        return not re.fullmatch(r"(tracks|albums|artists)_words(_\w+)?", name or "")

    with raw.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": compared})
        assert compare_metadata(context, metadata) == []


def test_every_way_to_write_a_postgres_url_means_the_same(postgres):
    with postgres.database() as name:
        named = postgres.url(name)
        for url_given in (
            named,
            named.replace("postgresql", "postgres"),
            named.replace("://", "+psycopg://"),
        ):
            open_library(url_given).close()


def test_several_openers_of_a_fresh_postgres_database_agree(postgres):
    with postgres.database() as name:
        with ThreadPoolExecutor(4) as pool:
            libraries = list(pool.map(lambda _: open_library(postgres.url(name)), range(4)))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(_store_twenty, enumerate(libraries)))
        assert {library.tracks.page(ALL, 0).total for library in libraries} == {80}
        assert libraries[0].artists.page(ALL, 0).total == 20
        for library in libraries:
            library.close()


def _store_twenty(numbered: tuple[int, RepositoryFactory]) -> None:
    number, library = numbered
    for step in range(20):
        library.tracks.store([scanned(f"/music/{number}/{step}.flac", artists=(f"artist {step}",))])


def test_while_another_process_writes_postgres_goes_on_reading(postgres):
    with postgres.database() as name:
        library = open_library(postgres.url(name), busy_timeout_s=0.1)
        with psycopg.connect(postgres.url(name)) as writer:
            writer.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
            assert library.tracks.page(ALL, 0).total == 0
            with pytest.raises(LibraryUnavailable, match="lock timeout"):
                library.tracks.store([scanned("/music/b.flac")])
        library.tracks.store([scanned("/music/b.flac")])
        library.close()


def test_a_postgres_that_is_not_there_is_told(tmp_path):
    with pytest.raises(LibraryUnavailable, match="OperationalError"):
        open_library(f"postgresql://tonearm@/library?host={tmp_path}")


@pytest.mark.parametrize("kind", ["mysql://h/d", "postgresql+asyncpg://h/d", "oracle://h/d", "sqlite+x:///f"])
def test_other_kinds_of_database_are_refused_by_name(kind):
    with pytest.raises(ValueError, match="sqlite or postgresql"):
        open_library(kind)


def test_constraints_of_the_migrated_schema_are_those_of_the_tables(tmp_path):
    # What autogenerate does not compare: checks, foreign keys' actions, collations.
    open_library(url(tmp_path / "migrated.db")).close()
    engine = create_engine(url(tmp_path / "created.db"))
    metadata.create_all(engine)
    engine.dispose()

    def schema(name: str) -> dict[str, list[str]]:
        with sqlite3.connect(tmp_path / name) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        connection.close()
        peculiar = re.compile(
            r"alembic_version|\w+_words(_\w+)?|tracks_version_\w+|analyses_hold_\w+|tracks_to_find"
        )
        return {name: parts(sql) for name, sql in rows if not peculiar.fullmatch(name)}

    def parts(sql: str) -> list[str]:
        # At the commas that are in no inner brackets: a column that was added stands after the constraints.
        head, _, rest = sql.partition("(")
        inner = re.split(r",(?![^()]*\))", rest.rpartition(")")[0])
        return sorted([head.strip(), *(" ".join(part.split()) for part in inner)])

    assert schema("migrated.db") == schema("created.db")


def test_a_fresh_database_takes_the_first_fingerprint(tmp_path):
    library = open_library(url(tmp_path / "new" / "folder" / "library.db"))
    library.tracks.store([scanned("/music/a.flac")])
    track = library.tracks.page(1, 0).rows[0].track
    library.fingerprints.put(track.id, track.signature, analysis())
    library.close()
    again = open_library(url(tmp_path / "new" / "folder" / "library.db"))
    assert again.fingerprints.get(track.id, track.signature) == analysis()
    again.close()


def test_several_openers_of_a_fresh_database_agree(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        libraries = list(pool.map(lambda _: open_library(url(tmp_path / "library.db")), range(4)))
    for number, library in enumerate(libraries):
        library.tracks.store([scanned(f"/music/{number}.flac")])
    assert {library.tracks.page(ALL, 0).total for library in libraries} == {4}
    for library in libraries:
        library.close()


def test_sqlite_writes_ahead_so_that_readers_never_wait(tmp_path):
    library = open_library(url(tmp_path / "library.db"))
    library.check()
    with sqlite3.connect(tmp_path / "library.db") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    library.close()


def test_a_newer_database_is_refused_by_name(tmp_path):
    open_library(url(tmp_path / "library.db")).close()
    with sqlite3.connect(tmp_path / "library.db") as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    with pytest.raises(LibraryUnavailable, match="9999, which is newer than this program"):
        open_library(url(tmp_path / "library.db"))


@pytest.mark.parametrize(
    "bad", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true", "library.db"]
)
def test_only_files_and_servers_can_be_libraries(bad):
    with pytest.raises(ValueError, match=r"wanted|file"):
        open_library(bad)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / "library.db").write_bytes(b"my diary\n" * 1000)
    with pytest.raises(LibraryUnavailable, match="not a database") as caught:
        open_library(url(tmp_path / "library.db"))
    assert caught.value.__cause__ is not None
    assert (tmp_path / "library.db").read_bytes() == b"my diary\n" * 1000


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LibraryUnavailable, match="cannot create"):
        open_library(url(tmp_path / "file" / "library.db"))


def test_while_another_process_writes_reading_goes_on_and_writing_is_refused(tmp_path):
    library = open_library(url(tmp_path / "library.db"), busy_timeout_s=0.1)
    library.tracks.store([scanned("/music/a.flac")])
    other = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert library.tracks.page(ALL, 0).total == 1
    with pytest.raises(LibraryUnavailable, match="locked"):
        library.tracks.store([scanned("/music/b.flac")])
    other.execute("ROLLBACK")
    other.close()
    library.tracks.store([scanned("/music/b.flac")])
    assert library.tracks.page(ALL, 0).total == 2
    library.close()


def test_a_deleted_database_is_not_written_to(tmp_path):
    library = open_library(url(tmp_path / "library.db"))
    library.tracks.store([scanned("/music/a.flac")])
    (tmp_path / "library.db").unlink()
    for call in (library.check, lambda: library.tracks.store([scanned("/music/b.flac")])):
        with pytest.raises(LibraryUnavailable, match="cannot be found"):
            call()
    assert not (tmp_path / "library.db").exists()
    library.close()


def test_what_could_not_be_written_is_known_until_writing_works_again(tmp_path):
    library = open_library(url(tmp_path / "library.db"), busy_timeout_s=0.05)
    library.check_writing()
    locker = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    # Nothing is tried where nothing has failed.
    library.check_writing()
    with pytest.raises(LibraryUnavailable, match="locked"):
        library.tracks.store([scanned("/music/a.flac")])
    library.check()
    with pytest.raises(LibraryUnavailable, match="locked"):
        library.check_writing()
    locker.execute("ROLLBACK")
    locker.close()
    library.check_writing()
    library.close()


def test_a_replaced_database_is_not_written_to(tmp_path):
    library = open_library(url(tmp_path / "library.db"))
    library.check()
    open_library(url(tmp_path / "other.db")).close()
    (tmp_path / "other.db").replace(tmp_path / "library.db")
    with pytest.raises(LibraryUnavailable, match="not the file that was opened"):
        library.check()
    library.close()


def test_a_damaged_database_is_told(tmp_path):
    library = open_library(url(tmp_path / "library.db"))
    library.tracks.store([scanned(f"/music/{n}.flac", title=f"title {n}" * 20) for n in range(500)])
    library.close()
    with (tmp_path / "library.db").open("r+b") as file:
        file.seek(8 * 4096)
        file.write(os.urandom((tmp_path / "library.db").stat().st_size - 8 * 4096))

    def read_everything() -> None:
        damaged = open_library(url(tmp_path / "library.db"))
        try:
            damaged.tracks.page(ALL, 0)
            list(damaged.tracks.known(Path("/music")))
        finally:
            damaged.close()

    with pytest.raises(LibraryUnavailable, match="malformed"):
        read_everything()


READ_ONLY = """
import os, sys
from tonearm.library.database import WRITER_LOCK, open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.model.errors import LibraryUnavailable
open_library(sys.argv[2]).close()  # loads all modules while they can be read
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    open_library(sys.argv[1])
except LibraryUnavailable as exc:
    print("refused:", exc)
"""


def test_a_read_only_database_is_refused(tmp_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    open_library(url(folder / "library.db")).close()
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and parent.name.startswith(("pytest", "popen", "library")):
            parent.chmod(0o755)
    (folder / "library.db").chmod(0o444)
    folder.chmod(0o555)
    command = [sys.executable, "-c", READ_ONLY, url(folder / "library.db"), url(tmp_path / "other.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    folder.chmod(0o755)
    assert done.stdout.startswith("refused: "), done.stdout
    assert "cannot lock the library" in done.stdout


WRITER = """
import sys
from analyses import analysis
from scanned import scanned
from tonearm.library.database import WRITER_LOCK, open_library
from tonearm.library.repositories import RepositoryFactory
library = open_library(sys.argv[1])
for number in range(100_000):
    library.tracks.store([scanned(f"/music/{number}.flac", artists=("A",), album="B")])
    track = library.tracks.page(1, 0, order_by="-added").rows[0].track
    library.fingerprints.put(track.id, track.signature, analysis())
    print(track.id, flush=True)
"""


def test_what_was_stored_before_a_kill_is_there_after_it(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, url(tmp_path / "library.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        told = [int(next(writer.stdout)) for _ in range(25)]
        writer.send_signal(signal.SIGKILL)
    with sqlite3.connect(tmp_path / "library.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
    library = open_library(url(tmp_path / "library.db"))
    for track_id in told:
        signature = library.tracks.get(track_id).signature
        assert library.fingerprints.get(track_id, signature) == analysis()
    library.close()
