"""The meter against ``scipy.signal.resample_poly`` at 16x, which shares no code with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tonearm.dsp.truepeak import TruePeakMeter
from tonearm.model.audio import Block


def reference(x: Block) -> NDArray[np.float64]:
    """True peak of each interval between samples, over all channels, linear."""
    fine = resample_poly(x.astype(np.float64), 16, 1, axis=0, window=("kaiser", 12.0))
    return np.abs(fine).reshape(len(x), -1).max(axis=1)


def measure(x: Block, segment_frames: int = 1000) -> TruePeakMeter:
    meter = TruePeakMeter(x.shape[1], segment_frames)
    meter.process(x)
    meter.flush()
    return meter


def tone(cycles_per_frame: float, degrees: float, frames: int = 4000, channels: int = 2) -> Block:
    wave = np.sin(2 * np.pi * (cycles_per_frame * np.arange(frames) + degrees / 360))
    return np.tile(wave[:, None], (1, channels)).astype(np.float32)


def impulse(frames: int, at: int) -> Block:
    x = np.zeros((frames, 1), np.float32)
    x[at] = -0.7
    return x


RANDOM = np.random.default_rng(5)
SIGNALS = {
    "noise": RANDOM.normal(0, 0.3, (5000, 2)).astype(np.float32),
    "loud noise": RANDOM.normal(0, 8.0, (5000, 1)).astype(np.float32),
    "signs": np.sign(RANDOM.normal(size=(5000, 8))).astype(np.float32),
    "walk": (np.cumsum(RANDOM.normal(size=(5000, 3)), axis=0) / 100).astype(np.float32),
    "fs/4 at 45 degrees": tone(1 / 4, 45),
    "fs/6 at 60 degrees": tone(1 / 6, 60),
    "fs/8 at 67.5 degrees": tone(1 / 8, 67.5),
    "near nyquist": tone(0.4999, 10),
    "nyquist": tone(0.5, 90),
    "direct current": np.full((3000, 2), -0.8, np.float32),
    "square": np.sign(tone(1 / 100, 0.3)),
    "first frame": impulse(50, 0),
    "last frame": impulse(50, 49),
    "one frame": impulse(1, 0),
    "silence": np.zeros((100, 2), np.float32),
}


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("segment_frames", [1, 7, 999])
def test_every_segment_reads_what_scipy_reads(name: str, segment_frames: int) -> None:
    x = SIGNALS[name][: 60 * segment_frames]
    meter = measure(x, segment_frames)
    intervals = reference(x)
    wanted = [intervals[n : n + segment_frames].max() for n in range(0, len(x), segment_frames)]
    assert meter.segment_peaks == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert meter.peak == pytest.approx(intervals.max(), rel=1e-9, abs=1e-12)


def test_nothing_reads_as_silence() -> None:
    meter = measure(np.zeros((0, 2), np.float32))
    assert meter.segment_peaks == []
    assert meter.peak == 0.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), burst=st.integers(0, 380), scale=st.sampled_from([0.1, 1.0, 3.0]))
def test_skipping_never_misses_the_worst_case(seed: int, burst: int, scale: float) -> None:
    """Signs of the filter's own taps reach its L1 norm: the largest value that a bound may not miss."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.5, 0.5, (400, 2)).astype(np.float32)
    signs = np.sign(np.sinc(np.arange(-9, 11) - rng.uniform(0, 1)))
    x[burst : burst + 20, 1] = signs[: 400 - burst]
    x *= np.float32(scale)
    assert measure(x, 100).peak == pytest.approx(reference(x).max(), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cycles=st.floats(0.001, 0.4999),
    width=st.floats(2.0, 200.0),
    at=st.floats(0, 600),
)
def test_skipping_never_misses_a_wave_that_is_highest_between_samples(
    seed: int, cycles: float, width: float, at: float
) -> None:
    """Bursts of any length and pitch, as smooth and as bent as a bound may be asked about."""
    rng = np.random.default_rng(seed)
    n = np.arange(600)
    burst = np.cos(2 * np.pi * cycles * (n - at)) * np.exp(-0.5 * ((n - at) / width) ** 2)
    x = (burst[:, None] * rng.uniform(0.2, 2.0, 2) + rng.normal(0, 0.03, (600, 2))).astype(np.float32)
    meter = measure(x, 150)
    wanted = reference(x).reshape(4, 150).max(axis=1)
    assert meter.segment_peaks == pytest.approx(wanted.tolist(), rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=8))
def test_cutting_never_changes_a_reading(cuts: list[int]) -> None:
    x = SIGNALS["noise"][:2000]
    meter = TruePeakMeter(2, 77)
    for block in np.split(x, sorted(cuts)):
        meter.process(block)
    meter.flush()
    assert meter.segment_peaks == measure(x, 77).segment_peaks


@pytest.mark.parametrize(("cycles", "degrees", "level", "dbtp"), [
    (1 / 4, 0.0, 0.5, -6.0),
    (1 / 4, 45.0, 0.5, -6.0),
    (1 / 6, 60.0, 0.5, -6.0),
    (1 / 8, 67.5, 0.5, -6.0),
    (1 / 4, 45.0, 1.41, 3.0),
])  # fmt: skip
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_ebu_tech_3341_cases_15_to_19(
    cycles: float, degrees: float, level: float, dbtp: float, rate: int
) -> None:
    x = np.float32(level) * tone(cycles, degrees, frames=rate)
    fade = np.ones(rate)
    fade[: rate // 100] = np.linspace(0, 1, rate // 100)
    fade *= fade[::-1]
    reading = 20 * np.log10(measure((x * fade[:, None]).astype(np.float32)).peak)
    assert -0.2 <= reading - dbtp <= 0.1


@pytest.mark.parametrize(("channels", "segment_frames"), [(0, 10), (2, 0)])
def test_no_meter_without_channels_or_segments(channels: int, segment_frames: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TruePeakMeter(channels, segment_frames)
