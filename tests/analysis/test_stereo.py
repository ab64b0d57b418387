"""Width and correlation against numpy."""

import numpy as np
import pytest
from sounds import analysed, noise, sine

RATE = 44_100


def test_mono_has_no_width():
    for x in (noise(), noise()[:, :1]):
        fingerprint = analysed(x, RATE).fingerprint
        assert (fingerprint.stereo_width, fingerprint.phase_correlation) == (0.0, 1.0)


def test_the_other_way_round_is_all_width():
    x = noise()
    x[:, 1] *= -1
    fingerprint = analysed(x, RATE).fingerprint
    assert (fingerprint.stereo_width, fingerprint.phase_correlation) == (1.0, -1.0)


@pytest.mark.parametrize("side", [0.1, 0.5, 2.0])
def test_width_and_correlation_of_a_known_mix(side: float):
    rng = np.random.default_rng(0)
    mid, difference = rng.standard_normal((2, RATE * 3)) * [[0.05], [0.05 * side]]
    x = np.stack([mid + difference + 0.01, mid - difference], axis=1).astype(np.float32)
    fingerprint = analysed(x, RATE).fingerprint
    exact = x.astype(np.float64)
    apart, together = exact[:, 0] - exact[:, 1], exact[:, 0] + exact[:, 1]
    width = np.sum(apart**2) / (np.sum(apart**2) + np.sum(together**2))
    assert fingerprint.stereo_width == pytest.approx(width, abs=1e-6)
    assert fingerprint.phase_correlation == pytest.approx(np.corrcoef(exact.T)[0, 1], abs=1e-6)


def test_one_silent_channel_is_half_side():
    x = sine(500.0)
    x[:, 1] = 0.0
    fingerprint = analysed(x, RATE).fingerprint
    assert fingerprint.stereo_width == pytest.approx(0.5)
    assert fingerprint.phase_correlation == 0.0
