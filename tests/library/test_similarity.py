"""Similar tracks: those that plain numpy finds, kept true as fingerprints come and go."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from analyses import analysis
from scanned import scanned
from sqlalchemy import insert

from tonearm.library.nearness import Scale, heard
from tonearm.library.tables import analyses, track_fingerprints
from tonearm.model.errors import FingerprintNotReady, TrackNotFound
from tonearm.model.fingerprint import BAND_NAMES, DIMENSION_NAMES, DIMENSIONS

ALL = 1_000
TEMPO = DIMENSION_NAMES.index("tempo_bpm")


def fingerprints(count: int, seed: int = 0) -> np.ndarray:
    """Fingerprints spread inside their ranges, ``[count, 25]``."""
    random = np.random.default_rng(seed)
    low = np.array([dimension.metadata["low"] for dimension in DIMENSIONS])
    high = np.array([min(dimension.metadata["high"], 20_000.0) for dimension in DIMENSIONS])
    values = low + (high - low) * random.beta(2.0, 5.0, (count, len(DIMENSIONS)))
    bands = random.dirichlet(np.full(len(BAND_NAMES), 3.0), count)
    values[:, : len(BAND_NAMES)] = 100.0 * bands
    return values


def put(library, track_id: int, values: np.ndarray) -> None:
    track = library.tracks.get(track_id)
    numbers = dict(zip(DIMENSION_NAMES, values.tolist(), strict=True))
    library.fingerprints.put(track_id, track.signature, analysis(**numbers))


@pytest.fixture
def measured(library):
    """Sixty tracks of which the first fifty are measured."""
    library.tracks.store([scanned(f"/music/{n:02}.flac", title=f"{n:02}") for n in range(60)])
    for row, values in zip(library.tracks.page(50, 0).rows, fingerprints(50), strict=True):
        put(library, row.id, values)
    return library


def wanted_order(values: dict[int, np.ndarray], scale: Scale, track_id: int) -> list[int]:
    """By the formula of ``nearness``, written out once more."""
    table = np.array(list(values.values()))
    z = np.clip((heard(table) - scale.median) / scale.spread, -4, 4)
    here = z[list(values).index(track_id)]
    distance = np.sqrt(((z - here) ** 2 * scale.weights).sum(axis=1))
    return [other for _, other in sorted(zip(distance, values, strict=True)) if other != track_id]


def ids_of(library) -> list[int]:
    return [row.id for row in library.tracks.page(ALL, 0).rows]


def test_the_nearest_are_those_of_the_formula(measured):
    ids = ids_of(measured)[:50]
    values = dict(zip(ids, fingerprints(50), strict=True))
    scale = Scale.of(fingerprints(50))
    for track_id in ids[:5]:
        found = measured.similarity.similar(track_id, 10)
        assert [one.track_id for one in found] == wanted_order(values, scale, track_id)[:10]
        assert [one.distance for one in found] == sorted(one.distance for one in found)
        assert all(one.score == 1 / (1 + one.distance) for one in found)


def test_it_follows_fingerprints_that_come_change_and_go(measured):
    ids = ids_of(measured)
    first = fingerprints(50)[0]
    measured.similarity.similar(ids[0], 3)
    put(measured, ids[55], first + 1e-9)
    (nearest,) = measured.similarity.similar(ids[0], 1)
    assert nearest.track_id == ids[55]
    assert nearest.distance == pytest.approx(0.0, abs=1e-6)
    put(measured, ids[55], fingerprints(1, seed=9)[0])
    put(measured, ids[7], first)
    assert measured.similarity.similar(ids[0], 1)[0].track_id == ids[7]
    track = measured.tracks.get(ids[7])
    measured.fingerprints.record_failure(ids[7], replace(track.signature, content="beef"), "DECODE_ERROR")
    assert ids[7] not in [one.track_id for one in measured.similarity.similar(ids[0], ALL)]
    put(measured, ids[8], first)
    measured.tracks.mark_missing([Path("/music/08.flac")])
    assert ids[8] not in [one.track_id for one in measured.similarity.similar(ids[0], ALL)]
    measured.tracks.mark_present([Path("/music/08.flac")])
    assert measured.similarity.similar(ids[0], 1)[0].track_id == ids[8]


def test_a_library_that_doubles_is_measured_by_its_own_scale_again(library):
    library.tracks.store([scanned(f"/music/{n:03}.flac", title=f"{n:03}") for n in range(60)])
    ids = ids_of(library)
    values = np.vstack([fingerprints(10, seed=1), fingerprints(50, seed=2)])
    for track_id, one in zip(ids[:10], values[:10], strict=True):
        put(library, track_id, one)
    library.similarity.similar(ids[0], 3)
    for track_id, one in zip(ids[10:], values[10:], strict=True):
        put(library, track_id, one)
    library.similarity.similar(ids[0], 3)
    put(library, ids[59], values[59])
    found = [one.track_id for one in library.similarity.similar(ids[0], 10)]
    assert found == wanted_order(dict(zip(ids, values, strict=True)), Scale.of(values), ids[0])[:10]


def test_many_missing_neighbours_do_not_hide_the_others(measured):
    ids = ids_of(measured)
    order = [one.track_id for one in measured.similarity.similar(ids[0], ALL)]
    gone = [measured.tracks.get(track_id).path for track_id in order[:45]]
    measured.tracks.mark_missing(gone)
    assert [one.track_id for one in measured.similarity.similar(ids[0], 2)] == order[45:47]


def test_reasons_name_what_is_unusual_with_both_values(measured):
    ids = ids_of(measured)
    here, there = fingerprints(2, seed=5)
    there[TEMPO] = here[TEMPO] = 181.4
    put(measured, ids[50], here)
    put(measured, ids[51], there)
    reasons = {one.track_id: one.because for one in measured.similarity.similar(ids[50], ALL)}
    assert "same tempo (181 and 181 BPM)" in reasons[ids[51]]
    assert all(len(because) <= 3 for because in reasons.values())
    assert any(reasons.values())


def test_among_many_the_nearest_are_still_all_of_them(library, raw):
    # So many that not all are ranked; written past the repository, which would take a minute.
    count = 5_000
    values = fingerprints(count, seed=4)
    library.tracks.store([scanned(f"/music/{n:04}.flac", title=f"{n:04}") for n in range(count)])
    signature = {"size": 1_000, "mtime_ns": 1_700_000_000, "content": "c0ffee"}
    known = {"status": "complete", "algorithm_version": 1, "analysed_at": datetime.now(UTC), **signature}
    with raw.begin() as connection:
        connection.execute(insert(analyses), [{"track_id": n + 1, **known} for n in range(count)])
        rows = [dict(zip(DIMENSION_NAMES, row, strict=True)) for row in values.tolist()]
        connection.execute(
            insert(track_fingerprints), [{"track_id": n, **row} for n, row in enumerate(rows, 1)]
        )
    found = [one.track_id for one in library.similarity.similar(7, 10)]
    assert found == wanted_order(dict(enumerate(values, 1)), Scale.of(values), 7)[:10]


def test_what_has_no_fingerprint_has_no_neighbours(measured):
    with pytest.raises(FingerprintNotReady):
        measured.similarity.similar(ids_of(measured)[58], 5)
    for unknown in (0, 99, 2**40):
        with pytest.raises(TrackNotFound):
            measured.similarity.similar(unknown, 5)


def test_one_measured_track_alone_has_none(library):
    library.tracks.store([scanned("/music/a.flac")])
    put(library, 1, fingerprints(1)[0])
    assert library.similarity.similar(1, 5) == []


def test_weights_share_what_dimensions_say_together():
    random = np.random.default_rng(3)
    values = fingerprints(400)
    # Rolloff says what centroid says; the others say what they say by themselves.
    centroid, rolloff = (DIMENSION_NAMES.index(name) for name in ("spectral_centroid", "spectral_rolloff"))
    values[:, rolloff] = 2 * values[:, centroid] * (1 + 1e-4 * random.standard_normal(400))
    scale = Scale.of(values)
    assert scale.weights.sum() == pytest.approx(1.0)
    assert scale.correlation[centroid, rolloff] > 0.99
    alone = scale.weights[TEMPO]
    assert scale.weights[centroid] == pytest.approx(alone / 2, rel=0.25)


def test_a_dimension_in_which_all_are_alike_divides_by_nothing():
    values = fingerprints(20)
    values[:, TEMPO] = 0.0
    scale = Scale.of(values)
    assert np.isfinite(scale.place(values)).all()
    assert np.isfinite(scale.weights).all()
