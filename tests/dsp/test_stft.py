"""The transform against scipy's, and a stream against the whole."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.dsp.stft import Stft, hann, nearest_power_of_two, power

NOISE = np.random.default_rng(0).standard_normal(9_000).astype(np.float32)


def whole(size: int, hop: int) -> np.ndarray:
    return np.concatenate(list(Stft(size, hop).process(NOISE)))


@pytest.mark.parametrize(("size", "hop"), [(1024, 256), (512, 512), (256, 100)])
def test_frames_are_those_of_scipy(size: int, hop: int):
    window = scipy.signal.get_window("hann", size)
    reference = scipy.signal.ShortTimeFFT(window, hop, fs=1.0).stft(
        NOISE.astype(np.float64), p0=0, p1=None, k_offset=size // 2
    )
    found = whole(size, hop)
    assert len(found) == (len(NOISE) - size) // hop + 1
    np.testing.assert_allclose(np.abs(found), np.abs(reference.T[: len(found)]), atol=2e-4)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, len(NOISE)), max_size=8))
def test_block_size_never_changes_the_frames(cuts: list[int]):
    stft = Stft(1024, 256)
    parts = [batch for part in np.split(NOISE, sorted(cuts)) for batch in stft.process(part)]
    np.testing.assert_array_equal(np.concatenate(parts), whole(1024, 256))


def test_too_little_for_a_frame_gives_none():
    assert list(Stft(1024, 256).process(NOISE[:1023])) == []


def test_power_is_the_squared_magnitude():
    spectra = whole(256, 128)
    np.testing.assert_allclose(power(spectra), np.abs(spectra) ** 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("samples", "wanted"), [(4101.3, 4096), (4464.0, 4096), (744.0, 512), (800.0, 1024), (2050.65, 2048)]
)
def test_nearest_power_of_two(samples: float, wanted: int):
    assert nearest_power_of_two(samples) == wanted


def test_hann_is_periodic():
    np.testing.assert_allclose(hann(64), scipy.signal.get_window("hann", 64), atol=1e-7)


def test_a_hop_longer_than_the_frame_is_refused():
    with pytest.raises(ValueError, match="hop"):
        Stft(256, 257)
