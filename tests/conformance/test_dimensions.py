"""Every dimension and measure on signals it is known of, and beside independent programs on real clips.

``docs/conformance.md`` shows the same on the larger music set.
"""

import numpy as np
import pytest
from built import GROUPS, Group
from comparisons import COMPARISONS, Comparison, Heard, compare, downmixed
from ebu import RATES
from music import DEMO
from recordings import recordings
from signals import RATE, noise_in_steps

from tonearm.model.fingerprint import DIMENSION_NAMES

CLIP_S = 8.0
NEAR = [c for c in COMPARISONS if c.bounds.worst is not None or c.bounds.mean is not None]
"""The others ask for ranks only, which say little of ten clips."""


@pytest.fixture(scope="module")
def clips() -> list[Heard]:
    return [Heard.of((x, rate)) for _, x, rate in recordings(DEMO, CLIP_S)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group.name}: {group.on}")
def test_known_of_a_built_signal(group: Group):
    agreement = group.agreement()
    assert agreement.inside, agreement


@pytest.mark.parametrize("comparison", NEAR, ids=lambda comparison: f"{comparison.name}: {comparison.by}")
def test_agrees_on_recordings(comparison: Comparison, clips: list[Heard]):
    (agreement,) = compare([comparison], clips, "demo")
    assert agreement.inside, agreement


@pytest.mark.parametrize("rate", RATES)
def test_levels_at_every_rate(rate: int):
    heard = [Heard.of((noise_in_steps(rate), rate))]
    for agreement in compare([c for c in COMPARISONS if c.whole], heard, f"{rate} Hz"):
        assert agreement.inside, agreement


def test_the_downmix_of_surround():
    x = (0.05 * np.random.default_rng(0).standard_normal((RATE * 5, 6))).astype(np.float32)
    for agreement in downmixed(x, RATE):
        assert agreement.inside, agreement


def test_every_dimension_is_known_of_something():
    assert {group.name for group in GROUPS} | {c.name for c in NEAR} >= set(DIMENSION_NAMES)
