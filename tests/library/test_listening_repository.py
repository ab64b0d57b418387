"""Favourites, plays and how often."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from scanned import scanned

from tonearm.model.errors import TrackNotFound

ALL = 1_000
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def ids(library) -> list[int]:
    """Three tracks of one minute."""
    library.tracks.store([scanned(f"/music/{n}.flac", title=f"t{n}") for n in range(3)])
    return [row.id for row in library.tracks.page(ALL, 0).rows]


def test_a_mark_is_seen_wherever_the_track_is(library, ids):
    library.favourites.add(ids[1])
    library.favourites.add(ids[1])
    assert [row.favourite for row in library.tracks.page(ALL, 0).rows] == [False, True, False]
    assert library.tracks.summary(ids[1]).favourite
    assert [row.id for row in library.tracks.favourites(ALL, 0).rows] == [ids[1]]
    library.favourites.add(ids[0])
    assert [row.id for row in library.tracks.favourites(ALL, 0, "-title").rows] == [ids[1], ids[0]]
    library.favourites.remove(ids[1])
    library.favourites.remove(ids[1])
    assert [row.id for row in library.tracks.favourites(ALL, 0).rows] == [ids[0]]
    assert not library.tracks.summary(ids[1]).favourite


@pytest.mark.parametrize(
    ("heard_s", "completed", "counted"),
    [(29.9, False, False), (30.0, False, True), (5.0, True, True), (0.0, False, False), (400.0, False, True)],
)
def test_a_play_counts_from_half_of_the_track_on(library, ids, heard_s, completed, counted):
    assert library.history.record(ids[0], heard_s, completed, NOON) is counted
    assert library.tracks.summary(ids[0]).play_count == int(counted)
    (play,) = library.history.page(ALL, 0).rows
    assert (play.track.id, play.played_seconds, play.counted, play.played_at) == (
        ids[0],
        heard_s,
        counted,
        NOON,
    )


def test_of_a_long_track_four_minutes_count(library):
    hour = scanned("/music/hour.flac")
    library.tracks.store([hour])
    (row,) = library.tracks.page(ALL, 0).rows
    assert library.history.record(row.id, 30.0, False, NOON)
    long = scanned("/music/long.flac", frames=3_600 * 48_000)
    library.tracks.store([long])
    track = library.tracks.page(ALL, 0, search="long").rows[0]
    assert not library.history.record(track.id, 239.9, False, NOON)
    assert library.history.record(track.id, 240.0, False, NOON)


def test_history_begins_with_the_latest(library, ids):
    zone = timezone(timedelta(hours=5))
    for minute, track_id in enumerate([ids[0], ids[1], ids[0]]):
        library.history.record(track_id, 60.0, True, (NOON + timedelta(minutes=minute)).astimezone(zone))
    page = library.history.page(2, 0)
    assert ([play.track.id for play in page.rows], page.total) == ([ids[0], ids[1]], 3)
    assert [play.track.id for play in library.history.page(2, 2).rows] == [ids[0]]
    assert page.rows[0].track.play_count == 2
    library.history.clear()
    assert library.history.page(ALL, 0).total == 0
    assert library.tracks.summary(ids[0]).play_count == 2


@pytest.mark.parametrize("track_id", [0, -1, 99, 2**40])
def test_an_unknown_track_cannot_be_liked_or_played(library, track_id):
    for call in (
        lambda: library.favourites.add(track_id),
        lambda: library.favourites.remove(track_id),
        lambda: library.history.record(track_id, 1.0, False, NOON),
    ):
        with pytest.raises(TrackNotFound):
            call()


@pytest.mark.parametrize("heard_s", [-1.0, float("nan"), float("inf")])
def test_an_impossible_play_is_refused(library, ids, heard_s):
    with pytest.raises(ValueError, match="played_seconds"):
        library.history.record(ids[0], heard_s, False, NOON)
    with pytest.raises(ValueError, match="zone"):
        library.history.record(ids[0], 1.0, False, datetime(2026, 5, 1, 12))  # noqa: DTZ001


def test_a_file_that_is_away_keeps_its_mark_and_its_count(library, ids):
    path = library.tracks.get(ids[0]).path
    library.favourites.add(ids[0])
    library.history.record(ids[0], 60.0, True, NOON)
    library.tracks.mark_missing([path])
    assert library.tracks.favourites(ALL, 0).total == 0
    assert library.history.page(ALL, 0).total == 1
    library.tracks.mark_present([Path(path)])
    row = library.tracks.favourites(ALL, 0).rows[0]
    assert (row.id, row.play_count) == (ids[0], 1)
