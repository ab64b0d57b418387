"""Pages: the same rows from wherever the way to them begins, and never those of an earlier state."""

import random
from contextlib import closing
from pathlib import Path

import pytest
from scanned import scanned

from tonearm.library.browse_repository import ALBUM_ORDERS
from tonearm.library.database import open_library
from tonearm.library.track_repository import TRACK_ORDERS

ALL = 1_000


def tags(number: int) -> dict[str, object]:
    """Many equal values, and some that are absent."""
    return {
        "title": f"title {number % 7}",
        "artists": (f"artist {number % 5}",) if number % 4 else (),
        "album": f"album {number % 9}" if number % 3 else None,
        "track_number": number % 11 or None,
        "disc_number": number % 2 or None,
        "year": 1990 + number % 6 if number % 5 else None,
        "genres": ("Rock", "rock", "Jazz") if number % 2 else ("Jazz",),
    }


@pytest.fixture
def music(library):
    library.tracks.store([scanned(f"/music/{number}.flac", **tags(number)) for number in range(200)])
    return library


@pytest.mark.parametrize("few", [0, 50, 10_000])
def test_a_page_does_not_depend_on_the_pages_before_it(music, database_url, few):
    # At 0 nothing is sorted here and no row tested on the way; at 10,000 both always.
    with closing(open_library(database_url, few=few)) as library:
        for turned in ("", "-"):
            compare_pages(library, turned)


def compare_pages(music, turned):
    chosen = random.Random(1)
    lists = {
        "all": music.tracks.page,
        "search": lambda limit, offset, **more: music.tracks.page(limit, offset, search="title jazz", **more),
        "genre": lambda limit, offset, **more: music.tracks.of_genre(1, limit, offset, **more),
        "artist": lambda limit, offset, **more: music.tracks.of_artist(2, limit, offset, **more),
    }
    for name, pages in lists.items():
        for order in TRACK_ORDERS:
            whole = pages(ALL, 0, order_by=turned + order)
            ids = [row.id for row in whole.rows]
            assert whole.total == len(ids) == len(set(ids)) > 10, name
            for offset in [chosen.randrange(whole.total + 5) for _ in range(6)]:
                part = pages(13, offset, order_by=turned + order)
                assert [row.id for row in part.rows] == ids[offset : offset + 13], (name, order, offset)
                assert part.total == whole.total


def test_a_list_follows_every_change_at_once(music):
    seen = music.tracks.page(10, 150)
    music.tracks.store([scanned("/music/aaa.flac", title="aaa")])
    assert music.tracks.page(1, 0).rows[0].title == "aaa"
    moved = music.tracks.page(10, 151)
    assert [row.id for row in moved.rows] == [row.id for row in seen.rows]
    assert moved.total == seen.total + 1
    music.tracks.mark_missing([Path("/music/aaa.flac")])
    assert music.tracks.page(10, 150) == seen
    assert music.tracks.page(10, 0, search="aaa").total == 0
    music.tracks.mark_present([Path("/music/aaa.flac")])
    assert music.tracks.page(10, 0, search="aaa").total == 1
    music.tracks.store([scanned("/music/aaa.flac", title="zzz", genres=("Jazz",))])
    assert music.tracks.page(10, 0, search="aaa").total == 0
    assert music.tracks.page(10, 0, search="zzz jazz").total == 1


def test_albums_are_ordered_by_what_their_tracks_say_now(music):
    for order in ALBUM_ORDERS:
        whole = [row.id for row in music.albums.page(ALL, 0, order_by=order).rows]
        parts = [
            row.id for offset in range(0, 20, 2) for row in music.albums.page(2, offset, order_by=order).rows
        ]
        assert parts == whole
    music.tracks.store([scanned("/music/x/1.flac", album="Zz", artists=("Aa",), year=1950)])
    assert music.albums.page(1, 0, order_by="artist").rows[0].title == "Zz"
    assert music.albums.page(1, 0, order_by="-added").rows[0].title == "Zz"
    music.tracks.store([scanned("/music/x/1.flac", album="Zz", artists=("Zz",), year=2050)])
    assert music.albums.page(1, 0, order_by="-year").rows[0].title == "Zz"
    assert music.albums.page(ALL, 0, order_by="artist").rows[0].title != "Zz"


def test_genres_are_one_by_case_and_count_tracks_that_are_there(music):
    jazz, rock = music.genres.page(ALL, 0).rows
    assert (jazz.name, jazz.track_count, rock.track_count) == ("Jazz", 200, 100)
    assert music.genres.get(rock.id) == rock
    assert [row.name for row in music.genres.page(ALL, 0, search="ja").rows] == ["Jazz"]
    assert music.genres.page(1, 1).rows == (rock,)
    music.tracks.mark_missing([Path(f"/music/{number}.flac") for number in range(1, 200, 2)])
    assert [row.name for row in music.genres.page(ALL, 0).rows] == ["Jazz"]
    assert music.genres.get(jazz.id).track_count == 100
    assert music.genres.get(rock.id) is None
    assert music.tracks.of_genre(rock.id, ALL, 0).total == 0
    assert music.tracks.of_genre(jazz.id, ALL, 0).total == 100


@pytest.mark.parametrize("unknown", [0, -1, 99, 2**31, 2**70])
def test_an_unknown_genre_is_none(library, unknown):
    assert library.genres.get(unknown) is None
    assert library.tracks.of_genre(unknown, 10, 0).total == 0
