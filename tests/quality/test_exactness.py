"""Q7 and Q15 on real music."""

from pathlib import Path

import numpy as np
import pytest
from music import clip
from quality.criteria import Finding
from quality.cutting import differing
from quality.exactness import largest
from quality.material import decoded
from quality.playing import every_stage, rendered
from verdicts import assert_inside, assert_refused

from quality import exactness
from tonearm.model.plan import Preset


@pytest.mark.parametrize(
    "name", ["loop_tabla.flac", "drum_roll.flac", "destiny_facedown.ogg", "teeworlds_menu.wv"]
)
def test_intensity_zero_and_play_normal_are_the_source(name: str) -> None:
    x, _ = decoded(clip(name))
    assert_inside(exactness.bypassed(clip(name), x, (Preset.ADAPTIVE, Preset.WARM)))


def test_surround_at_intensity_zero_is_its_downmix(tmp_path: Path) -> None:
    assert_inside([exactness.mixed_down(tmp_path, 1)])


@pytest.mark.parametrize("name", ["loop_tabla.flac", "starfall_clip.ogg"])
def test_polarity_channel_order_and_a_copy_of_mono_make_no_difference(name: str) -> None:
    x, rate = decoded(clip(name), 10.0)
    assert_inside(exactness.alike(x, rate, every_stage(2), name))
    assert_inside(exactness.alike_plans(x, rate, Preset.WARM, name))
    assert_inside([exactness.alike_by_ear(x, rate, name)])


def test_a_sample_that_differs_is_refused() -> None:
    x, _ = decoded(clip("ambi_choir.flac"))
    wrong = x.copy()
    wrong[1000, 0] += np.float32(2e-6)
    refused = list(exactness.bypassed(clip("ambi_choir.flac"), wrong, (Preset.ADAPTIVE,)))
    assert [finding.inside for finding in refused] == [False, False, True]
    assert_refused([Finding("symmetric", "", largest(wrong - x), "")])
    mastered = rendered(clip("ambi_choir.flac"), every_stage(2))
    assert_refused([differing("bypass", mastered, x, "", "")])
