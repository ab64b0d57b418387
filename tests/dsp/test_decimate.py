"""The lower rate: what is kept, what is gone, and a stream against the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.dsp.decimate import Decimator
from tonearm.model.audio import Hz

NOISE = np.random.default_rng(0).standard_normal(5_000).astype(np.float32)


def level_db(frequency: float, rate: int, factor: int, passband: float) -> float:
    """Level of a full-scale sine after decimation, dB under full scale."""
    sine = np.sin(2 * np.pi * frequency * np.arange(rate // 2) / rate).astype(np.float32)
    out = Decimator(factor, rate, Hz(passband), 80.0).process(sine)
    return float(10 * np.log10(2 * np.mean(out[1000:].astype(np.float64) ** 2)))


@pytest.mark.parametrize(("rate", "factor"), [(96_000, 2), (176_400, 4), (192_000, 4), (384_000, 8)])
def test_what_is_heard_is_kept_and_what_would_fold_onto_it_is_gone(rate: int, factor: int):
    for frequency in (100.0, 5_000.0, 19_000.0):
        assert level_db(frequency, rate, factor, 20_000.0) == pytest.approx(0.0, abs=0.02)
    assert level_db(rate / factor - 19_000.0, rate, factor, 20_000.0) < -75


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, len(NOISE)), max_size=8), factor=st.sampled_from([2, 3, 4]))
def test_block_size_never_changes_the_signal(cuts: list[int], factor: int):
    whole = Decimator(factor, 48_000, Hz(5_000.0), 60.0).process(NOISE)
    stream = Decimator(factor, 48_000, Hz(5_000.0), 60.0)
    parts = np.concatenate([stream.process(part) for part in np.split(NOISE, sorted(cuts))])
    assert len(whole) == -(-len(NOISE) // factor)
    np.testing.assert_array_equal(parts, whole)


def test_the_delay_is_what_it_says():
    decimator = Decimator(2, 48_000, Hz(5_000.0), 60.0)
    impulse = np.zeros(400, dtype=np.float32)
    impulse[100 - decimator.delay % 2] = 1.0
    assert 2 * int(np.argmax(decimator.process(impulse))) == 100 - decimator.delay % 2 + decimator.delay


@pytest.mark.parametrize(("factor", "passband"), [(2, 12_000.0), (0, 1_000.0), (2, 0.0)])
def test_what_cannot_be_kept_is_refused(factor: int, passband: float):
    with pytest.raises((ValueError, ZeroDivisionError)):
        Decimator(factor, 48_000, Hz(passband), 60.0)
