"""The plan, against the formulas of the specification worked out here a second time."""

import math
from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.mastering.factors import COMPRESSION_LU_PER_DB, RESTORATION_LU_PER_DB
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.model.plan import AlbumLevel, MasteringState, Policy, Preset, Target

TARGET = Target()
MARGIN_DB = 0.05

levels = st.floats(-45.0, -3.0)
near_border = st.floats(-14.5, -10.5)
crests = st.one_of(st.floats(0.0, 30.0), st.floats(11.5, 14.5))
psrs = st.one_of(st.floats(0.0, 25.0), st.floats(7.5, 10.5))
peaks = st.floats(-20.0, 6.0)
presets = st.sampled_from(list(Preset))
tilts = st.floats(-60.0, 60.0)


def tilted(tilt_db):
    """The corridor's medians with the top ``tilt_db`` higher than the bottom."""
    return tuple(np.asarray(MEDIANS_DB) + np.linspace(-0.5, 0.5, 30) * tilt_db)


def plan(track, preset=Preset.ADAPTIVE, intensity=1.0, target=TARGET):
    return AdaptiveMode().plan(track.fingerprint, track.measures, preset, intensity, target)


def parameters(plan):
    amounts = [plan.compression.reduction_db, plan.restoration.boost_db, *astuple(plan.width)]
    return np.array([plan.gain_db, *plan.eq_db, *amounts])


def ramp(value, zero, one):
    return min(1.0, max(0.0, (value - zero) / (one - zero)))


def boosted(lufs, crest, peak, restore=1.0, target=-14.0):
    """How far attacks are re-opened: what is wanted, and no more than lies under the ceiling."""
    wanted = min(3.0, 10.0 * max(0.1, (13.0 - crest) / 10.0)) * restore
    room = -1.0 - MARGIN_DB - peak - min(target - lufs, -1.0 - MARGIN_DB - peak)
    return min(wanted, max(0.0, room) / (1.0 - RESTORATION_LU_PER_DB))


@pytest.mark.parametrize(
    ("lufs", "crest_db", "psr_p10_db", "true_peak_dbtp", "gain_db"),
    [
        # preserve: the target decides, then the ceiling decides
        (-11.0, 14.0, 12.0, 1.6, -3.0),
        (-10.0, 14.0, 12.0, 4.0, -5.05),
        # restore: true peak as it is, no limiting
        (-8.2, 8.5, 7.0, 0.5, -5.8 - 3.0 * RESTORATION_LU_PER_DB),
        (-11.0, 8.5, 7.0, 3.0, -4.05),
        # master: the target decides; the ceiling decides, with L = (19 - 9) / 4 -> 2, or by PSR, or 0
        (-18.0, 18.0, 12.0, -10.0, 4.0),
        (-20.0, 18.0, 12.0, -1.0, -0.05 + 2.0),
        (-20.0, 18.0, 9.0, -1.0, -0.05 + 1.0),
        (-20.0, 18.0, 7.0, -1.0, -0.05),
        (-18.0, 18.0, 12.0, -5.0, 3.95 + 0.05),
        # master: overs up to 3 dB are not kept
        (-16.0, 18.0, 12.0, 1.6, -1.05 + 0.25 * 7.0),
        (-16.0, 18.0, 8.0, 1.6, -1.05),
        (-16.0, 18.0, 8.0, 4.0, -1.05 - 1.0),
    ],
)
def test_gain_by_hand(track, lufs, crest_db, psr_p10_db, true_peak_dbtp, gain_db):
    made = plan(track(lufs, crest_db, psr_p10_db, true_peak_dbtp))
    assert made.state is MasteringState.FINGERPRINT
    assert made.eq_db == (0.0,) * 7
    assert made.gain_db == pytest.approx(gain_db, abs=1e-9)


@given(lufs=levels, crest=crests, psr=psrs, peak=peaks)
def test_gain_away_from_the_borders_is_the_formula(track, lufs, crest, psr, peak):
    made = plan(track(lufs, crest, psr, peak))
    if made.lwrp.weights.master == 1.0:
        read = max(min(peak, 0.0), peak - 3.0)
        limiting = min(2.0, max(0.0, min(0.25 * (read - lufs - 9.0), psr - 8.0)))
    elif made.lwrp.weights.master == 0.0:
        read, limiting = peak, 0.0
    else:
        return
    change = RESTORATION_LU_PER_DB * made.restoration.boost_db
    ceiling_term = -1.0 - MARGIN_DB - read + limiting
    assert made.gain_db == pytest.approx(min(-14.0 - lufs, ceiling_term) - change, abs=1e-9)


@given(lufs=levels, crest=crests, psr=psrs, peak=peaks)
def test_attacks_are_re_opened_by_what_is_wanted_and_has_room(track, lufs, crest, psr, peak):
    made = plan(track(lufs, crest, psr, peak))
    restore = made.lwrp.weights.restore
    if restore in (0.0, 1.0):
        wanted = boosted(lufs, crest, peak) if restore else 0.0
        assert made.restoration.boost_db == pytest.approx(wanted, abs=1e-9)
    assert made.restoration.boost_db <= 3.0
    if made.lwrp.weights.master == 0.0:
        assert made.limiting_db == pytest.approx(0.0, abs=1e-9)


@given(
    lufs=st.floats(-30.0, -10.0),
    psr=st.floats(7.0, 13.0),
    peak=st.floats(-6.0, 4.0),
    lra=st.floats(4.0, 20.0),
    seconds=st.floats(5.0, 100.0),
)
def test_the_reduction_is_the_formula(track, lufs, psr, peak, lra, seconds):
    made = plan(track(lufs, 20.0, psr, peak, lra_lu=lra, frames=round(44_100 * seconds)))
    plr = max(min(peak, 0.0), peak - 3.0) - lufs
    room = ramp(plr, 14.0, 20.0) * ramp(lra, 8.0, 16.0) * ramp(psr, 9.0, 11.0) * ramp(seconds, 30.0, 60.0)
    wanted = 2.0 * room * ramp(lufs, -11.0, -13.0)
    assert made.compression.reduction_db == pytest.approx(wanted, abs=1e-4)
    assert made.compression.ratio <= 2.0
    if made.lwrp.weights.master == 1.0:
        read = max(min(peak, 0.0), peak - 3.0)
        limiting = min(2.0, max(0.0, min(0.25 * (read - lufs - 9.0), psr - 8.0)))
        change = COMPRESSION_LU_PER_DB * made.compression.reduction_db
        bound = min(-14.0 - lufs, -1.0 - MARGIN_DB - read + limiting)
        assert made.gain_db == pytest.approx(bound - change, abs=1e-9)


@pytest.mark.parametrize(
    ("crest_db", "share"), [(12.9, 0.0), (13.5, 0.25), (14.0, 0.5), (15.0, 1.0), (20.0, 1.0)]
)
def test_what_is_compressed_is_not_equalised(track, crest_db, share):
    dull = tilted(-30.0)
    whole = plan(track(-20.0, 20.0, true_peak_dbtp=-14.0, spectrum_db=dull))
    made = plan(track(-20.0, crest_db, true_peak_dbtp=-14.0, spectrum_db=dull))
    assert any(whole.eq_db)
    assert made.eq_db == pytest.approx([share * gain for gain in whole.eq_db], abs=1e-9)
    assert ("compressed" in made.reasons["eq_db"]) == (share == 0.0)


@given(
    lufs=st.one_of(levels, near_border),
    crest=crests,
    psr=psrs,
    peak=peaks,
    tilt=tilts,
    preset=presets,
    intensity=st.floats(0.01, 1.0),
    moved=st.sampled_from(["lufs", "crest_db", "psr_p10_db", "true_peak_dbtp"]),
    ceiling=st.sampled_from([-1.0, -0.1]),
    target=st.sampled_from([-14.0, -9.0, -18.0]),
)
@settings(max_examples=250, deadline=None)
def test_one_input_moved_by_a_tenth_moves_nothing_by_more_than_0_3_db(
    track, lufs, crest, psr, peak, tilt, preset, intensity, moved, ceiling, target
):
    inputs = {"lufs": lufs, "crest_db": crest, "psr_p10_db": psr, "true_peak_dbtp": peak}
    # The third-octaves stay where they are: one input moves, the others are fixed.
    fixed = {"third_octaves_db": tuple(level + lufs for level in tilted(tilt))}
    asked = (preset, intensity, Target(target, ceiling))
    before = plan(track(**inputs, **fixed), *asked)
    after = plan(track(**(inputs | {moved: inputs[moved] + 0.1}), **fixed), *asked)
    assert np.max(np.abs(parameters(after) - parameters(before))) <= 0.3


@given(
    lufs=near_border,
    tilt=tilts,
    band=st.integers(0, 29),
    change=st.sampled_from([-0.1, 0.1]),
    preset=presets,
)
@settings(max_examples=120, deadline=None)
def test_one_third_octave_moved_by_a_tenth_moves_nothing_by_more_than_0_3_db(
    track, lufs, tilt, band, change, preset
):
    spectrum = np.asarray(tilted(tilt))
    bumped = spectrum + change * (np.arange(30) == band)
    before = plan(track(lufs, spectrum_db=spectrum), preset)
    after = plan(track(lufs, spectrum_db=bumped), preset)
    assert np.max(np.abs(parameters(after) - parameters(before))) <= 0.3


def test_the_worst_corner_of_the_loud_border_is_continuous(track):
    # Overs, all the limiting there is and an equaliser that cuts all there is: all of it ends at the border.
    hum = tuple(
        -12.0 + level + 40.0 * (250.0 <= f < 500.0)
        for level, f in zip(MEDIANS_DB, THIRD_OCTAVES_HZ, strict=True)
    )
    made = [
        plan(track(lufs, 20.0, 20.0, 9.0, third_octaves_db=hum), target=Target(-5.0))
        for lufs in np.arange(-15.0, -10.0, 0.1)
    ]
    assert made[0].eq_db[2] < -1.5
    assert max(np.max(np.abs(parameters(b) - parameters(a))) for a, b in pairwise(made)) <= 0.3
    # Away from the border the rule is the rule.
    change = made[0].predicted.lufs - made[0].gain_db + 15.0
    assert made[0].gain_db == pytest.approx(-1.05 - (6.0 + change) + 2.0, abs=0.01)


@pytest.mark.parametrize("crest_db", [14.5, 9.0])
@pytest.mark.parametrize("tilt", [-30.0, 30.0])
def test_loud_tracks_get_level_and_nothing_else(track, crest_db, tilt):
    made = plan(track(-9.0, crest_db, 11.0, 0.5, spectrum_db=tilted(tilt)))
    assert made.lwrp.policy is (Policy.PRESERVE if crest_db > 13 else Policy.RESTORE)
    assert made.eq_db == (0.0,) * 7
    assert made.limiting_db == 0.0
    boost = boosted(-9.0, crest_db, 0.5) if crest_db < 13 else 0.0
    assert made.restoration.boost_db == pytest.approx(boost, abs=1e-9)
    assert made.compression.reduction_db == made.width.side_gain_db == made.width.mono_bass == 0.0
    assert made.gain_db == pytest.approx(-5.0 - RESTORATION_LU_PER_DB * boost, abs=1e-9)


@given(tilt=st.one_of(st.floats(-60.0, -30.0), st.floats(30.0, 60.0)), peak=st.floats(-15.0, 0.0))
@settings(max_examples=40, deadline=None)
def test_loudness_after_the_equaliser_lands_on_the_target(track, tilt, peak):
    from scipy.signal import freqz

    from tonearm.dsp.equaliser import band_response_db

    made = plan(track(-20.0, 20.0, 14.0, peak, spectrum_db=tilted(tilt)))
    assert any(made.eq_db)
    # K-weighting as ITU-R BS.1770-5 prints it for 48 kHz.
    shelf = (
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1, -1.69065929318241, 0.73248077421585],
    )
    high_pass = ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621])
    k = np.prod(
        [np.abs(freqz(b, a, THIRD_OCTAVES_HZ, fs=48_000)[1]) ** 2 for b, a in (shelf, high_pass)], axis=0
    )
    power = k * 10 ** (np.asarray(tilted(tilt)) / 10)
    response = band_response_db(made.eq_db, THIRD_OCTAVES_HZ, 44_100)
    change = 10 * math.log10(np.sum(power * 10 ** (response / 10)) / np.sum(power))
    read = -1.05 - peak - change + min(2.0, max(0.0, 0.25 * (peak + 20.0 - 9.0)))
    assert made.gain_db == pytest.approx(min(-14.0 + 20.0 - change, read), abs=0.02)
    assert made.predicted.lufs == pytest.approx(-20.0 + change + made.gain_db, abs=0.02)


@pytest.mark.parametrize("peak", [-12.0, -0.5, 2.0])
@pytest.mark.parametrize("lufs", [-25.0, -16.0, -12.3, -9.0])
@pytest.mark.parametrize("tilt", [0.0, 30.0])
def test_intensity_is_linear_from_the_neutral_plan(track, lufs, peak, tilt):
    made = [
        plan(track(lufs, 14.5, 12.0, peak, spectrum_db=tilted(tilt)), intensity=i)
        for i in (1e-9, 0.25, 0.5, 1.0)
    ]
    neutral, quarter, half, full = (parameters(p) for p in made)
    np.testing.assert_allclose(quarter, 0.75 * neutral + 0.25 * full, atol=1e-6)
    np.testing.assert_allclose(half, 0.5 * neutral + 0.5 * full, atol=1e-6)
    np.testing.assert_allclose(neutral[1:], 0.0, atol=1e-6)
    if tilt == 0.0 and lufs == -9.0:
        assert neutral[0] == pytest.approx(min(0.0, -1.05 - peak), abs=1e-6)
    if lufs == -25.0:
        limiting = min(2.0, max(0.0, 0.25 * (min(peak, 0.0) + 25.0 - 9.0)))
        assert neutral[0] == pytest.approx(min(0.0, -1.05 - min(peak, 0.0) + limiting), abs=1e-6)


@given(lufs=levels, psr=psrs, peak=st.floats(-20.0, 0.0), tilt=tilts, intensity=st.floats(0.001, 1.0))
@settings(max_examples=100, deadline=None)
def test_less_intensity_never_limits_more_than_the_plan_allows(track, lufs, psr, peak, tilt, intensity):
    made = plan(track(lufs, 16.0, psr, peak, spectrum_db=tilted(tilt)), intensity=intensity)
    allowed = min(2.0, max(0.0, min(0.25 * (peak - lufs - 9.0), psr - 8.0))) * made.lwrp.weights.master
    assert made.limiting_db <= allowed + 0.05


@pytest.mark.parametrize("preset", list(Preset))
def test_intensity_0_is_the_untouched_source(track, preset):
    made = plan(track(), preset, intensity=0.0)
    assert made.bypass
    assert made.state is MasteringState.NONE
    assert made.preset is preset
    assert made.intensity == 0.0
    assert not parameters(made).any()


@pytest.mark.parametrize("intensity", [-0.1, 1.1, math.nan])
def test_intensity_outside_0_to_1_is_refused(track, intensity):
    with pytest.raises(ValueError, match="intensity"):
        plan(track(), intensity=intensity)


def test_an_album_moves_by_one_gain_whatever_the_class(track):
    target = Target(level="album", album=AlbumLevel(lufs=-10.5, true_peak_dbtp=0.4))
    tracks = [track(-9.0, 9.0, 7.0, 0.4), track(-10.0, 15.0, 12.0, 0.2), track(-22.0, 18.0, 14.0, -8.0)]
    made = [plan(each, target=target) for each in tracks]
    assert {p.lwrp.policy for p in made} == set(Policy)
    for each in made:
        change = RESTORATION_LU_PER_DB * each.restoration.boost_db
        assert each.gain_db == pytest.approx(min(-14.0 + 10.5, -1.05 - 0.4) - change, abs=1e-9)
        assert each.limiting_db == pytest.approx(0.0, abs=1e-9)
    assert made[0].restoration.boost_db > 1.0


def test_an_album_bounded_by_its_highest_peak(track):
    target = Target(level="album", album=AlbumLevel(lufs=-20.0, true_peak_dbtp=-0.3))
    assert plan(track(-24.0, 18.0, 14.0, -9.0), target=target).gain_db == pytest.approx(-0.75, abs=1e-9)


def test_album_tracks_keep_their_offset_through_the_equaliser(track):
    target = Target(level="album", album=AlbumLevel(lufs=-18.0, true_peak_dbtp=-8.0))
    plain, dull = (
        track(-20.0, true_peak_dbtp=-9.0),
        track(-17.0, true_peak_dbtp=-8.0, spectrum_db=tilted(-30.0)),
    )
    made = [plan(each, target=target) for each in (plain, dull)]
    assert any(made[1].eq_db)
    assert made[1].predicted.lufs - made[0].predicted.lufs == pytest.approx(3.0, abs=1e-6)


def test_an_album_level_without_an_album_is_an_error(track):
    with pytest.raises(ValueError, match="album"):
        plan(track(), target=Target(level="album"))


def test_more_than_two_channels_are_planned_for_their_downmix(track):
    surround = track(-18.0, true_peak_dbtp=-10.0, channels=6, downmix_lufs=-16.0, downmix_true_peak_dbtp=-9.0)
    assert plan(surround).gain_db == pytest.approx(2.0, abs=1e-9)
    assert plan(surround).measured["lufs"] == -16.0
    assert plan(surround).measured["true_peak_dbtp"] == -9.0


def test_reasons_are_made_from_the_numbers(track):
    made = plan(track(-11.1, 15.0, 12.0, 1.6))
    assert made.reasons["gain_db"].startswith("true peak +1.6 dBTP, PLR 12.7: dynamics kept, gain -2.9 dB")
    assert made.reasons["compression"].startswith("not applied: PLR 12.7, loudness range 6.0 LU, PSR 12.0 dB")
    assert made.reasons["restoration"].startswith("not applied: only what is loud and compressed")
    assert made.reasons["width"] == "not applied: 0.20 of the energy in the side"
    assert made.lwrp.reason.startswith("-11.1 LUFS, crest 15.0 dB")


def test_restoration_says_what_it_does_and_what_bounds_it(track):
    made = plan(track(-8.2, 8.5, 12.0, 0.0))
    assert made.lwrp.amount == pytest.approx(0.45)
    assert made.restoration.boost_db == 3.0
    assert made.reasons["restoration"].startswith(
        "attacks up by 3.0 dB in three bands: crest 8.5, PSR 12.0 dB"
    )
    tight = plan(track(-13.0 + 2.0, 8.5, 7.0, 1.0))
    assert tight.restoration.boost_db == pytest.approx(0.95 / (1.0 - RESTORATION_LU_PER_DB), abs=1e-9)
    assert "all that the ceiling leaves" in tight.reasons["restoration"]
    full = plan(track(-11.0, 8.5, 7.0, 3.0))
    assert full.reasons["restoration"] == "not applied: no room under the ceiling for 3.0 dB"


def test_compression_says_what_it_rests_on(track):
    made = plan(track(-22.0, 20.0, 12.0, -1.0, lra_lu=14.0))
    assert made.compression.reduction_db == pytest.approx(1.5)
    assert made.compression.ratio == pytest.approx(1.0 / (1.0 - 1.5 * 1.5 / 16.0))
    assert "PLR 21.0, loudness range 14.0 LU, PSR 12.0 dB" in made.reasons["compression"]
    short = plan(track(-22.0, 20.0, 12.0, -1.0, lra_lu=14.0, frames=44_100 * 20))
    assert short.compression.reduction_db == 0.0
    assert "20 s, too short" in short.reasons["compression"]


@pytest.mark.parametrize(
    ("lufs", "peak", "expected"),
    [
        (-18.0, -10.0, (-14.0, -6.0, 8.0)),
        (-20.0, -1.0, (-18.05, -1.05, 17.0)),
        (-9.0, 0.0, (-14.0, -5.0, 9.0)),
    ],
)
def test_prediction(track, lufs, peak, expected):
    made = plan(track(lufs, 15.0, 12.0, peak)).predicted
    assert (made.lufs, made.true_peak_dbtp, made.plr_db) == pytest.approx(expected, abs=1e-9)
