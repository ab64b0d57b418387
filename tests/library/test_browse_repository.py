"""Albums and artists follow from the tags of the tracks whose files are there."""

from pathlib import Path

import pytest
from scanned import scanned

from tonearm.library.browse_repository import ALBUM_ORDERS
from tonearm.library.values import AlbumSummary, ArtistSummary

ALL = 1_000


def album_titles(page) -> list[str]:
    return [row.title for row in page.rows]


def test_an_album_is_the_sum_of_its_tracks(library):
    library.tracks.store(
        [
            scanned("/m/1.flac", album="L", artists=("A",), track_number=2, year=1999),
            scanned("/m/2.flac", album="L", artists=("A", "B"), track_number=1, year=1998, has_cover=True),
        ]
    )
    (row,) = library.albums.page(ALL, 0).rows
    second, first = (track.id for track in library.tracks.page(ALL, 0).rows)
    assert row == AlbumSummary(
        id=row.id, title="L", artist="A", year=1998, track_count=2, duration_s=120.0, cover_track_id=first
    )
    assert library.albums.get(row.id) == row
    assert [track.id for track in library.tracks.of_album(row.id)] == [first, second]


@pytest.mark.parametrize(
    ("tags", "artist"),
    [
        ([{"artists": ("A",)}, {"artists": ("A", "B")}], "A"),
        ([{"artists": ("A",)}, {"artists": ("B",)}], None),
        ([{"artists": ("A",)}, {"artists": ()}], None),
        ([{"artists": ()}], None),
        ([{"artists": ("A",), "album_artist": "V"}, {"artists": ("B",), "album_artist": "V"}], "V"),
    ],
)
def test_the_artist_of_an_album_is_tagged_or_shared_by_all_tracks(library, tags, artist):
    library.tracks.store([scanned(f"/m/{n}.flac", album="L", **each) for n, each in enumerate(tags)])
    assert [row.artist for row in library.albums.page(ALL, 0).rows] == [artist]


@pytest.mark.parametrize(
    ("files", "albums"),
    [
        # A compilation without an album artist stays together by its folder; discs count as one.
        ([("/m/x/1.flac", "L", None), ("/m/x/2.flac", "l ", None)], 1),
        ([("/m/CD1/1.ape", "L", None), ("/m/cd 2/2.ape", "L", None), ("/m/Disc 03 b/3.ape", "L", None)], 1),
        ([("/m/x/1.flac", "Greatest Hits", None), ("/m/y/2.flac", "Greatest Hits", None)], 2),
        # With one, the folder does not count.
        ([("/m/x/1.flac", "L", "A"), ("/m/y/2.flac", "L", "a")], 1),
        ([("/m/x/1.flac", "L", "A"), ("/m/x/2.flac", "L", "B")], 2),
        ([("/m/x/1.flac", None, "A")], 0),
    ],
)  # fmt: skip
def test_what_is_one_album(library, files, albums):
    library.tracks.store([scanned(path, album=title, album_artist=artist) for path, title, artist in files])
    assert library.albums.page(ALL, 0).total == len(library.albums.page(ALL, 0).rows) == albums


@pytest.mark.parametrize("order_by", [*ALBUM_ORDERS, *(f"-{name}" for name in ALBUM_ORDERS)])
def test_pages_of_albums_put_together_are_the_whole_list(library, order_by):
    library.tracks.store(
        [scanned(f"/m/{n}.flac", album=f"L{n % 7}", album_artist=f"A{n % 2}", year=2000) for n in range(30)]
    )
    whole = library.albums.page(ALL, 0, order_by=order_by)
    pages = [library.albums.page(4, offset, order_by=order_by) for offset in range(0, 20, 4)]
    assert tuple(row for page in pages for row in page.rows) == whole.rows
    assert whole.total == len(whole.rows) == 14


def test_albums_are_searched_and_sorted(library):
    library.tracks.store(
        [
            scanned("/m/1.flac", album="Zenit", artists=("Ärzte",), year=1990),
            scanned("/m/2.flac", album="100 %", album_artist="Beta", artists=("Beta",), year=2010),
        ]
    )
    assert album_titles(library.albums.page(ALL, 0)) == ["100 %", "Zenit"]
    assert album_titles(library.albums.page(ALL, 0, order_by="artist")) == ["Zenit", "100 %"]
    assert album_titles(library.albums.page(ALL, 0, order_by="-year")) == ["100 %", "Zenit"]
    assert album_titles(library.albums.page(ALL, 0, search="%")) == ["100 %"]
    assert album_titles(library.albums.page(ALL, 0, search="arzte")) == ["Zenit"]
    with pytest.raises(ValueError, match="order_by"):
        library.albums.page(ALL, 0, order_by="identity")


def test_artists_are_one_by_case_and_width_not_by_accent(library):
    library.tracks.store(
        [
            scanned("/m/1.flac", artists=("ABBA",), album="X"),
            scanned("/m/2.flac", artists=("abba", "Bjork"), album="X"),
            scanned("/m/3.flac", artists=("Björk",)),
        ]
    )
    page = library.artists.page(ALL, 0)
    assert [(row.name.casefold(), row.track_count, row.album_count) for row in page.rows] == [
        ("abba", 2, 1),
        ("bjork", 1, 1),
        ("björk", 1, 0),
    ]
    assert page.total == 3
    assert [row.name for row in library.artists.page(ALL, 0, search="BJÖR").rows] == ["Bjork", "Björk"]
    assert [row.name for row in library.artists.page(1, 2).rows] == ["Björk"]
    abba = page.rows[0]
    assert library.artists.get(abba.id) == abba == ArtistSummary(abba.id, abba.name, 2, 1)
    assert library.tracks.of_artist(abba.id, ALL, 0).total == 2
    assert album_titles(library.albums.of_artist(abba.id, ALL, 0)) == ["X"]
    with pytest.raises(ValueError, match="order_by"):
        library.artists.page(ALL, 0, order_by="sort_name")


@pytest.mark.parametrize("unknown", [0, -1, 99, 2**31, 2**70])
def test_what_is_not_there_is_none(library, unknown):
    assert library.albums.get(unknown) is None
    assert library.artists.get(unknown) is None
    assert library.albums.of_artist(unknown, ALL, 0).rows == ()


def test_an_album_whose_files_are_gone_is_gone(library):
    library.tracks.store([scanned("/m/1.flac", artists=("A",), album="X")])
    album, artist = library.albums.page(ALL, 0).rows[0], library.artists.page(ALL, 0).rows[0]
    library.tracks.mark_missing([Path("/m/1.flac")])
    assert library.albums.get(album.id) is None
    assert library.artists.get(artist.id) is None
    assert library.tracks.of_album(album.id) == ()
