"""The chain as a whole: its ceiling, cutting, seeking, changing plans; scipy is the judge."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from tonearm.dsp.dither import dithered_16
from tonearm.dsp.equaliser import band_response_db
from tonearm.mastering.chain import GRID_FRAMES, Chain
from tonearm.model.audio import Block
from tonearm.model.plan import (
    Compression,
    MasteringPlan,
    MasteringState,
    Restoration,
    Width,
    untouched,
)

DEMO = Path(__file__).parents[2] / "demo"
CURVE = (1.0, -2.0, 0.5, 1.5, -1.0, 2.5, -3.0)
FLAT = (0.0,) * 7
NOISE = np.random.default_rng(9).normal(0, 0.35, (9000, 2)).astype(np.float32)


def plan(gain_db: float = 0.0, eq_db: tuple[float, ...] = FLAT, **changes: object) -> MasteringPlan:
    return MasteringPlan(state=MasteringState.FINGERPRINT, gain_db=gain_db, eq_db=eq_db, **changes)


BYPASS = untouched("a test")
SQUEEZED = Compression(2.0, 1.23, (-14.0, -14.0, -14.0))
OPENED = Restoration(3.0, -8.0, 0.0)
LIVELY = plan(7.0, CURVE, compression=SQUEEZED, restoration=OPENED, width=Width(1.5, 1.0))
ANY_CHANNELS = plan(7.0, CURVE, compression=SQUEEZED, restoration=OPENED)


def render(x: Block, how: MasteringPlan, rate: int = 44_100, first_frame: int = 0) -> Block:
    chain = Chain(how, rate, x.shape[1], first_frame)
    return np.concatenate([chain.process(x), chain.flush()])


def true_peak_dbtp(x: Block) -> float:
    """Also of what rings before the first frame and after the last, where zeros are."""
    fine = resample_poly(
        np.pad(x.astype(np.float64), ((20, 20), (0, 0))), 16, 1, axis=0, window=("kaiser", 12.0)
    )
    return float(20 * np.log10(np.abs(fine).max()))


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 384_000])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("gain_db", [-3.0, 12.0])
def test_the_ceiling_holds_at_every_rate_and_width(rate: int, channels: int, gain_db: float) -> None:
    rng, n = np.random.default_rng(rate + channels), np.arange(12_000)
    waves = [
        np.sign(np.sin(2 * np.pi * 0.0101 * n)),
        np.sin(np.pi / 2 * n + np.pi / 4),
        np.cos(np.pi * n),
        np.ones(len(n)),
        (rng.random(len(n)) < 0.003) * 2.0,
        rng.normal(size=len(n)),
        np.sign(rng.normal(size=len(n))),
        np.sin(2 * np.pi * 0.003 * n) + 0.5 * np.sin(2 * np.pi * 0.27 * n),
    ]
    x = np.stack(waves[-channels:], axis=1).astype(np.float32)
    for how in (plan(gain_db), replace(ANY_CHANNELS, gain_db=gain_db)):
        y = render(x, how, rate)
        assert y.shape == x.shape
        assert true_peak_dbtp(y) <= -1.0 + 0.02


@pytest.mark.parametrize("wave", range(8))
@pytest.mark.parametrize("ceiling_dbtp", [-1.0, -3.0])
def test_the_ceiling_holds_for_each_hostile_wave_alone(wave: int, ceiling_dbtp: float) -> None:
    n, rng = np.arange(20_000), np.random.default_rng(wave)
    x = [
        np.sign(np.sin(2 * np.pi * 0.00227 * n)),
        np.sin(np.pi / 2 * n + np.pi / 4),
        np.cos(np.pi * n),
        np.ones(len(n)),
        (n % 3000 == 17).astype(float),
        rng.normal(size=len(n)),
        np.sign(rng.normal(size=len(n))),
        np.cos(np.pi * n) * np.sign(np.sin(2 * np.pi * 0.001 * n)),
    ][wave][:, None].astype(np.float32)
    y = render(x, plan(12.0, ceiling_dbtp=ceiling_dbtp))
    assert ceiling_dbtp - 0.06 <= true_peak_dbtp(y) <= ceiling_dbtp + 0.02


@pytest.mark.parametrize("name", ["destiny_facedown.ogg", "loop_tabla.flac", "starfall_clip.ogg"])
@pytest.mark.parametrize("gain_db", [0.0, 12.0])
def test_the_ceiling_holds_for_music(name: str, gain_db: float) -> None:
    x, rate = soundfile.read(DEMO / name, dtype="float32", always_2d=True, frames=44_100 * 8)
    y = render(x, replace(LIVELY if x.shape[1] == 2 else ANY_CHANNELS, gain_db=gain_db), rate)
    assert len(y) == len(x)
    assert true_peak_dbtp(y) <= -1.0 + 0.02


def test_the_ceiling_holds_in_sixteen_bits_with_dither() -> None:
    y = dithered_16(render(NOISE, plan(12.0)), 0) / np.float32(32768)
    assert -1.06 <= true_peak_dbtp(y) <= -1.0 + 0.02


@pytest.mark.parametrize("size", [1, 13, 512, 4096, 44_100])
def test_equal_blocks_never_change_the_sound(size: int) -> None:
    x = NOISE[: 2000 if size == 1 else None]
    chain = Chain(LIVELY, 44_100, 2)
    parts = [chain.process(x[n : n + size]) for n in range(0, len(x), size)] + [chain.flush()]
    np.testing.assert_array_equal(np.concatenate(parts), render(x, LIVELY))


def retargeted(blocks: list[Block], first_frame: int) -> Block:
    """Change plans twice, the second time in the middle of a glide; the frames are multiples of the grid."""
    chain, position, parts = Chain(LIVELY, 44_100, 2, first_frame), 0, []
    opened = plan(2.0, CURVE, restoration=OPENED, width=Width(-1.0, 0.5))
    changes = {1984: plan(-5.0, FLAT, ceiling_dbtp=-3.0), 3008: opened, 6016: BYPASS, 8512: LIVELY}
    for block in blocks:
        rest = block
        while len(rest):
            due = [frame - position for frame in changes if frame > position]
            count = min([len(rest), *due])
            parts.append(chain.process(rest[:count]))
            rest, position = rest[count:], position + count
            if position in changes:
                chain.retarget(changes.pop(position), 0.05)
    return np.concatenate([*parts, chain.flush()])


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 9000), max_size=8), first_frame=st.sampled_from([0, 64, 6400]))
def test_cutting_never_changes_the_sound_of_changing_plans(cuts: list[int], first_frame: int) -> None:
    whole = retargeted([NOISE], first_frame)
    assert len(whole) == len(NOISE)
    np.testing.assert_array_equal(retargeted(np.split(NOISE, sorted(cuts)), first_frame), whole)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 9000), max_size=8), first_frame=st.integers(0, 10_000))
def test_cutting_never_changes_the_sound(cuts: list[int], first_frame: int) -> None:
    chain = Chain(LIVELY, 44_100, 2, first_frame)
    parts = [chain.process(block) for block in np.split(NOISE, sorted(cuts))] + [chain.flush()]
    np.testing.assert_array_equal(np.concatenate(parts), render(NOISE, LIVELY, first_frame=first_frame))


@pytest.mark.parametrize("within", [1, 30, 63, 64])
def test_a_change_begins_at_the_next_grid_position(within: int) -> None:
    """So it does not matter where, between two of them, it was asked for."""
    chain, x = Chain(plan(-10.0), 44_100, 2), np.full((3000, 2), 0.25, np.float32)
    parts = [chain.process(x[: GRID_FRAMES + within])]
    chain.retarget(plan(-4.0), 0.01)
    parts += [chain.process(x[GRID_FRAMES + within :]), chain.flush()]
    level_db = 20 * np.log10(np.concatenate(parts)[:, 0] / 0.25)
    wanted = -10.0 + 6.0 * np.clip((np.arange(3000) - 2 * GRID_FRAMES) / 441, 0, 1)
    np.testing.assert_allclose(level_db, wanted, atol=1e-4)


def test_a_change_during_a_glide_goes_on_from_there() -> None:
    chain, x = Chain(plan(0.0), 44_100, 1), np.full((6400, 1), 0.25, np.float32)
    chain.retarget(plan(-8.0), 3200 / 44_100)
    parts = [chain.process(x[:1600])]
    chain.retarget(plan(0.0), 3200 / 44_100)
    parts += [chain.process(x[1600:]), chain.flush()]
    level_db = 20 * np.log10(np.concatenate(parts)[:, 0] / 0.25)
    np.testing.assert_allclose(level_db[[0, 1600, 3200, 4800]], [0.0, -4.0, -2.0, 0.0], atol=1e-4)


def test_the_lower_ceiling_holds_during_a_glide_and_the_new_one_after_it() -> None:
    rate, change = 44_100, 8000 // GRID_FRAMES * GRID_FRAMES
    x = np.random.default_rng(1).normal(size=(5 * rate, 1)).astype(np.float32)
    chain = Chain(plan(6.0, ceiling_dbtp=-6.0), rate, 1)
    parts = [chain.process(x[:change])]
    chain.retarget(plan(6.0, ceiling_dbtp=-1.0), 1.0)
    y = np.concatenate([*parts, chain.process(x[change:]), chain.flush()])
    assert true_peak_dbtp(y[: change + rate]) <= -6.0 + 0.02
    assert -2.0 < true_peak_dbtp(y[change + rate :]) <= -1.0 + 0.02


def test_bypassed_is_bit_exact() -> None:
    x = (NOISE * 8).astype(np.float32)
    np.testing.assert_array_equal(render(x, BYPASS), x)


def test_a_plan_with_nothing_to_do_is_bit_exact_under_the_ceiling() -> None:
    x = (NOISE * np.float32(0.3)).astype(np.float32)
    np.testing.assert_array_equal(render(x, plan()), x)


def test_going_over_to_bypass_ends_bit_exact_and_coming_back_holds_the_ceiling() -> None:
    rate = 8_000
    x = np.random.default_rng(3).normal(size=(20 * rate, 2)).astype(np.float32)
    how = replace(LIVELY, gain_db=3.0)
    chain = Chain(how, rate, 2)
    parts = [chain.process(x[: rate * 2])]
    chain.retarget(BYPASS, 1.0)
    parts.append(chain.process(x[rate * 2 : rate * 12]))
    chain.retarget(how, 1.0)
    parts += [chain.process(x[rate * 12 :]), chain.flush()]
    y = np.concatenate(parts)
    assert true_peak_dbtp(y[: rate * 3]) <= -1.0 + 0.02
    np.testing.assert_array_equal(y[rate * 9 : rate * 12 - 200], x[rate * 9 : rate * 12 - 200])
    assert true_peak_dbtp(y[rate * 12 + 20 :]) <= -1.0 + 0.02


def test_dynamics_and_width_that_arrive_while_it_plays_glide_in_on_the_same_sample() -> None:
    """As when the fingerprint comes after the first impression."""
    rate, first, whole = 8_000, plan(-3.0, CURVE), replace(LIVELY, gain_db=-6.0)
    x = (np.random.default_rng(5).normal(0, 0.2, (16 * rate, 2))).astype(np.float32)
    change = 2 * rate // GRID_FRAMES * GRID_FRAMES
    chain = Chain(first, rate, 2)
    parts = [chain.process(x[:change])]
    chain.retarget(whole, 3.0)
    parts += [chain.process(block) for block in np.array_split(x[change:], 50)]
    y = np.concatenate([*parts, chain.flush()])
    assert len(y) == len(x)
    before, after = render(x, first, rate), render(x, whole, rate)
    # Level glides through a delay that begins with the dynamics: 3 ms, which are 0.003 dB.
    np.testing.assert_array_equal(y[: change - 100], before[: change - 100])
    np.testing.assert_allclose(y[change - 100 : change], before[change - 100 : change], atol=1e-3)
    assert np.abs(y[-4 * rate :] - after[-4 * rate :]).max() <= 10 ** (-90 / 20)
    # Nothing steps: what changes from one half to the other changes slowly.
    ratio = [np.std(y[k : k + 800]) / np.std(before[k : k + 800]) for k in range(0, len(y) - 800, 400)]
    assert np.abs(20 * np.log10(np.array(ratio)[1:] / np.array(ratio)[:-1])).max() < 0.5


@pytest.mark.parametrize("gain_db", [-8.0, 4.0])
def test_a_seek_with_four_seconds_of_pre_roll_gives_the_same_sound(gain_db: float) -> None:
    x, rate = soundfile.read(DEMO / "starfall_clip.ogg", dtype="float32", always_2d=True, frames=44_100 * 12)
    how = replace(LIVELY, gain_db=gain_db)
    whole = render(x, how, rate)
    pre_roll = 4 * rate
    for seconds in (5.0, 7.3):
        start = int((seconds - 4) * rate) // GRID_FRAMES * GRID_FRAMES
        part = render(x[start:], how, rate, first_frame=start)[pre_roll:]
        difference = np.abs(part - whole[start + pre_roll :]).max()
        assert difference <= 10 ** (-90 / 20)


def test_without_limiting_the_output_is_the_input_by_gain_and_equaliser() -> None:
    rate = 48_000
    x = np.zeros((1 << 16, 1), np.float32)
    x[1000] = 0.1
    y = render(x, plan(-6.0, CURVE), rate)
    spectrum = np.fft.rfft(y[:, 0]) / np.fft.rfft(x[:, 0])
    hertz = np.fft.rfftfreq(len(x), 1 / rate)[10:-10]
    response = 20 * np.log10(np.abs(spectrum))[10:-10]
    np.testing.assert_allclose(response, -6.0 + band_response_db(CURVE, hertz, rate), atol=0.01)


def test_linked_channels_share_their_gain_and_polarity_and_order_do_not_matter() -> None:
    y = render(NOISE, LIVELY)
    np.testing.assert_array_equal(render(-NOISE, LIVELY), -y)
    swapped = render(np.ascontiguousarray(NOISE[:, ::-1]), LIVELY)
    np.testing.assert_array_equal(swapped[:, ::-1], y)
    mono = render(NOISE[:, :1].copy(), ANY_CHANNELS)
    np.testing.assert_array_equal(
        render(np.repeat(NOISE[:, :1], 2, axis=1), LIVELY), np.repeat(mono, 2, axis=1)
    )


@pytest.mark.parametrize("how", [BYPASS, LIVELY, plan(60.0)])
def test_what_is_not_sound_does_not_enter(how: MasteringPlan) -> None:
    x = NOISE.copy()
    x[100], x[2000], x[3000, 1], x[4000:4100, 0] = np.nan, np.inf, -np.inf, 3e38
    clean = np.where(np.abs(x) <= 2.0**10, x, np.float32(0))
    y = render(x, how)
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(y, render(clean, how))


def test_the_loudest_sound_that_enters_is_limited_too() -> None:
    x = np.full((5000, 1), 2.0**10, np.float32)
    assert true_peak_dbtp(render(x, plan(60.0))) <= -1.0 + 0.02


@pytest.mark.parametrize("frames", [0, 1, 5, 300])
@pytest.mark.parametrize("how", [BYPASS, LIVELY])
def test_short_sounds_come_out_whole(frames: int, how: MasteringPlan) -> None:
    y = render(NOISE[:frames], how)
    assert y.shape == (frames, 2)
    assert y.dtype == np.float32


def test_the_reduction_is_told_for_the_last_call_whole() -> None:
    chain = Chain(plan(0.0), 44_100, 1)
    loud = (2.0 * np.sin(2 * np.pi * 0.01 * np.arange(20_000)))[:, None].astype(np.float32)
    chain.process(np.concatenate([loud, np.zeros((60_000, 1), np.float32)]))
    assert chain.reduction_db == pytest.approx(20 * np.log10(2) + 1.05, abs=0.02)
    chain.process(np.zeros((300_000, 1), np.float32))
    chain.process(np.zeros((10, 1), np.float32))
    assert chain.reduction_db == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("width", [Width(0.5), Width(0.0, 1.0)])
def test_only_two_channels_have_a_width(channels: int, width: Width) -> None:
    chain = Chain(plan(), 44_100, channels)
    with pytest.raises(ValueError, match="only two channels have a width"):
        Chain(plan(width=width), 44_100, channels)
    with pytest.raises(ValueError, match="only two channels have a width"):
        chain.retarget(plan(width=width))


@pytest.mark.parametrize(
    "block", [np.zeros((10, 3), np.float32), np.zeros(10, np.float32), np.zeros((10, 2))]
)
def test_sound_of_another_shape_is_refused(block: Block) -> None:
    with pytest.raises(ValueError, match="wanted float32"):
        Chain(plan(), 44_100, 2).process(block)


@pytest.mark.parametrize(("rate", "channels"), [(7_999, 2), (384_001, 2), (44_100, 0), (44_100, 9)])
def test_formats_out_of_range_are_refused(rate: int, channels: int) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        Chain(plan(), rate, channels)


def test_time_runs_forward() -> None:
    with pytest.raises(ValueError, match="at least 0 s"):
        Chain(plan(), 44_100, 2).retarget(plan(), -1.0)


def test_a_higher_ceiling_holds_from_its_frame_on_though_dynamics_hold_frames_back() -> None:
    rate = 44_100
    noise = np.random.default_rng(3).normal(0.0, 1.0, (rate, 2)).astype(np.float32)
    work = Compression(2.0, 2.0, (-30.0, -30.0, -30.0))
    low, high = (
        MasteringPlan(state=MasteringState.FINGERPRINT, ceiling_dbtp=ceiling, compression=work)
        for ceiling in (-7.0, -1.0)
    )
    chain, change = Chain(low, rate, 2), 20_480
    before = chain.process(noise[:change])
    chain.retarget(high, 0.0)
    y = np.concatenate([before, chain.process(noise[change:]), chain.flush()])
    assert np.abs(y[:change]).max() <= 10 ** (-7.0 / 20)
    assert np.abs(y[change:]).max() > 10 ** (-7.0 / 20)
