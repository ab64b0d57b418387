"""Each preset moves the numbers it documents, and nothing else."""

from itertools import pairwise

import numpy as np
import pytest

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.mastering.presets import BIASES
from tonearm.model.plan import Preset, Target


def plan(track, preset):
    return AdaptiveMode().plan(track.fingerprint, track.measures, preset, 1.0, Target())


@pytest.fixture
def dull(track):
    """Quiet, with room above, its top far under the corridor."""
    return track(
        -20.0, true_peak_dbtp=-14.0, spectrum_db=np.asarray(MEDIANS_DB) + np.linspace(8.0, -22.0, 30)
    )


@pytest.fixture
def plain(track):
    """Quiet, with room above, in the middle of the corridor."""
    return track(-20.0, true_peak_dbtp=-14.0)


def test_every_preset_is_documented():
    assert set(BIASES) == set(Preset)
    assert all(bias.summary.endswith(".") for bias in BIASES.values())


def test_gentle_halves_the_equaliser_and_lowers_the_target(dull, plain):
    whole, half = plan(dull, Preset.ADAPTIVE), plan(dull, Preset.GENTLE)
    assert max(whole.eq_db) > 0.5
    assert half.eq_db == pytest.approx(tuple(gain / 2 for gain in whole.eq_db))
    assert plan(plain, Preset.ADAPTIVE).gain_db == pytest.approx(6.0)
    assert plan(plain, Preset.GENTLE).gain_db == pytest.approx(4.0)
    assert plan(plain, Preset.GENTLE).target_lufs == pytest.approx(-16.0)


def test_warm_lifts_the_low_end_and_lowers_the_top_and_bright_is_the_reverse(plain):
    warm, bright = (plan(plain, preset).eq_db for preset in (Preset.WARM, Preset.BRIGHT))
    assert warm[0] == warm[1] == 1.5
    assert warm[6] == -1.5
    assert all(low >= high for low, high in pairwise(warm))
    assert bright == pytest.approx(tuple(-gain for gain in warm))


def test_a_tone_does_not_change_the_loudness(plain):
    for preset in (Preset.WARM, Preset.BRIGHT, Preset.PUNCHY):
        assert plan(plain, preset).predicted.lufs == pytest.approx(-14.0, abs=1e-6)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("tilt_db", [-60.0, 0.0, 60.0])
def test_what_is_preserved_gets_a_constant_gain_whatever_the_preset(track, preset, tilt_db):
    spectrum = np.asarray(MEDIANS_DB) + np.linspace(-0.5, 0.5, 30) * tilt_db
    assert not any(plan(track(-10.0, 15.0, 12.0, 0.5, spectrum_db=spectrum), preset).eq_db)


def test_punchy_tightens_the_low_mids(plain):
    assert plan(plain, Preset.PUNCHY).eq_db == (0.0, 0.0, -1.5, 0.0, 0.0, 0.0, 0.0)


def test_live_keeps_half_of_the_ambience(dull):
    whole, live = plan(dull, Preset.ADAPTIVE), plan(dull, Preset.LIVE)
    assert live.eq_db[:5] == whole.eq_db[:5]
    assert live.eq_db[5:] == pytest.approx(tuple(gain / 2 for gain in whole.eq_db[5:]))
    assert live.eq_db[6] > 0.1


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("tilt_db", [-60.0, 0.0, 60.0])
def test_no_band_leaves_3_db(track, preset, tilt_db):
    spectrum = np.asarray(MEDIANS_DB) + np.linspace(-0.5, 0.5, 30) * tilt_db
    assert max(map(abs, plan(track(-20.0, spectrum_db=spectrum), preset).eq_db)) <= 3.0


@pytest.fixture
def wild(track):
    """Quiet, wide in every sense, its top far under the corridor: there is something for every stage."""
    return track(
        -22.0,
        crest_db=20.0,
        lra_lu=14.0,
        bass_phase_correlation=-0.1,
        spectrum_db=np.asarray(MEDIANS_DB) + np.linspace(8.0, -22.0, 30),
    )


@pytest.fixture
def crushed(track):
    """Loud and compressed, with room under the ceiling for 1.5 dB and more of attacks."""
    return track(-9.0, crest_db=11.5, psr_p10_db=7.5, true_peak_dbtp=0.0)


@pytest.mark.parametrize(
    ("preset", "compression", "width", "restoration"),
    [
        (Preset.ADAPTIVE, 1.0, 1.0, 1.0),
        (Preset.GENTLE, 0.5, 0.5, 0.5),
        (Preset.WARM, 1.0, 1.0, 1.0),
        (Preset.BRIGHT, 1.0, 1.0, 1.0),
        (Preset.PUNCHY, 1.0, 1.0, 1.5),
        (Preset.LIVE, 0.25, 0.0, 1.0),
    ],
)
def test_dynamics_and_width_are_scaled(wild, crushed, preset, compression, width, restoration):
    whole, made = plan(wild, Preset.ADAPTIVE), plan(wild, preset)
    assert whole.compression.reduction_db == pytest.approx(1.5)
    assert whole.width.mono_bass == pytest.approx(0.5)
    assert made.compression.reduction_db == pytest.approx(compression * 1.5)
    assert made.width.mono_bass == pytest.approx(width * 0.5)
    assert plan(crushed, preset).restoration.boost_db == pytest.approx(restoration * 1.5)


def test_no_preset_re_opens_attacks_by_more_than_three_decibels(track):
    loud = track(-8.0, crest_db=9.0, psr_p10_db=7.0, true_peak_dbtp=0.0)
    assert {plan(loud, preset).restoration.boost_db for preset in Preset} == {2.0, 3.0}


def test_no_two_presets_are_one(wild):
    made = [plan(wild, preset) for preset in Preset]
    heard = [np.array([p.gain_db, *p.eq_db, p.compression.reduction_db, p.width.mono_bass]) for p in made]
    for number, one in enumerate(heard):
        for other in heard[:number]:
            assert np.abs(one - other).max() >= 0.3
