"""Width, against sum and difference worked out with ``scipy.signal``."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from tonearm.dsp.stereo import STEP_FRAMES, Stereo
from tonearm.model.audio import Block

NOISE = np.random.default_rng(2).normal(0, 0.2, (6000, 2)).astype(np.float32)


def run(x: Block, side_gain_db: float, mono_bass: float, rate: int = 44_100) -> Block:
    return Stereo(side_gain_db, mono_bass, rate, x.shape[1], 0).process(x)


@pytest.mark.parametrize("rate", [8_000, 44_100, 384_000])
@pytest.mark.parametrize(("side_gain_db", "mono_bass"), [(1.5, 0.0), (-1.5, 1.0), (0.0, 1.0), (0.7, 0.4)])
def test_it_is_what_scipy_makes_of_the_side(rate: int, side_gain_db: float, mono_bass: float) -> None:
    y = run(NOISE, side_gain_db, mono_bass, rate)
    left, right = NOISE.T.astype(np.float64)
    middle, side = (left + right) / 2, (left - right) / 2
    high = sosfilt(butter(2, 120.0, "highpass", fs=rate, output="sos"), side)
    wanted = 10 ** (side_gain_db / 20) * ((1 - mono_bass) * side + mono_bass * high)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, np.stack([middle + wanted, middle - wanted], axis=1), atol=2e-7)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_neutral_is_bit_exact_whatever_the_channels(channels: int) -> None:
    x = np.random.default_rng(1).normal(size=(500, channels)).astype(np.float32)
    np.testing.assert_array_equal(run(x, 0.0, 0.0), x)


def test_what_is_mono_stays_what_it_was() -> None:
    x = np.repeat(NOISE[:, :1], 2, axis=1)
    np.testing.assert_array_equal(run(x, 1.5, 1.0), x)


def test_polarity_and_channel_order_do_not_matter() -> None:
    y = run(NOISE, 1.5, 1.0)
    np.testing.assert_array_equal(run(-NOISE, 1.5, 1.0), -y)
    np.testing.assert_array_equal(run(np.ascontiguousarray(NOISE[:, ::-1]), 1.5, 1.0)[:, ::-1], y)


def played(blocks: Sequence[Block], first_frame: int) -> Block:
    """From neutral to a width, on to another in the middle of that glide, and back."""
    changes = {first_frame + 300: (1.5, 0.0), first_frame + 800: (-1.0, 1.0), first_frame + 3000: (0.0, 0.0)}
    stage, parts, position = Stereo(0.0, 0.0, 44_100, 2, first_frame), [], first_frame
    for block in blocks:
        rest = block
        while len(rest):
            if position in changes:
                stage.glide(*changes.pop(position), 1000)
            due = [frame - position for frame in changes if frame > position]
            count = min([len(rest), *due])
            parts.append(stage.process(rest[:count]))
            rest, position = rest[count:], position + count
    return np.concatenate(parts)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 6000), max_size=8), first_frame=st.sampled_from([0, 64, 77, 6400]))
def test_cutting_never_changes_the_sound_of_a_glide(cuts: list[int], first_frame: int) -> None:
    whole = played([NOISE], first_frame)
    np.testing.assert_array_equal(played(np.split(NOISE, sorted(cuts)), first_frame), whole)
    np.testing.assert_array_equal(whole[:300], NOISE[:300])
    np.testing.assert_array_equal(whole[4000 + STEP_FRAMES :], NOISE[4000 + STEP_FRAMES :])


def test_a_glide_has_no_steps() -> None:
    n = np.arange(44_100)
    tone = (0.3 * np.sin(2 * np.pi * 1000 / 44_100 * n)).astype(np.float32)
    x = np.stack([tone, -tone], axis=1)
    stage = Stereo(0.0, 0.0, 44_100, 2, 0)
    head = stage.process(x[:8820])
    stage.glide(-1.5, 0.0, 8820)
    y = np.concatenate([head, stage.process(x[8820:])])[:, 0]
    level_db = 20 * np.log10([np.abs(y[k : k + 89]).max() for k in range(0, len(y) - 89, 44)])
    assert level_db[-1] - level_db[0] == pytest.approx(-1.5, abs=0.01)
    assert np.abs(np.diff(level_db)).max() < 0.03


@pytest.mark.parametrize(
    ("side_gain_db", "mono_bass"), [(12.1, 0.0), (0.0, 1.1), (0.0, -0.1), (float("nan"), 0.0)]
)
def test_values_out_of_range_are_refused(side_gain_db: float, mono_bass: float) -> None:
    with pytest.raises(ValueError, match="lies within"):
        Stereo(side_gain_db, mono_bass, 44_100, 2, 0)
    with pytest.raises(ValueError, match="lies within"):
        Stereo(0.0, 0.0, 44_100, 2, 0).glide(side_gain_db, mono_bass, 100)


@pytest.mark.parametrize("channels", [1, 3])
def test_only_two_channels_have_a_width(channels: int) -> None:
    with pytest.raises(ValueError, match="only two channels"):
        Stereo(1.0, 0.0, 44_100, channels, 0)
