"""Smart lists find what plain Python finds, on both databases."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from analyses import analysis
from scanned import scanned

from tonearm.library.smart.fields import FIELDS, Kind
from tonearm.model.errors import InvalidQuery, SmartListNotFound

NOW = datetime.now(UTC)


@pytest.fixture
def music(library):
    """Six tracks of which the last two are not measured."""
    library.tracks.store(
        [
            scanned(
                f"/music/{n}.flac",
                title=f"Song {n}" if n else "Éclair 100%",
                artists=("Björk", "Ann") if n < 3 else ("Bob",),
                album="Post" if n < 2 else None,
                genres=("Techno", "Pop") if n % 2 else ("Jazz",),
                year=1990 + n if n else None,
                track_number=n or None,
            )
            for n in range(6)
        ]
    )
    for n, row in enumerate(library.tracks.page(10, 0, order_by="title").rows[:4]):
        track = library.tracks.get(row.id)
        number = int(track.path.stem)
        found = analysis(lufs=-6.0 - number, tempo_bpm=118.0 + 2 * number)
        library.fingerprints.put(row.id, track.signature, found)
        assert n < 4
    return library


def stems(library, query: str, now: datetime = NOW) -> str:
    page = library.smart_lists.tracks(query, now, 100, 0)
    assert page.total == len(page.rows)
    return "".join(row.track.path.stem for row in page.rows)


QUERIES = [
    ("", "012345"),
    ("lufs > -8.5", "012"),
    ("not lufs > -8.5", "345"),
    ("lufs <= -8 and tempo_bpm between 120 and 124", "23"),
    ("lufs > -9 and genre = 'techno'", "1"),
    ("genre != 'Techno'", "024"),
    ("genre in ('techno', 'jazz')", "012345"),
    ("genre contains 'ech'", "135"),
    ("artist = 'bjork'", "012"),
    ("artist = 'ANN' and artist = 'Björk'", "012"),
    ("not artist contains 'o'", ""),
    ("title = 'eclair 100%'", "0"),
    ("title contains '%'", "0"),
    ("title contains '_'", ""),
    ('title contains "\' OR 1=1 --"', ""),
    ("title < 'song 1'", "0"),
    ("album = 'POST'", "01"),
    ("album != 'post'", ""),
    ("not album = 'post'", "2345"),
    ("year between 1991 and 1992", "12"),
    ("year in (1991, 1995)", "15"),
    ("year != 1991", "2345"),
    ("track_number >= 4.5", "5"),
    ("format = 'FLAC' and channels = 2 and bit_depth = 24", "012345"),
    ("duration < 60 or duration > 60", ""),
    ("true_peak_dbtp > -1000", "0123"),
    ("album_artist = 'x'", ""),
    ("favorite", ""),
    ("play_count = 0", "012345"),
    ("order by lufs", "321045"),
    ("order by lufs desc", "012345"),
    ("order by year desc, title", "543210"),
    ("order by artist desc, title desc limit 4", "5432"),
    ("lufs > -100 order by tempo_bpm desc limit 2", "32"),
    ("limit 3 ", "012"),
]


def test_a_query_finds_what_it_says(music):
    # In one test, because making the music takes longer than all queries.
    for query, wanted in QUERIES:
        found = stems(music, query)
        assert (found if "order by" in query else "".join(sorted(found))) == wanted, query


def test_the_quick_way_finds_what_the_plain_way_finds(music):
    """A double negation means the same, and can only be answered by a look at each track."""
    conditions = [query for query, _ in QUERIES if query and "order by" not in query and "limit" not in query]
    pairs = [f"({one}) and {two}" for one, two in pairwise(conditions)]
    for condition in (*conditions, *pairs):
        assert sorted(stems(music, condition)) == sorted(stems(music, f"not not ({condition})")), condition


def test_what_the_listener_does_can_be_asked_for(music):
    first, second = (row.id for row in music.tracks.page(2, 0, search="song").rows)
    music.favourites.add(first)
    for _ in range(3):
        music.history.record(second, 60.0, True, NOW - timedelta(days=3))
    assert stems(music, "favorite") == music.tracks.get(first).path.stem
    assert stems(music, "play_count > 2") == music.tracks.get(second).path.stem
    assert stems(music, "last_played > 4 days ago") == music.tracks.get(second).path.stem
    assert stems(music, "last_played > 2 days ago") == ""
    assert len(stems(music, "not last_played > 2 days ago")) == 6


def test_time_counts_from_now_and_a_day_is_a_day(music):
    today = NOW.date()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    later = NOW + timedelta(days=10)
    assert len(stems(music, "added > 1 hour ago")) == 6
    assert stems(music, "added > 5 days ago", later) == ""
    assert len(stems(music, "added < 5 days ago", later)) == 6
    assert len(stems(music, f"added between {yesterday} and {tomorrow + timedelta(days=1)}")) == 6
    assert len(stems(music, f"added > {yesterday - timedelta(days=1)}")) == 6
    assert stems(music, f"added <= {yesterday - timedelta(days=1)}") == ""
    assert stems(music, f"added != {today} and added != {tomorrow}") == ""
    assert stems(music, f"added > {tomorrow}") == ""


def test_every_field_can_be_asked_for_and_ordered_by(music):
    ways = {
        Kind.NUMBER: "{} > -1e9",
        Kind.TEXT: "{} contains 'a'",
        Kind.TEXTS: "{} = 'a'",
        Kind.MOMENT: "{} < 1 hour ago",
        Kind.FLAG: "{}",
    }
    for field, kind in FIELDS.items():
        order = "" if field == "genre" else f"order by {field} desc"
        either = f"{ways[kind]} or not {ways[kind]} {order}".format(field, field)
        assert music.smart_lists.tracks(either, NOW, 10, 0).total == 6, field


def test_pages_of_a_limited_list_end_with_it(music):
    query = "order by title limit 5"
    pages = [music.smart_lists.tracks(query, NOW, 2, offset) for offset in (0, 2, 4, 6)]
    assert [len(page.rows) for page in pages] == [2, 2, 1, 0]
    assert {page.total for page in pages} == {5}


def test_missing_files_are_not_found(music):
    path = music.tracks.page(1, 0, search="eclair").rows[0].track.path
    music.tracks.mark_missing([path])
    assert "0" not in stems(music, "")


def test_a_smart_list_is_made_changed_and_forgotten(library):
    made = library.smart_lists.create(" Loud ", "lufs > -9")
    assert (made.name, made.query) == ("Loud", "lufs > -9")
    changed = library.smart_lists.change(made.id, "Quiet", "lufs < -20")
    assert library.smart_lists.all() == (changed,)
    assert library.smart_lists.get(made.id).query == "lufs < -20"
    with pytest.raises(InvalidQuery):
        library.smart_lists.change(made.id, "Quiet", "lufs <")
    with pytest.raises(InvalidQuery):
        library.smart_lists.create("Wrong", "loud")
    library.smart_lists.delete(made.id)
    for call in (
        lambda: library.smart_lists.get(made.id),
        lambda: library.smart_lists.delete(2**40),
        lambda: library.smart_lists.change(0, "x", ""),
    ):
        with pytest.raises(SmartListNotFound):
            call()
