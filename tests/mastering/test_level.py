"""How much may be limited, by hand."""

import pytest

from tonearm.mastering.level import bearable_limiting, most_limiting


@pytest.mark.parametrize(
    ("gathered_under_db", "lra_lu", "most_db"),
    [
        (1.6, 20.0, 2.0),
        (6.0, 20.0, 2.0),
        # All loud parts peak alike: each dB of limiting would be one of range.
        (0.0, 14.0, 1.04),
        (-0.5, 20.0, 1.04),
        (0.6, 14.0, 1.4),
        (0.6, 11.0, 1.7),
        # What has no range cannot lose any.
        (0.0, 8.0, 2.0),
    ],
)
def test_what_keeps_the_range(gathered_under_db: float, lra_lu: float, most_db: float) -> None:
    assert bearable_limiting(gathered_under_db, lra_lu) == pytest.approx(most_db)


@pytest.mark.parametrize(
    ("peak", "lufs", "psr", "bearable", "wanted"),
    [
        (0.0, -20.0, 12.0, 2.0, 2.0),
        (0.0, -20.0, 12.0, 1.3, 1.3),
        (0.0, -13.0, 12.0, 2.0, 1.0),
        (0.0, -20.0, 8.5, 2.0, 0.5),
        (0.0, -20.0, 7.0, 2.0, 0.0),
        (0.0, -8.0, 12.0, 2.0, 0.0),
    ],
)
def test_the_least_of_what_is_bearable(
    peak: float, lufs: float, psr: float, bearable: float, wanted: float
) -> None:
    assert most_limiting(peak, lufs, psr, bearable) == pytest.approx(wanted)


def test_it_moves_little_with_what_it_rests_on() -> None:
    steps = [(spread / 10, lra / 10) for spread in range(0, 30) for lra in range(60, 180)]
    for spread, lra in steps:
        here = bearable_limiting(spread, lra)
        assert abs(bearable_limiting(spread + 0.1, lra) - here) <= 0.1
        assert abs(bearable_limiting(spread, lra + 0.1) - here) <= 0.1
