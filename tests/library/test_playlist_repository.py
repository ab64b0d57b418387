"""Playlists keep the order they were given, whatever is added, moved and removed."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scanned import scanned

from tonearm.library.playlist_repository import MAX_ENTRIES
from tonearm.model.errors import PlaylistFull, PlaylistNotFound, TrackNotFound

ALL = 1_000


@pytest.fixture
def ids(library) -> list[int]:
    library.tracks.store([scanned(f"/music/{n}.flac", title=f"t{n}") for n in range(5)])
    return [row.id for row in library.tracks.page(ALL, 0).rows]


def tracks_of(library, playlist_id: int) -> list[int]:
    return [entry.track.id for entry in library.playlists.entries(playlist_id, ALL, 0).rows]


def test_a_playlist_is_made_renamed_and_forgotten(library):
    made = library.playlists.create("  Für  später ")
    assert (made.name, made.track_count, made.duration_s) == ("Für später", 0, 0.0)
    library.playlists.create("alt")
    renamed = library.playlists.rename(made.id, "Alles")
    assert [row.name for row in library.playlists.all()] == ["Alles", "alt"]
    assert renamed.updated_at >= made.updated_at
    assert library.playlists.get(made.id) == renamed
    library.playlists.delete(made.id)
    with pytest.raises(PlaylistNotFound):
        library.playlists.get(made.id)


def test_the_order_is_kept_and_a_track_may_stand_twice(library, ids):
    made = library.playlists.create("a")
    library.playlists.add(made.id, [ids[2], ids[0], ids[2]], None)
    assert tracks_of(library, made.id) == [ids[2], ids[0], ids[2]]
    library.playlists.add(made.id, [ids[4]], 1)
    library.playlists.add(made.id, [ids[3]], 99)
    assert tracks_of(library, made.id) == [ids[2], ids[4], ids[0], ids[2], ids[3]]
    entries = library.playlists.entries(made.id, ALL, 0).rows
    library.playlists.move(made.id, entries[4].id, 0)
    library.playlists.move(made.id, entries[0].id, 99)
    assert tracks_of(library, made.id) == [ids[3], ids[4], ids[0], ids[2], ids[2]]
    library.playlists.remove(made.id, entries[0].id)
    assert tracks_of(library, made.id) == [ids[3], ids[4], ids[0], ids[2]]
    assert library.playlists.get(made.id).duration_s == 240.0
    page = library.playlists.entries(made.id, 2, 1)
    assert ([entry.track.id for entry in page.rows], page.total) == ([ids[4], ids[0]], 4)


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "move", "remove"]), st.integers(0, 6), st.integers(0, 6)), max_size=12
)


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_any_steps_do_what_they_do_to_a_list(library, steps):
    library.tracks.store([scanned(f"/music/{n}.flac") for n in range(7)])
    ids = [row.id for row in library.tracks.page(ALL, 0).rows]
    made = library.playlists.create("a")
    wanted: list[int] = []
    for step, first, second in steps:
        entries = library.playlists.entries(made.id, ALL, 0).rows
        if step == "add":
            library.playlists.add(made.id, [ids[first]], second)
            wanted.insert(second, ids[first])
        elif first < len(entries) and step == "move":
            library.playlists.move(made.id, entries[first].id, second)
            wanted.insert(second, wanted.pop(first))
        elif first < len(entries):
            library.playlists.remove(made.id, entries[first].id)
            wanted.pop(first)
        assert tracks_of(library, made.id) == wanted


def test_what_is_not_there_is_told_and_changes_nothing(library, ids):
    made, other = library.playlists.create("a"), library.playlists.create("b")
    library.playlists.add(made.id, ids[:2], None)
    (entry, _) = library.playlists.entries(made.id, ALL, 0).rows
    with pytest.raises(TrackNotFound):
        library.playlists.add(made.id, [ids[0], 99], None)
    for call in (
        lambda: library.playlists.remove(other.id, entry.id),
        lambda: library.playlists.move(other.id, entry.id, 0),
        lambda: library.playlists.remove(made.id, 2**40),
        lambda: library.playlists.add(2**40, [], None),
        lambda: library.playlists.rename(0, "x"),
        lambda: library.playlists.delete(99),
        lambda: library.playlists.entries(99, ALL, 0),
    ):
        with pytest.raises(PlaylistNotFound):
            call()
    assert tracks_of(library, made.id) == ids[:2]


@pytest.mark.parametrize("name", ["", "  ", "\0", "x" * 201])
def test_a_playlist_needs_a_name(library, name):
    with pytest.raises(ValueError, match=r"1\.\.200"):
        library.playlists.create(name)


def test_a_playlist_has_an_end(library, ids):
    made = library.playlists.create("a")
    with pytest.raises(PlaylistFull):
        library.playlists.add(made.id, [ids[0]] * (MAX_ENTRIES + 1), None)
    assert library.playlists.get(made.id).track_count == 0
