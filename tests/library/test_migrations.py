"""A library of an earlier version has all that a new one has."""

from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url, text

import tonearm.library.migrations
from tonearm.library.database import open_library
from tonearm.library.values import FingerprintCounts

ROW = (
    "INSERT INTO tracks (id, path, size, mtime_ns, content, frames, frames_exact, rate, channels,"
    " channel_layout, codec, container, title, artists, album, album_artist, track_number, disc_number, year,"
    " genres, has_cover, album_id, sort_title, sort_artist, sort_album, search_text, created_at, updated_at)"
    " VALUES (:id, :path, 1, 1, 'c', 90000, true, 48000, 2, 'stereo', 'flac', 'flac', :title, :artists,"
    " 'Post', NULL, :number, 1, :year, :genres, false, 7, 'x', 'bjork', 'post', 'x', '2025-01-01',"
    " '2025-01-01')"
)


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(request, tmp_path):
    """The second schema with three tracks of one album."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/old.db"
        _make_old(create_engine(url))
        yield url
        return
    server = request.getfixturevalue("postgres")
    with server.database() as name:
        _make_old(create_engine(make_url(server.url(name)).set(drivername="postgresql+psycopg")))
        yield server.url(name)


def _make_old(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(tonearm.library.migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(
            text(
                "INSERT INTO albums (id, identity, title, sort_title, search_text)"
                " VALUES (7, :identity, 'Post', 'post', 'x')"
            ),
            {"identity": b"post"},
        )
        connection.execute(
            text("INSERT INTO artists (id, identity, name, sort_name) VALUES (3, 'b', 'Björk', 'bjork')")
        )
        for number, genres in ((1, '["Pop", "Art Pop"]'), (2, '["pop"]'), (3, "[]")):
            row = {"id": number, "path": b"/m/f%d.flac" % number, "number": number, "genres": genres}
            row |= {"title": None if number == 3 else f"Song {number}", "artists": '["Björk"]'}
            connection.execute(text(ROW), row | {"year": 1990 + number})
            connection.execute(text("INSERT INTO track_artists VALUES (:id, 0, 3)"), {"id": number})
        analysis = text(
            "INSERT INTO analyses (track_id, status, error_code, size, mtime_ns, content, algorithm_version,"
            " analysed_at, failed_version) VALUES (:id, 'error', 'DECODE_ERROR', :size, 1, 'c', 1,"
            " '2025-01-01', 1)"
        )
        # Of the first file as it is, of the second as it was.
        connection.execute(analysis, [{"id": 1, "size": 1}, {"id": 2, "size": 2}])
    engine.dispose()


def test_what_an_earlier_version_stored_is_ordered_and_found(old_url):
    with closing(open_library(old_url)) as library:
        page = library.tracks.page(10, 0, search="bjork pos", order_by="-album")
        assert [row.id for row in page.rows] == [3, 2, 1]
        assert [row.title for row in library.tracks.page(10, 0, search="f3").rows] == ["f3"]
        assert [(row.name, row.track_count) for row in library.genres.page(10, 0).rows] == [
            ("Art Pop", 1),
            ("Pop", 2),
        ]
        assert library.albums.page(10, 0, search="bjork", order_by="artist").total == 1
        assert library.artists.page(10, 0, search="bjo").total == 1
        assert [row.id for row in library.tracks.page(10, 0, order_by="year").rows] == [1, 2, 3]


def test_what_was_measured_of_a_file_that_has_changed_since_does_not_count(old_url):
    with closing(open_library(old_url)) as library:
        assert library.fingerprints.counts() == FingerprintCounts(total=3, complete=0, pending=2, failed=1)
        pending = {track.id for track in library.fingerprints.pending(10)}
        assert pending >= {2, 3}


def test_an_earlier_library_goes_on_being_written_to(old_url):
    from scanned import scanned

    with closing(open_library(old_url)) as library:
        library.tracks.store([scanned("/m/f1.flac", title="New", genres=("Rock", "POP"))])
        assert library.tracks.page(10, 0, search="song").total == 1
        assert library.tracks.page(10, 0, search="rock new").total == 1
        names = {row.name: row.track_count for row in library.genres.page(10, 0).rows}
        assert names == {"Pop": 2, "Rock": 1}
