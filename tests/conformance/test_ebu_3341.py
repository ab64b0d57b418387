"""EBU Tech 3341 (November 2023), table 1: the cases that can be synthesised (7 and 8 are recordings).

The tolerances are those of the document (0.1 LU, +0.2/-0.4 dB for true peaks) or narrower.
"""

import pytest
from ebu import RATES, TECH_3341, Case


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("case", TECH_3341, ids=lambda case: case.number)
def test_case(case: Case, rate: int):
    low, high = case.goal
    deviations = case.deviations(rate)
    assert low <= min(deviations)
    assert max(deviations) <= high
