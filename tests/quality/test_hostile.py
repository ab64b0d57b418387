"""Q21: sounds that are none, and files that are cut off."""

from pathlib import Path

import numpy as np
import pytest
from music import clip
from verdicts import assert_inside, assert_refused

from quality import hostile
from tonearm.model.errors import DecodeError
from tonearm.model.plan import Target

TARGETS = (Target(), Target(-5.0, 0.0), Target(-14.0, -20.0))


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (32_000, 6)])
def test_whatever_comes_in_the_answer_is_finite_or_an_error_with_a_type(
    rate: int, channels: int, tmp_path: Path
) -> None:
    assert_inside(hostile.through_the_chain(rate, channels))
    assert_inside(hostile.by_hearing(rate, channels))
    assert_inside(hostile.files(tmp_path, rate, channels, TARGETS))


def test_the_hostile_waves_come_out_finite() -> None:
    assert_inside(hostile.hostile_waves(11_025))


@pytest.mark.parametrize("name", ["drum_roll.flac", "destiny_facedown.ogg", "teeworlds_menu.wv"])
def test_files_that_are_cut_off(name: str, tmp_path: Path) -> None:
    assert_inside(hostile.truncated(clip(name), tmp_path, (0.01, 0.5)))


def test_a_sample_that_is_no_number_and_an_error_without_a_type_are_refused() -> None:
    x = np.zeros((100, 2), np.float32)
    x[50, 1] = np.nan

    def untyped() -> hostile.Block:
        raise ValueError("gain")

    def typed() -> hostile.Block:
        raise DecodeError("cut off")

    assert_refused([hostile.answered(lambda: x, "", ""), hostile.answered(untyped, "", "")])
    assert_inside([hostile.answered(typed, "", ""), hostile.answered(lambda: x[:50], "", "")])
