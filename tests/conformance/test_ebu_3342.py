"""EBU Tech 3342, table 1: loudness range of steps of 20 s (5 and 6 are recordings).

The tolerance of the document is 1 LU.
"""

import pytest
from ebu import RATES, TECH_3342, Case


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("case", TECH_3342, ids=lambda case: case.number)
def test_case(case: Case, rate: int):
    low, high = case.goal
    deviations = case.deviations(rate)
    assert low <= min(deviations)
    assert max(deviations) <= high
