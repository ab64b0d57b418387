import numpy as np
import pytest

from tonearm.dsp.glide import Glide


def test_it_meets_both_ends_exactly_and_runs_straight() -> None:
    glide = Glide(np.array([0.1, -3.0]), np.array([0.7, 5.0]), 100, 40)
    values = glide.at([0, 100, 120, 140, 9999])
    np.testing.assert_array_equal(values[[0, 1]], [[0.1, -3.0]] * 2)
    np.testing.assert_array_equal(values[[3, 4]], [[0.7, 5.0]] * 2)
    np.testing.assert_allclose(values[2], [0.4, 1.0])


def test_it_goes_on_from_what_is_reached() -> None:
    on = Glide(np.array([0.0]), np.array([8.0]), 0, 80).to([0.0], 40, 10)
    np.testing.assert_allclose(on.at([40, 45, 50])[:, 0], [4.0, 2.0, 0.0])


def test_no_time_is_a_step() -> None:
    step = Glide.rest([1.0], 0).to([2.0], 10, 0)
    np.testing.assert_array_equal(step.at([9, 10, 11])[:, 0], [1.0, 2.0, 2.0])
    assert not step.over(9)
    assert step.over(10)


def test_ends_must_fit_and_time_runs_forward() -> None:
    with pytest.raises(ValueError, match="one length"):
        Glide(np.zeros(2), np.zeros(3), 0, 1)
    with pytest.raises(ValueError, match="at least 0"):
        Glide(np.zeros(2), np.zeros(2), 0, -1)
