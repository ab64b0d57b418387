"""The limiter against an independent 16x meter (scipy), over rates, channels and hostile signals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from tonearm.dsp.limiter import MARGIN_DB, TruePeakLimiter
from tonearm.model.audio import Block

THRESHOLD_DBTP = -1.0
RATES = [8_000, 11_025, 22_050, 44_100, 96_000, 384_000]
LOUD = 10 ** (12 / 20)
"""12 dB over full scale."""


def true_peak_dbtp(x: Block) -> float:
    """Also of what rings before the first frame and after the last, where zeros are."""
    fine = resample_poly(
        np.pad(x.astype(np.float64), ((20, 20), (0, 0))), 16, 1, axis=0, window=("kaiser", 12.0)
    )
    return float(20 * np.log10(np.abs(fine).max()))


def limit(x: Block, rate: int, threshold_dbtp: float = THRESHOLD_DBTP) -> Block:
    limiter = TruePeakLimiter(threshold_dbtp, rate, x.shape[1])
    return np.concatenate([limiter.process(x), limiter.flush()])


def hostile(name: str, rate: int, frames: int) -> Block:
    rng, n = np.random.default_rng(11), np.arange(frames)
    t = n / rate
    wave = {
        "square 100 Hz": lambda: np.sign(np.sin(2 * np.pi * 100.3 * t)),
        "square 997 Hz": lambda: np.sign(np.sin(2 * np.pi * 997 * t)),
        "clicks": lambda: (rng.random(frames) < 0.002) * rng.normal(size=frames),
        "one click": lambda: (n == frames // 2).astype(float),
        "first and last frame": lambda: ((n == 0) | (n == frames - 1)).astype(float),
        "fs/4 at 45 degrees": lambda: np.sin(np.pi / 2 * n + np.pi / 4),
        "direct current": lambda: np.ones(frames),
        "nyquist": lambda: np.cos(np.pi * n),
        "nyquist with flips": lambda: np.cos(np.pi * n) * np.sign(np.sin(2 * np.pi * 50.3 * t)),
        "noise": lambda: rng.normal(size=frames) / 3,
        "signs": lambda: np.sign(rng.normal(size=frames)),
        "bursts of signs": lambda: np.sign(rng.normal(size=frames)) * (np.sin(2 * np.pi * 17 * t) > 0.6),
        "worst of the filter": lambda: np.tile(np.sign(np.sinc(np.arange(-19, 20) - 0.5)), frames)[:frames],
        "swell": lambda: np.sin(2 * np.pi * 0.23 * rate * t) * np.linspace(0, 1, frames) ** 4,
    }[name]()
    return (LOUD * wave[:, None]).astype(np.float32)


NAMES = [
    "square 100 Hz", "square 997 Hz", "clicks", "one click", "first and last frame", "fs/4 at 45 degrees",
    "direct current", "nyquist", "nyquist with flips", "noise", "signs", "bursts of signs",
    "worst of the filter", "swell",
]  # fmt: skip


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_exceeds_the_threshold_between_the_samples(name: str, rate: int) -> None:
    x = hostile(name, rate, frames=max(6_000, rate // 10))
    y = limit(x, rate)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    assert true_peak_dbtp(x) > THRESHOLD_DBTP + 3
    assert true_peak_dbtp(y) <= THRESHOLD_DBTP + 1e-4
    assert np.isfinite(y).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from([8_000, 44_100, 192_000]),
    channels=st.integers(1, 8),
    density=st.sampled_from([0.001, 0.03, 1.0]),
    over_db=st.floats(0, 40),
)
def test_no_noise_found_that_exceeds_the_threshold(
    seed: int, rate: int, channels: int, density: float, over_db: float
) -> None:
    rng = np.random.default_rng(seed)
    bursts = np.repeat(rng.random((40, 1)) < 0.5, 100, axis=0)
    x = rng.choice([-1.0, 1.0, 0.3], (4000, channels)) * (rng.random((4000, channels)) < density) * bursts
    y = limit((x * 10 ** (over_db / 20)).astype(np.float32), rate)
    assert np.abs(y).max() == 0 or true_peak_dbtp(y) <= THRESHOLD_DBTP + 1e-4


@pytest.mark.parametrize("rate", [8_000, 44_100, 384_000])
def test_under_the_threshold_it_is_a_bit_exact_delay(rate: int) -> None:
    x = np.random.default_rng(2).uniform(-1, 1, (20_000, 2)).astype(np.float32)
    x *= np.float32(10 ** ((THRESHOLD_DBTP - true_peak_dbtp(x)) / 20))
    assert true_peak_dbtp(x) == pytest.approx(THRESHOLD_DBTP, abs=1e-5)
    limiter = TruePeakLimiter(THRESHOLD_DBTP, rate, 2)
    y = limiter.process(x)
    assert len(y) == len(x) - limiter.delay
    assert limiter.reduction_db == 0
    np.testing.assert_array_equal(np.concatenate([y, limiter.flush()]), x)


def test_after_a_peak_it_becomes_a_bit_exact_delay_again() -> None:
    rate = 8_000
    x = np.random.default_rng(2).uniform(-0.3, 0.3, (rate * 6, 1)).astype(np.float32)
    x[rate] = 3.0
    y = limit(x, rate)
    assert not np.array_equal(y[rate - 50 : rate + 50], x[rate - 50 : rate + 50])
    np.testing.assert_array_equal(y[: rate - 200], x[: rate - 200])
    np.testing.assert_array_equal(y[rate * 5 :], x[rate * 5 :])


def test_no_threshold_is_no_limit() -> None:
    x = hostile("noise", 44_100, 5000)
    np.testing.assert_array_equal(limit(x, 44_100, threshold_dbtp=np.inf), x)


def test_all_channels_share_one_gain() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(0.2, 1.0, (30_000, 3)).astype(np.float32) * rng.choice([-1, 1], (30_000, 3))
    x = x.astype(np.float32)
    x[12_000:12_400, 1] *= 4
    gains_db = 20 * np.log10(limit(x, 44_100) / x)
    assert gains_db.min() < -10
    assert np.ptp(gains_db, axis=1).max() < 0.01


def test_the_reduction_is_told() -> None:
    x = np.full((40_000, 2), 10 ** ((THRESHOLD_DBTP + 5) / 20), np.float32)
    x *= np.sin(2 * np.pi * 1000 / 44_100 * np.arange(40_000))[:, None].astype(np.float32)
    limiter = TruePeakLimiter(THRESHOLD_DBTP, 44_100, 2)
    limiter.process(x)
    assert limiter.reduction_db == pytest.approx(5.0, abs=0.02)
    limiter.process(np.zeros((44_100 * 6, 2), np.float32))
    limiter.process(np.zeros((100, 2), np.float32))
    assert limiter.reduction_db == 0


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 6000), max_size=8), name=st.sampled_from(["noise", "clicks", "swell"]))
def test_cutting_never_changes_the_sound(cuts: list[int], name: str) -> None:
    x = hostile(name, 44_100, 6000)
    limiter = TruePeakLimiter(THRESHOLD_DBTP, 44_100, 1)
    parts = [limiter.process(block) for block in np.split(x, sorted(cuts))] + [limiter.flush()]
    np.testing.assert_array_equal(np.concatenate(parts), limit(x, 44_100))


@pytest.mark.parametrize("size", [1, 13, 512])
def test_equal_blocks_never_change_the_sound(size: int) -> None:
    x = hostile("noise", 44_100, 4000)
    limiter = TruePeakLimiter(THRESHOLD_DBTP, 44_100, 1)
    parts = [limiter.process(x[n : n + size]) for n in range(0, len(x), size)] + [limiter.flush()]
    np.testing.assert_array_equal(np.concatenate(parts), limit(x, 44_100))


@pytest.mark.parametrize("bass_hz", [60.0, 61.7, 80.0, 97.0, 120.0, 133.3, 150.0])
@pytest.mark.parametrize("level", [0.1, 0.5])
def test_bass_does_not_modulate_what_lies_above_it(bass_hz: float, level: float) -> None:
    rate, carrier_hz = 48_000, 1000.0
    t = np.arange(rate * 4) / rate
    wave = np.sin(2 * np.pi * bass_hz * t) + level * np.sin(2 * np.pi * carrier_hz * t)
    y = limit((10 ** (6 / 20) * wave[:, None]).astype(np.float32), rate)[rate : rate * 3, 0].astype(
        np.float64
    )
    spectrum = np.abs(np.fft.rfft(y * np.kaiser(len(y), 20)))
    frequencies = np.fft.rfftfreq(len(y), 1 / rate)
    carrier = spectrum[np.abs(frequencies - carrier_hz) < 5].max()
    around = np.abs(frequencies - carrier_hz)
    strongest = spectrum[(around > 12) & (around < 500)].max()
    assert 20 * np.log10(strongest / carrier) <= -40


def test_a_new_threshold_holds_from_the_frame_on_that_comes_in_next() -> None:
    x = hostile("noise", 44_100, 30_000)
    limiter = TruePeakLimiter(THRESHOLD_DBTP, 44_100, 1)
    parts = [limiter.process(x[:15_000])]
    limiter.set_threshold(-6.0)
    parts += [limiter.process(x[15_000:]), limiter.flush()]
    y = np.concatenate(parts)
    assert true_peak_dbtp(y) <= THRESHOLD_DBTP + 1e-4
    assert true_peak_dbtp(y[15_010:]) <= -6.0 + 0.05
    assert true_peak_dbtp(y[:14_000]) > -6.0


def test_the_margin_is_small() -> None:
    assert 0 < MARGIN_DB <= 0.06


def test_a_threshold_is_a_number() -> None:
    with pytest.raises(ValueError, match="number"):
        TruePeakLimiter(np.nan, 44_100, 2)
