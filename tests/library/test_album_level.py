"""The level of an album, from what is stored of its tracks."""

from dataclasses import replace
from pathlib import Path

import pytest
from analyses import analysis
from scanned import scanned

from tonearm.mastering.album import TrackLevel, album_level_of
from tonearm.model.measures import HISTOGRAM_BINS, Analysis
from tonearm.model.track import Track


def measured(bin_: int, peak_dbtp: float, lufs: float = -20.0, downmix_lufs: float = -20.0) -> Analysis:
    """An analysis whose blocks all lie in one bin."""
    found = analysis(lufs=lufs)
    histogram = [0] * HISTOGRAM_BINS
    histogram[bin_] = 100
    measures = replace(
        found.measures,
        gating_histogram=tuple(histogram),
        downmix_lufs=downmix_lufs,
        downmix_true_peak_dbtp=peak_dbtp,
    )
    return replace(found, measures=measures)


def put(library, track: Track, found: Analysis) -> None:
    library.fingerprints.put(track.id, track.signature, found)


@pytest.fixture
def album(library) -> list[Track]:
    """Three tracks of one album and one of another."""
    library.tracks.store([scanned(f"/m/{n}.flac", album="A", track_number=n + 1) for n in range(3)])
    library.tracks.store([scanned("/m/x/other.flac", album="B")])
    (first,) = (row for row in library.albums.page(10, 0).rows if row.title == "A")
    return [summary.track for summary in library.tracks.of_album(first.id)]


def test_it_is_there_when_the_last_track_is_measured(library, album):
    first, second, third = album
    put(library, first, measured(500, -3.0))
    put(library, second, measured(480, -0.5))
    assert library.albums.level(first.album_id) is None
    # Six channels: heard as a downmix that is 2.5 LU louder.
    put(library, third, measured(470, -1.5, lufs=-22.5, downmix_lufs=-20.0))
    histograms = [measured(bin_, 0.0).measures.gating_histogram for bin_ in (500, 480, 470)]
    expected = album_level_of(
        [
            TrackLevel(histograms[0], -3.0),
            TrackLevel(histograms[1], -0.5),
            TrackLevel(histograms[2], -1.5, shift_lu=2.5),
        ]
    )
    assert library.albums.level(first.album_id) == expected
    assert expected is not None
    assert expected.true_peak_dbtp == -0.5


def test_a_file_that_changed_is_not_measured(library, album):
    for track in album:
        put(library, track, measured(500, -3.0))
    assert library.albums.level(album[0].album_id) is not None
    library.tracks.store([scanned("/m/1.flac", content="other", album="A", track_number=2)])
    assert library.albums.level(album[0].album_id) is None


def test_a_file_that_is_gone_is_no_part_of_the_album(library, album):
    for track in album[:2]:
        put(library, track, measured(500, -3.0))
    put(library, album[2], measured(700, 2.0))
    whole = library.albums.level(album[0].album_id)
    library.tracks.mark_missing([Path("/m/2.flac")])
    rest = library.albums.level(album[0].album_id)
    assert whole is not None
    assert rest is not None
    assert (whole.true_peak_dbtp, rest.true_peak_dbtp) == (2.0, -3.0)
    assert rest.lufs == pytest.approx(-70 + 50.05)


def test_silence_counts_as_measured_and_damage_does_not(library, album):
    for track in album[:2]:
        put(library, track, measured(500, -3.0))
    library.fingerprints.record_failure(album[2].id, album[2].signature, "NOT_ENOUGH_AUDIO")
    level = library.albums.level(album[0].album_id)
    assert level is not None
    assert level.lufs == pytest.approx(-70 + 50.05)
    library.fingerprints.record_failure(album[2].id, album[2].signature, "DECODE_ERROR")
    assert library.albums.level(album[0].album_id) is None


@pytest.mark.parametrize("unknown", [None, 0, -1, 99, 2**31, 2**70])
def test_no_album_has_no_level(library, unknown):
    assert library.albums.level(unknown) is None


def test_an_album_of_silence_has_no_level(library, album):
    for track in album:
        library.fingerprints.record_failure(track.id, track.signature, "NOT_ENOUGH_AUDIO")
    assert library.albums.level(album[0].album_id) is None
