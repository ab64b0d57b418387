"""Compression and re-opened attacks: worked out by hand or by numpy; and what never changes the sound."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tonearm.dsp.dynamics import MOST_DB, Dynamics, DynamicsSettings, steepest_ratio
from tonearm.model.audio import Block

RATE = 44_100
REST = DynamicsSettings()
SQUEEZED = DynamicsSettings(reduction_db=2.0, full_dbfs=(-20.0, -20.0, -30.0))
OPENED = DynamicsSettings(boost_db=3.0, peaks_dbfs=-3.0, true_peak_dbtp=0.0)
BOTH = DynamicsSettings(2.0, (-20.0, -20.0, -30.0), 3.0, -3.0, 0.0)


def drums(rate: int, channels: int, seconds: float = 0.7) -> Block:
    """Noise with a hit every 0.15 s, so that there is something to find; channels differ."""
    rng, n = np.random.default_rng(3), np.arange(round(seconds * rate))
    hits = np.exp(-(n % round(0.15 * rate)) / (0.02 * rate))[:, None]
    return (rng.normal(0, 0.3, (len(n), channels)) * (0.1 + hits)).clip(-0.8, 0.8).astype(np.float32)


def run(x: Block, how: DynamicsSettings, rate: int = RATE, first_frame: int = 0) -> Block:
    stage = Dynamics(how, rate, x.shape[1], first_frame)
    return np.concatenate([stage.process(x), stage.flush()])


def tone(hertz: float, level_dbfs: float, seconds: float, rate: int = RATE) -> NDArray[np.float64]:
    """A sine of this mean-square level."""
    peak = math.sqrt(2.0) * 10.0 ** (level_dbfs / 20.0)
    return peak * np.sin(2 * np.pi * hertz / rate * np.arange(round(seconds * rate)))


def kicks(seconds: float, onset_s: float = 0.008, rate: int = RATE) -> NDArray[np.float64]:
    """A drum of 60 Hz near full scale every half second from 0.25 s on; a short onset is a click."""
    n = np.arange(round(seconds * rate)) - rate // 4
    at = np.where(n >= 0, (n % (rate // 2)) / rate, 1.0)
    return 0.9 * np.sin(2 * np.pi * 60.0 * at) * np.exp(-at / 0.08) * (1.0 - np.exp(-at / onset_s))


def level_db(
    y: NDArray[np.float64], hertz: float, rate: int = RATE, over_s: float = 0.01
) -> NDArray[np.float64]:
    """How a tone in ``y`` moves, dB: demodulated, and averaged over a Hann window."""
    window = np.hanning(round(over_s * rate))
    turned = y * np.exp(-2j * np.pi * hertz / rate * np.arange(len(y)))
    return 20 * np.log10(np.abs(np.convolve(turned, window / window.sum(), "same")) + 1e-12)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_at_rest_the_output_is_the_input_bit_for_bit(channels: int) -> None:
    x = drums(RATE, channels, 0.1)
    for how in (REST, DynamicsSettings(0.0, (-20.0, -30.0, -40.0), 0.0, -6.0, -1.0)):
        stage = Dynamics(how, RATE, channels, 0)
        np.testing.assert_array_equal(stage.process(x), x)
        assert stage.flush().shape == (0, channels)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000, 384_000])
@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_the_whole_reduction_of_all_bands_is_one_gain_on_the_same_sample(rate: int, channels: int) -> None:
    x = np.random.default_rng(1).normal(0, 0.1, (rate, channels)).astype(np.float32)
    y = run(x, DynamicsSettings(reduction_db=2.0, full_dbfs=(-80.0,) * 3), rate)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    settled = rate // 4
    np.testing.assert_allclose(y[settled:], x[settled:] * 10 ** (-2 / 20), atol=1e-6)


@pytest.mark.parametrize(
    ("under_db", "part"), [(0.0, 1.0), (4.0, 27 / 32), (8.0, 0.5), (12.0, 5 / 32), (16.0, 0.0)]
)
@pytest.mark.parametrize("hertz", [40.0, 900.0, 12_000.0])
def test_the_curve_of_compression_is_the_formula(under_db: float, part: float, hertz: float) -> None:
    x = np.repeat(tone(hertz, -20.0 - under_db, 2.5)[:, None], 2, axis=1).astype(np.float32)
    y = run(x, DynamicsSettings(reduction_db=2.0, full_dbfs=(-20.0,) * 3)).astype(np.float64)
    change_db = 10 * np.log10(np.mean(y[-RATE // 2 :] ** 2) / np.mean(np.float64(x)[-RATE // 2 :] ** 2))
    # The bands overlap: each neighbour, which is not turned here, has up to an eighth of the tone.
    assert change_db == pytest.approx(-2.0 * part, abs=0.125 * 2.0 * part + 0.03)


def test_the_steepest_ratio_is_that_of_the_curve() -> None:
    levels = np.arange(-36.0, -20.0, 0.5)
    t = (levels + 36.0) / 16.0
    out = levels - 2.0 * t * t * (3.0 - 2.0 * t)
    assert steepest_ratio(2.0) == pytest.approx(0.5 / np.diff(out).min(), rel=0.01)
    assert steepest_ratio(0.0) == 1.0
    assert steepest_ratio(2.0) <= 2.0


@pytest.mark.parametrize("onset_s", [0.008, 0.001])
@pytest.mark.parametrize("how", [SQUEEZED, OPENED, BOTH])
def test_a_tone_under_a_kick_does_not_pump(how: DynamicsSettings, onset_s: float) -> None:
    still = tone(1_000.0, -24.0, 4.0)
    alone = level_db(still, 1_000.0)
    # The kick reaches full scale; the tone has its own band.
    y = run((still + kicks(4.0, onset_s))[:, None].astype(np.float32), how)[:, 0].astype(np.float64)
    moved = level_db(y, 1_000.0) - alone
    at = (np.arange(len(y)) - RATE // 4) % (RATE // 2) / RATE
    outside = (
        (at > 0.05) & (at < 0.45) & (np.arange(len(y)) > RATE) & (np.arange(len(y)) < len(y) - RATE // 4)
    )
    assert np.ptp(moved[outside]) < 0.5


@pytest.mark.parametrize("full_dbfs", [-10.0, -15.0, -20.0])
@pytest.mark.parametrize("onset_s", [0.008, 0.001])
def test_nor_does_one_in_the_band_of_the_kick(full_dbfs: float, onset_s: float) -> None:
    x = tone(80.0, -24.0, 5.0) + kicks(5.0, onset_s)
    y = run(x[:, None].astype(np.float32), DynamicsSettings(2.0, (full_dbfs,) * 3))[:, 0].astype(np.float64)
    # Both are turned by one gain; over a window it is what of the input is in the output.
    window = np.hanning(RATE // 20)
    gain = np.convolve(x * y, window, "same") / np.convolve(x * x, window, "same")
    n = np.arange(len(y))
    at = (n - RATE // 4) % (RATE // 2) / RATE
    outside = (at > 0.05) & (at < 0.45) & (n > 2 * RATE) & (n < len(y) - RATE // 4)
    moved_db = 20 * np.log10(gain[outside])
    assert np.ptp(moved_db) < 0.5
    assert moved_db.mean() < -0.2


@pytest.mark.parametrize(("onset_s", "most_db"), [(0.008, 0.05), (0.0005, 1.0)])
def test_a_kick_lifts_itself_and_no_cymbal(onset_s: float, most_db: float) -> None:
    """What its click does to the middle band, whose slope is gentle, reaches the cymbal as a third of it."""
    ring, drum = tone(9_000.0, -24.0, 4.0), kicks(4.0, onset_s)
    x = (ring + drum)[:, None].astype(np.float32)
    y = run(x, OPENED)[:, 0].astype(np.float64)
    moved = (level_db(y, 9_000.0, over_s=0.003) - level_db(ring, 9_000.0, over_s=0.003))[
        RATE // 2 : -RATE // 4
    ]
    assert np.abs(moved).max() < most_db
    low = level_db(y, 60.0, over_s=0.02) - level_db(x[:, 0].astype(np.float64), 60.0, over_s=0.02)
    assert 1.0 < low[RATE // 2 : -RATE // 4].max() <= 3.05


def test_only_what_comes_near_the_peaks_of_the_track_is_an_attack() -> None:
    x = drums(RATE, 2)
    loudest_db = 20 * np.log10(np.abs(x).max())
    far = DynamicsSettings(boost_db=3.0, peaks_dbfs=loudest_db + 1.01, true_peak_dbtp=loudest_db + 2.0)
    np.testing.assert_array_equal(run(x, far), x)
    assert np.abs(run(x, OPENED) - x).max() > 0.1


def test_no_attack_is_turned_up_by_more_than_the_boost_and_it_is_told() -> None:
    stage, x = Dynamics(OPENED, RATE, 1, 0), drums(RATE, 1)
    y = stage.process(x)
    assert 2.0 < stage.boost_db <= 3.0
    assert stage.reduction_db == 0.0
    assert 20 * np.log10(np.abs(y).max() / np.abs(x).max()) <= 3.1
    stage.process(np.zeros((RATE, 1), np.float32))
    stage.process(np.zeros((10, 1), np.float32))
    assert stage.boost_db == 0.0


def played(blocks: Sequence[Block], first_frame: int, rate: int, channels: int) -> Block:
    """From rest to both, on to another in the middle of it, and back to rest."""
    changes = {
        first_frame + at: how for at, how in ((640, BOTH), (2048, SQUEEZED), (5120, REST), (9600, OPENED))
    }
    stage, parts, position = Dynamics(REST, rate, channels, first_frame), [], first_frame
    for block in blocks:
        rest = block
        while len(rest):
            if position in changes:
                stage.glide(changes.pop(position), 1500)
            due = [frame - position for frame in changes if frame > position]
            count = min([len(rest), *due])
            parts.append(stage.process(rest[:count]))
            rest, position = rest[count:], position + count
    return np.concatenate([*parts, stage.flush()])


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 14_000), max_size=10),
    first_frame=st.sampled_from([0, 64, 6400, 77]),
    rate=st.sampled_from([8_000, 44_100, 96_000]),
    channels=st.integers(1, 3),
)
def test_cutting_never_changes_the_sound(cuts: list[int], first_frame: int, rate: int, channels: int) -> None:
    x = drums(rate, channels, 14_000 / rate)
    whole = played([x], first_frame, rate, channels)
    assert whole.shape == x.shape
    np.testing.assert_array_equal(played(np.split(x, sorted(cuts)), first_frame, rate, channels), whole)


@pytest.mark.parametrize("size", [1, 13, 512, 4096])
def test_equal_blocks_never_change_the_sound(size: int) -> None:
    x = drums(RATE, 2, 0.25)
    blocks = [x[n : n + size] for n in range(0, len(x), size)]
    np.testing.assert_array_equal(played(blocks, 0, RATE, 2), played([x], 0, RATE, 2))


def test_going_to_work_and_back_to_rest_leaves_the_rest_bit_exact_and_has_no_step() -> None:
    x = (0.4 * np.sin(2 * np.pi * 300 / RATE * np.arange(6 * RATE)))[:, None].astype(np.float32)
    loud = DynamicsSettings(reduction_db=2.0, full_dbfs=(-30.0,) * 3)
    stage = Dynamics(REST, RATE, 1, 0)
    parts = [stage.process(x[:RATE])]
    stage.glide(loud, RATE // 2)
    parts.append(stage.process(x[RATE : 4 * RATE]))
    stage.glide(REST, RATE // 2)
    y = np.concatenate([*parts, stage.process(x[4 * RATE :]), stage.flush()])
    assert len(y) == len(x)
    np.testing.assert_array_equal(y[:RATE], x[:RATE])
    np.testing.assert_array_equal(y[5 * RATE :], x[5 * RATE :])
    level = level_db(y[:, 0].astype(np.float64), 300.0)
    assert level[4 * RATE - 1000] - level[RATE // 2] == pytest.approx(-2.0, abs=0.02)
    inner = level[1000:-1000:44]
    assert np.abs(np.diff(inner)).max() < 0.05


def test_channels_are_heard_together_and_turned_alike() -> None:
    x = drums(RATE, 2)
    x[:, 1] = np.float32(0.25) * x[:, 0]
    y = run(x, BOTH)
    np.testing.assert_allclose(y[:, 1], 0.25 * y[:, 0], rtol=1e-5, atol=1e-8)
    other = drums(RATE, 2)
    np.testing.assert_array_equal(run(np.ascontiguousarray(other[:, ::-1]), BOTH)[:, ::-1], run(other, BOTH))
    np.testing.assert_array_equal(run(-other, BOTH), -run(other, BOTH))


def test_one_channel_and_its_copy_sound_alike() -> None:
    x = drums(RATE, 1)
    one, two = run(x, BOTH), run(np.repeat(x, 2, axis=1), BOTH)
    np.testing.assert_array_equal(two, np.repeat(one, 2, axis=1))
    assert np.abs(one - x).max() > 0.05


@pytest.mark.parametrize("first_frame", [0, 1, 12_347])
@pytest.mark.parametrize("how", [SQUEEZED, OPENED, BOTH])
def test_what_was_heard_four_seconds_ago_is_forgotten(how: DynamicsSettings, first_frame: int) -> None:
    """And where a file begins does not matter: a part is heard like the whole from any frame on."""
    rng, rate = np.random.default_rng(8), 8_000
    before, after = rng.normal(0, 0.3, (2 * rate + 77, 1)), drums(rate, 1, 5.0)
    whole = run(np.concatenate([before.astype(np.float32), after]), how, rate)
    part = run(after, how, rate, first_frame)
    assert np.abs(whole[len(before) + 4 * rate :] - part[4 * rate :]).max() <= 10 ** (-110 / 20)
    assert np.abs(part - after).max() > 0.01


def test_silence_after_sound_dies_away_to_zero() -> None:
    stage = Dynamics(BOTH, RATE, 2, 0)
    stage.process(drums(RATE, 2))
    y = stage.process(np.zeros((5 * RATE, 2), np.float32))
    assert not y[RATE:].any()


@pytest.mark.parametrize("amount", [-0.1, MOST_DB + 0.1, math.nan])
def test_amounts_out_of_range_are_refused(amount: float) -> None:
    for name in ("reduction_db", "boost_db"):
        with pytest.raises(ValueError, match="lie in"):
            DynamicsSettings(**{name: amount})


def test_levels_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        DynamicsSettings(1.0, (0.0, math.inf, 0.0))
    with pytest.raises(ValueError, match="finite"):
        DynamicsSettings(boost_db=1.0, peaks_dbfs=math.nan)
