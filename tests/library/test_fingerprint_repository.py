"""Fingerprints: complete and unharmed, or a reason why not."""

from dataclasses import fields, replace
from typing import Any

import pytest
from analyses import analysis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scanned import scanned
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import IntegrityError

from tonearm.library.tables import track_fingerprints, track_measures
from tonearm.library.values import FingerprintCounts, FingerprintStatus
from tonearm.model.errors import TrackNotFound
from tonearm.model.fingerprint import ALGORITHM_VERSION, BAND_NAMES, DIMENSION_NAMES, DIMENSIONS
from tonearm.model.measures import TrackMeasures
from tonearm.model.track import Track

ALL = 1_000


@pytest.fixture
def track(library) -> Track:
    library.tracks.store([scanned("/music/a.flac")])
    return library.tracks.page(1, 0).rows[0].track


def status(library, track: Track) -> FingerprintStatus:
    return library.tracks.summary(track.id).fingerprint_status


def test_columns_are_the_fields_of_the_vocabulary():
    assert tuple(track_fingerprints.c.keys()) == ("track_id", *DIMENSION_NAMES)
    assert tuple(track_measures.c.keys()) == ("track_id", *(field.name for field in fields(TrackMeasures)))
    assert not any(column.nullable for table in (track_fingerprints, track_measures) for column in table.c)


def test_nothing_measured_is_none_and_pending(library, track):
    assert library.fingerprints.get(track.id, track.signature) is None
    assert status(library, track) is FingerprintStatus.PENDING
    assert library.fingerprints.counts() == FingerprintCounts(total=1, complete=0, pending=1, failed=0)
    assert library.fingerprints.pending(ALL) == [track]
    assert library.fingerprints.pending(0) == []


def test_what_was_put_comes_back_bit_for_bit(library, track):
    library.fingerprints.put(track.id, track.signature, analysis())
    assert library.fingerprints.get(track.id, track.signature) == analysis()
    assert status(library, track) is FingerprintStatus.COMPLETE
    assert library.fingerprints.counts() == FingerprintCounts(total=1, complete=1, pending=0, failed=0)
    assert library.fingerprints.pending(ALL) == []


def test_totals_follow_the_files(library, track):
    """What was measured counts for the file it was measured on, while that is there."""
    library.fingerprints.put(track.id, track.signature, analysis())
    library.tracks.store([scanned("/music/b.flac")])
    other = library.tracks.page(2, 0, order_by="-added").rows
    other = next(row.track for row in other if row.id != track.id)
    library.fingerprints.record_failure(other.id, other.signature, "DECODE_ERROR")
    assert library.fingerprints.counts() == FingerprintCounts(total=2, complete=1, pending=0, failed=1)
    library.tracks.store([scanned("/music/a.flac", mtime_ns=2)])
    assert library.fingerprints.counts() == FingerprintCounts(total=2, complete=0, pending=1, failed=1)
    library.tracks.store([scanned("/music/a.flac", mtime_ns=track.signature.mtime_ns)])
    assert library.fingerprints.counts() == FingerprintCounts(total=2, complete=1, pending=0, failed=1)
    library.tracks.mark_missing([track.path])
    assert library.fingerprints.counts() == FingerprintCounts(total=1, complete=0, pending=0, failed=1)
    library.tracks.mark_present([track.path])
    # Measured on another state than the one that the library knows.
    library.fingerprints.put(other.id, replace(other.signature, size=77), analysis())
    assert library.fingerprints.counts() == FingerprintCounts(total=2, complete=1, pending=1, failed=0)
    assert status(library, other) is FingerprintStatus.PENDING


FREE = [dimension for dimension in DIMENSIONS if dimension.name not in BAND_NAMES]


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.fixed_dictionaries(
        {
            dimension.name: st.floats(dimension.metadata["low"], dimension.metadata["high"])
            for dimension in FREE
        }
    )
)
def test_no_value_is_rounded(library, values):
    library.tracks.store([scanned("/music/a.flac")])
    track = library.tracks.page(1, 0).rows[0].track
    library.fingerprints.put(track.id, track.signature, analysis(**values))
    read = library.fingerprints.get(track.id, track.signature)
    assert read is not None
    assert read.fingerprint.as_mapping() == analysis(**values).fingerprint.as_mapping()


def test_putting_again_writes_over(library, track):
    library.fingerprints.put(track.id, track.signature, analysis())
    library.fingerprints.put(track.id, track.signature, analysis(lufs=-9.25))
    read = library.fingerprints.get(track.id, track.signature)
    assert read is not None
    assert read.fingerprint.lufs == -9.25


@pytest.mark.parametrize("change", [{"size": 1}, {"mtime_ns": 2}, {"content": "beef"}])
def test_a_changed_file_has_no_fingerprint(library, track, change):
    library.fingerprints.put(track.id, track.signature, analysis())
    changed = replace(track.signature, **change)
    assert library.fingerprints.get(track.id, changed) is None
    library.tracks.store([replace(scanned("/music/a.flac"), signature=changed)])
    assert status(library, track) is FingerprintStatus.PENDING
    assert [waiting.signature for waiting in library.fingerprints.pending(ALL)] == [changed]


def test_an_older_algorithm_stays_in_use_and_is_measured_again_last(library, track):
    old = replace(analysis(), algorithm_version=ALGORITHM_VERSION - 1)
    library.fingerprints.put(track.id, track.signature, old)
    assert library.fingerprints.get(track.id, track.signature) == old
    assert library.fingerprints.counts().complete == 1
    library.tracks.store([scanned("/music/b.flac")])
    assert [waiting.path.name for waiting in library.fingerprints.pending(ALL)] == ["b.flac", "a.flac"]


def test_a_failure_has_a_code_and_no_fingerprint(library, track):
    library.fingerprints.record_failure(track.id, track.signature, "DECODE_ERROR")
    assert library.fingerprints.get(track.id, track.signature) is None
    assert status(library, track) is FingerprintStatus.ERROR
    assert library.fingerprints.counts() == FingerprintCounts(total=1, complete=0, pending=0, failed=1)
    assert library.fingerprints.pending(ALL) == []
    library.fingerprints.put(track.id, track.signature, analysis())
    assert library.fingerprints.get(track.id, track.signature) == analysis()


def test_a_failure_is_told_for_this_state_of_the_file_alone(library, track):
    assert library.fingerprints.failure(track.id, track.signature) is None
    library.fingerprints.record_failure(track.id, track.signature, "DECODE_ERROR")
    assert library.fingerprints.failure(track.id, track.signature) == "DECODE_ERROR"
    assert library.fingerprints.failure(track.id, replace(track.signature, mtime_ns=1)) is None
    assert library.fingerprints.failure(2**80, track.signature) is None
    library.fingerprints.put(track.id, track.signature, analysis())
    assert library.fingerprints.failure(track.id, track.signature) is None


def test_failing_again_leaves_one_row_with_the_latest_reason(library, track, raw):
    for code in ("DECODE_ERROR", "ANALYSIS_TOO_LONG"):
        library.fingerprints.record_failure(track.id, track.signature, code)
    assert library.fingerprints.failure(track.id, track.signature) == "ANALYSIS_TOO_LONG"
    assert rows(raw) == [(track.id, "error", "ANALYSIS_TOO_LONG")]


def test_a_failed_file_that_changes_is_pending_again(library, track):
    library.fingerprints.record_failure(track.id, track.signature, "DECODE_ERROR")
    changed = replace(track.signature, content="beef")
    library.tracks.store([replace(scanned("/music/a.flac"), signature=changed)])
    assert [waiting.signature for waiting in library.fingerprints.pending(ALL)] == [changed]
    assert library.fingerprints.failure(track.id, changed) is None


@pytest.mark.parametrize("measured_before", [False, True])
def test_a_later_algorithm_tries_a_failed_file_once_more(library, track, raw, measured_before):
    if measured_before:
        old = replace(analysis(), algorithm_version=ALGORITHM_VERSION - 2)
        library.fingerprints.put(track.id, track.signature, old)
    library.fingerprints.record_failure(track.id, track.signature, "DECODE_ERROR")
    assert library.fingerprints.pending(ALL) == []
    make_failures_older(raw)
    assert library.fingerprints.pending(ALL) == [track]
    assert library.fingerprints.failure(track.id, track.signature) is None
    assert (library.fingerprints.get(track.id, track.signature) is not None) is measured_before
    library.fingerprints.record_failure(track.id, track.signature, "DECODE_ERROR")
    assert library.fingerprints.pending(ALL) == []


def rows(raw: Engine) -> list[Any]:
    with raw.connect() as database:
        return list(database.execute(text("SELECT track_id, status, error_code FROM analyses")))


def make_failures_older(raw: Engine) -> None:
    """As if they were of the algorithm before the present one."""
    with raw.begin() as database:
        database.execute(text("UPDATE analyses SET failed_version = failed_version - 1"))
        database.execute(
            text("UPDATE analyses SET algorithm_version = failed_version WHERE status = 'error'")
        )


def test_a_failure_on_a_changed_file_takes_the_old_fingerprint_away(library, track):
    library.fingerprints.put(track.id, track.signature, analysis())
    library.fingerprints.record_failure(track.id, replace(track.signature, content="beef"), "DECODE_ERROR")
    assert library.fingerprints.get(track.id, track.signature) is None


def test_a_failure_to_measure_again_leaves_the_older_fingerprint_and_is_not_tried_for_ever(library, track):
    old = replace(analysis(), algorithm_version=ALGORITHM_VERSION - 1)
    library.fingerprints.put(track.id, track.signature, old)
    library.fingerprints.record_failure(track.id, track.signature, "DECODE_ERROR")
    assert library.fingerprints.get(track.id, track.signature) == old
    assert status(library, track) is FingerprintStatus.COMPLETE
    assert library.fingerprints.pending(ALL) == []


@pytest.mark.parametrize("track_id", [0, -5, 99, 2**40, 2**80])
def test_an_unknown_track_takes_nothing(library, track, track_id):
    with pytest.raises(TrackNotFound):
        library.fingerprints.put(track_id, track.signature, analysis())
    with pytest.raises(TrackNotFound):
        library.fingerprints.record_failure(track_id, track.signature, "DECODE_ERROR")
    assert library.fingerprints.get(track_id, track.signature) is None


def test_an_incomplete_row_is_refused_by_the_database_itself(track, raw):
    row = {"track_id": track.id, **analysis().fingerprint.as_mapping(), "lufs": None}
    with raw.connect() as connection, pytest.raises(IntegrityError, match=r"(?i)not[ -]null"):
        connection.execute(insert(track_fingerprints).values(**row))


def test_pending_is_a_page(library):
    library.tracks.store([scanned(f"/music/{n}.flac") for n in range(5)])
    assert len(library.fingerprints.pending(3)) == 3
    with pytest.raises(ValueError, match="limit"):
        library.fingerprints.pending(-1)
