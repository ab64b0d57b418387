"""The level of an album, beside libebur128 on all its tracks together."""

from dataclasses import astuple

import numpy as np
import pyebur128
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import analysed, noise
from truth import lufs, true_peak_dbtp

from tonearm.dsp.downmix import to_stereo
from tonearm.mastering.album import TrackLevel, album_level_of
from tonearm.model.measures import HISTOGRAM_BINS

RATE = 44_100
MODE = pyebur128.MeasurementMode.MODE_I


def level(samples: np.ndarray, layout: str = "") -> TrackLevel:
    found = analysed(samples, RATE, layout)
    shift = found.measures.downmix_lufs - found.fingerprint.lufs
    return TrackLevel(found.measures.gating_histogram, found.measures.downmix_true_peak_dbtp, shift)


def together(tracks: list[np.ndarray]) -> float:
    """Loudness over all tracks by libebur128's own gate over several states."""
    states = []
    for samples in tracks:
        state = pyebur128.R128State(samples.shape[1], RATE, MODE)
        state.add_frames(np.ascontiguousarray(samples).reshape(-1), len(samples))
        states.append(state)
    return float(pyebur128.get_loudness_global_multiple(states))


def at(level_db: float, seconds: float, seed: int) -> np.ndarray:
    return noise(seconds, amplitude=10 ** (level_db / 20), seed=seed)


@pytest.mark.parametrize(
    "levels_db",
    [
        [-14.0, -20.0, -30.0],
        # The quiet one lies under the gate of the loud ones, though it would pass its own.
        [-10.0, -26.0],
        # At the border of the gate.
        [-12.0, -22.5, -23.5, -24.5],
        [-55.0, -58.0],
        [-69.0, -20.0],
        [-17.3],
    ],
)
def test_loudness_and_peak_are_those_of_all_tracks_measured_together(levels_db: list[float]) -> None:
    tracks = [at(db, 4.0 + 2.0 * seed, seed) for seed, db in enumerate(levels_db)]
    found = album_level_of(level(samples) for samples in tracks)
    assert found is not None
    assert found.lufs == pytest.approx(together(tracks), abs=0.05)
    assert found.true_peak_dbtp == pytest.approx(max(map(true_peak_dbtp, tracks)), abs=0.02)


def test_loudness_is_that_of_the_tracks_joined() -> None:
    tracks = [at(db, 30.0, seed) for seed, db in enumerate((-14.0, -19.0, -28.0))]
    found = album_level_of(level(samples) for samples in tracks)
    assert found is not None
    assert found.lufs == pytest.approx(lufs(np.concatenate(tracks), RATE), abs=0.1)


def test_a_silent_track_changes_nothing() -> None:
    loud = level(at(-18.0, 5.0, 0))
    silent = TrackLevel((0,) * HISTOGRAM_BINS, -120.0)
    assert album_level_of([loud, silent]) == album_level_of([loud])


def test_surround_counts_as_its_downmix() -> None:
    rng = np.random.default_rng(5)
    surround = (0.05 * rng.standard_normal((8 * RATE, 6))).astype(np.float32)
    stereo = at(-20.0, 8.0, 1)
    found = album_level_of([level(surround, "5.1(side)"), level(stereo)])
    heard = [to_stereo(surround, "5.1(side)"), stereo]
    assert found is not None
    assert found.lufs == pytest.approx(together(heard), abs=0.1)
    assert found.lufs != pytest.approx(together([surround, stereo]), abs=0.5)
    assert found.true_peak_dbtp == pytest.approx(max(map(true_peak_dbtp, heard)), abs=0.02)


def test_an_album_of_nothing_has_no_level() -> None:
    assert album_level_of([]) is None
    assert album_level_of([TrackLevel((0,) * HISTOGRAM_BINS, -90.0)]) is None


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, HISTOGRAM_BINS - 1), st.integers(1, 900)), max_size=5),
            st.floats(-60, 10),
        ),
        max_size=6,
    )
)
def test_neither_order_nor_cutting_matters(drawn: list[tuple[list[tuple[int, int]], float]]) -> None:
    tracks = []
    for bins, peak in drawn:
        counts = [0] * HISTOGRAM_BINS
        for place, count in bins:
            counts[place] += count
        tracks.append(TrackLevel(tuple(counts), peak))
    found, turned = album_level_of(tracks), album_level_of(reversed(tracks))
    joined = [TrackLevel(tuple(map(sum, zip(*(t.gating_histogram for t in tracks), strict=True))), 0.0)]
    whole = album_level_of(joined) if tracks else None
    assert (found is None) == (turned is None) == (whole is None)
    if found and turned and whole:
        assert astuple(found) == pytest.approx(astuple(turned))
        assert found.lufs == pytest.approx(whole.lufs)
