"""Q19: the dither of sixteen bits, and where there must be none."""

from pathlib import Path

import numpy as np
import pytest
from music import clip
from quality.material import decoded
from quality.playing import by_hand, rendered
from verdicts import assert_inside, assert_refused

from quality import bits
from tonearm.dsp.dither import dithered_16, rounded_16
from tonearm.model.plan import Preset

TABLA = clip("loop_tabla.flac")


def test_masters_in_sixteen_bits_are_dithered_and_hold_the_ceiling(tmp_path: Path) -> None:
    assert_inside(bits.masters(TABLA, tmp_path, Preset.BRIGHT, ".flac"))


@pytest.mark.parametrize("level", [0.3, 0.8])
def test_a_tone_under_the_last_bit_survives_as_it_is(level: float) -> None:
    assert_inside(bits.soft_tone(dithered_16(bits.tone(level), 99), level, "dithered"))
    assert_refused(list(bits.soft_tone(rounded_16(bits.tone(level)), level, "rounded"))[:1])


def test_dither_belongs_to_the_frame() -> None:
    x, _ = decoded(TABLA, 3.0)
    assert_inside(finding for seed in range(5) for finding in bits.cut_dither(x, seed))


def test_copies_are_not_dithered(tmp_path: Path) -> None:
    x, rate = decoded(TABLA, 3.0)
    assert_inside(bits.undithered(tmp_path, x, rate))


def test_other_kinds_of_rounding_are_refused() -> None:
    x = rendered(TABLA, by_hand(-60.0))
    even = np.random.default_rng(0)
    triangular = even.uniform(-0.5, 0.5, x.shape) + even.uniform(-0.5, 0.5, x.shape)
    coloured = np.cumsum(even.normal(0, 0.05, x.shape), axis=0) % 1.0 - 0.5
    assert_inside(bits.errors(x, np.rint(x * 32768 + triangular).astype(np.int16), "another TPDF"))
    for name, wrong in {
        "rounded": x * 32768,
        "rectangular": x * 32768 + even.uniform(-0.5, 0.5, x.shape),
        "coloured": x * 32768 + coloured,
        "offset": x * 32768 + triangular + 0.3,
    }.items():
        assert any(not f.inside for f in bits.errors(x, np.rint(wrong).astype(np.int16), name)), name
