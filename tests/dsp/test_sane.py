"""What is not sound becomes silence, and what is passes bit for bit."""

import numpy as np
import pytest

from tonearm.dsp.sane import sane
from tonearm.model.audio import LOUDEST

NUMBERS = [0.0, -0.0, 1e-45, -1.0, 3.5, LOUDEST, -LOUDEST]
NOT = [np.nan, -np.nan, np.inf, -np.inf, np.nextafter(np.float32(LOUDEST), np.float32(np.inf)), -1e38]


def test_sound_is_the_same_object() -> None:
    x = np.array(NUMBERS, np.float32)[:, None]
    assert sane(x) is x
    assert sane(x[:0]).shape == (0, 1)


@pytest.mark.parametrize("wrong", NOT)
@pytest.mark.parametrize("place", [0, 3, 6])
def test_what_is_no_sound_is_silence_and_the_rest_is_left(wrong: float, place: int) -> None:
    x = np.repeat(np.array(NUMBERS, np.float32)[:, None], 2, axis=1)
    x[place, 1] = wrong
    wanted = x.copy()
    wanted[place, 1] = 0.0
    np.testing.assert_array_equal(sane(x), wanted)


def test_strides_do_not_matter() -> None:
    x = np.repeat(np.array(NUMBERS, np.float32)[:, None], 2, axis=1)
    backwards = x[::-1, ::-1]
    np.testing.assert_array_equal(sane(backwards), backwards)
    assert sane(backwards).flags.c_contiguous
