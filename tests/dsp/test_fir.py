"""The filters are those of scipy."""

import numpy as np
import pytest
from scipy.signal import firwin
from scipy.signal import kaiser_beta as scipy_beta

from tonearm.dsp.fir import kaiser_beta, low_pass


@pytest.mark.parametrize(("taps", "cutoff", "beta"), [(321, 1 / 16, 12.0), (64, 0.4, 5.6), (1, 0.5, 0.0)])
def test_low_pass_is_firwin(taps: int, cutoff: float, beta: float) -> None:
    np.testing.assert_allclose(
        low_pass(taps, cutoff, beta), firwin(taps, cutoff, window=("kaiser", beta)), rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("stop_db", [10.0, 21.0, 30.0, 50.0, 60.0, 120.0])
def test_the_shape_for_a_stop_band(stop_db: float) -> None:
    assert kaiser_beta(stop_db) == pytest.approx(scipy_beta(stop_db), abs=1e-12)


@pytest.mark.parametrize(
    ("taps", "cutoff", "beta"), [(0, 0.5, 1.0), (9, 0.0, 1.0), (9, 1.0, 1.0), (9, 0.5, -1.0)]
)
def test_what_cannot_be_a_filter(taps: int, cutoff: float, beta: float) -> None:
    with pytest.raises(ValueError, match="wanted"):
        low_pass(taps, cutoff, beta)
