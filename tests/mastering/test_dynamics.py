"""Compression and restoration: levels by hand, and what they do to music by meters that are not ours."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from brickwall import limited
from mastered import Samples, levels, measured, planned, render, si_sdr_db

from tonearm.dsp.equaliser import band_response_db
from tonearm.mastering.dynamics import (
    boost_within,
    compression,
    compression_change,
    gathered_peaks_dbfs,
    reduction_of,
    restoration,
    restoration_change,
    wanted_boost,
)
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.model.plan import Compression, MasteringPlan, MasteringState, Restoration

FLAT = (0.0,) * 7
CURVE = (1.0, -2.0, 0.5, 1.5, -1.0, 2.5, -3.0)


def waveform(*halves: tuple[float, float]) -> bytes:
    """1000 pairs: of each ``(share, peak)`` so many, in this order."""
    pairs = [
        (-round(127 * peak), round(127 * peak)) for share, peak in halves for _ in range(round(1000 * share))
    ]
    return np.array(pairs, np.int8).tobytes()


@pytest.mark.parametrize(
    ("peak", "lufs", "lra", "psr", "seconds", "master", "wanted"),
    [
        (-1.0, -21.0, 16.0, 11.0, 60.0, 1.0, 2.0),
        (-1.0, -18.0, 12.0, 10.0, 60.0, 1.0, 2.0 * 0.5 * 0.5 * 0.5),
        (2.0, -20.0, 16.0, 11.0, 60.0, 1.0, 2.0),
        (2.0, -17.0, 16.0, 11.0, 60.0, 1.0, 1.0),
        (4.0, -17.0, 16.0, 11.0, 60.0, 1.0, 2.0 * 4.0 / 6.0),
        (-1.0, -21.0, 16.0, 11.0, 45.0, 1.0, 1.0),
        (-1.0, -21.0, 16.0, 11.0, 60.0, 0.3, 0.6),
        (-1.0, -15.0, 16.0, 11.0, 60.0, 1.0, 0.0),
        (-1.0, -21.0, 8.0, 11.0, 60.0, 1.0, 0.0),
        (-1.0, -21.0, 16.0, 9.0, 60.0, 1.0, 0.0),
        (-1.0, -21.0, 16.0, 11.0, 30.0, 1.0, 0.0),
    ],
)
def test_the_reduction_by_hand(
    peak: float, lufs: float, lra: float, psr: float, seconds: float, master: float, wanted: float
) -> None:
    assert reduction_of(peak, lufs, lra, psr, seconds, master) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(
    ("crest", "restore", "scale", "wanted"),
    [
        (12.0, 1.0, 1.0, 1.0),
        (8.5, 1.0, 1.0, 3.0),
        (11.0, 0.5, 1.0, 1.0),
        (14.0, 1.0, 1.0, 1.0),
        (11.0, 1.0, 1.5, 3.0),
    ],
)
def test_the_boost_by_hand(crest: float, restore: float, scale: float, wanted: float) -> None:
    assert wanted_boost(crest, restore, scale) == pytest.approx(wanted)


def test_the_boost_stays_under_the_ceiling_with_what_it_takes_off_the_gain() -> None:
    assert boost_within(3.0, 10.0) == 3.0
    assert boost_within(3.0, -1.0) == 0.0
    bounded = boost_within(3.0, 1.5)
    assert bounded - restoration_change(bounded) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("halves", "peak"),
    [
        (((1.0, 1.0),), 1.0),
        (((0.5, 0.25), (0.5, 1.0)), 1.0),
        # Loud for a tenth and more: the rest says nothing of where it was limited.
        (((0.8, 0.1), (0.2, 1.0)), 10 ** (-1 / 20)),
        # One loud stroke is not where the peaks are.
        (((0.95, 0.5), (0.05, 1.0)), 0.5),
        (((1.0, 0.0),), 0.5 / 127),
    ],
)
def test_where_the_peaks_are(track: type, halves: tuple[tuple[float, float], ...], peak: float) -> None:
    found = gathered_peaks_dbfs(track(waveform=waveform(*halves)).measures)
    assert found == pytest.approx(20 * np.log10(peak), abs=0.1)


def test_the_levels_of_the_bands_are_those_of_the_spectrum_and_follow_the_equaliser(track: type) -> None:
    measures = track(-20.0).measures
    plain, raised = compression(1.0, measures, -20.0, FLAT), compression(1.0, measures, -20.0, CURVE)
    hertz = np.array(THIRD_OCTAVES_HZ)
    power = 10 ** (np.array(measures.third_octaves_db) / 10)
    response = 10 ** (band_response_db(CURVE, hertz, 44_100) / 10)
    for band, (low, high) in enumerate([(0.0, 200.0), (200.0, 4000.0), (4000.0, 1e6)]):
        inside = (hertz >= low) & (hertz < high)
        ratio = 10 * np.log10((power * response)[inside].sum() / power[inside].sum())
        assert raised.full_dbfs[band] - plain.full_dbfs[band] == pytest.approx(ratio, abs=1e-6)
    louder = compression(1.0, measures, -17.0, FLAT)
    assert np.array(louder.full_dbfs) - plain.full_dbfs == pytest.approx([3.0] * 3)


def test_restoration_looks_where_the_peaks_are_after_the_equaliser(track: type) -> None:
    measures = track(true_peak_dbtp=0.5, waveform=waveform((1.0, 0.5))).measures
    made = restoration(2.0, measures, -1.5, 0.75)
    # The downmix peaks 2 dB lower than the track, the equaliser adds 0.75 dB.
    assert made.peaks_dbfs == pytest.approx(20 * np.log10(0.5) - 2.0 + 0.75, abs=0.1)
    assert made.true_peak_dbtp == pytest.approx(-0.75)


@pytest.fixture(scope="module")
def clean(demo: Path) -> tuple[Samples, int]:
    """Drums at full scale, 22 s."""
    x, rate = soundfile.read(demo / "loop_tabla.flac", dtype="float32", always_2d=True)
    twice = np.concatenate([x, x])
    return np.ascontiguousarray(twice / np.abs(twice).max()), rate


@pytest.mark.parametrize("push_db", [12.0, 18.0])
def test_what_a_limiter_took_comes_back_in_part(clean: tuple[Samples, int], push_db: float) -> None:
    original, rate = clean
    x = limited(original, rate, push_db)
    plan = planned(measured(x, rate))
    assert plan.lwrp is not None
    assert plan.lwrp.weights.restore == 1.0
    y = render(x, plan, rate)
    before, after, whole = levels(x, rate), levels(y, rate), levels(original, rate)
    lost, back = whole.plr_db - before.plr_db, after.plr_db - before.plr_db
    assert min(0.3 * lost, 0.5 * plan.restoration.boost_db) <= back <= 3.5
    assert si_sdr_db(original, y) - si_sdr_db(original, x) >= -0.5
    assert after.lufs == pytest.approx(plan.target_lufs, abs=0.5)
    assert after.true_peak_dbtp <= plan.ceiling_dbtp + 0.02


@pytest.mark.parametrize("name", ["loop_tabla.flac", "destiny_facedown.ogg"])
def test_two_decibels_of_compression_take_what_was_predicted_and_little_plr(demo: Path, name: str) -> None:
    x, rate = soundfile.read(demo / name, dtype="float32", always_2d=True)
    analysis = measured(x, rate)
    stage = compression(2.0, analysis.measures, analysis.fingerprint.lufs, FLAT)
    plan = MasteringPlan(state=MasteringState.FINGERPRINT, compression=stage, ceiling_dbtp=60.0)
    before, after = levels(x, rate), levels(render(x, plan, rate), rate)
    assert after.lufs - before.lufs == pytest.approx(compression_change(2.0), abs=0.3)
    assert after.plr_db - before.plr_db >= -0.5
    assert after.lra_lu <= before.lra_lu + 0.2


def test_nothing_planned_is_neutral_whatever_the_levels_say(track: type) -> None:
    measures = track().measures
    rest = MasteringPlan(
        state=MasteringState.FINGERPRINT,
        compression=compression(0.0, measures, -18.0, FLAT),
        restoration=restoration(0.0, measures, -1.0, 0.0),
    )
    assert rest.compression.ratio == Compression().ratio == 1.0
    assert rest.restoration.boost_db == Restoration().boost_db == 0.0
    x = np.random.default_rng(0).normal(0, 0.1, (20_000, 2)).astype(np.float32)
    np.testing.assert_array_equal(render(x, rest, 44_100), x)
