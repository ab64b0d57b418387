"""The page says what was found, and what was not."""

import math

from quality.criteria import CHECKS, Finding, Told, Unmeasured, hold, worst
from quality.document import document
from quality.jobs import ebu
from verdicts import assert_inside


def every(value: float = -1e9) -> list[Finding]:
    return [Finding(name, "somewhere", value, "case 1") for name in CHECKS]


def test_a_row_for_every_check_with_its_worst_case() -> None:
    page = document([*every(), Finding("peak", "somewhere", 0.01, "case 2")], 3, 7.0, list(CHECKS))
    assert "**OUTSIDE**" not in page
    (row,) = [line for line in page.splitlines() if line.startswith("| Q1 ")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[3:7] == ["2", "0.01 dB", "<= 0.02 dB", "case 2"]
    claimed = sum(check.claimed for check in CHECKS.values())
    assert f"**{claimed} of {claimed} rows are inside their bound.**" in page
    assert page.count("told, not claimed") == len(CHECKS) - claimed


def test_what_is_outside_and_what_was_not_measured_is_said() -> None:
    for findings in (
        [*every(), Finding("peak", "somewhere", 0.03, "case 2")],
        [*every(), Finding("peak", "somewhere", math.nan, "case 2")],
        every()[1:],
    ):
        page = document(findings, 3, 7.0, list(CHECKS))
        assert page.count("**OUTSIDE**") == 1
        assert "rows are inside their bound; 1 are not" in page


def test_what_could_not_be_measured_is_said_with_its_reason_and_does_not_hold() -> None:
    without = [finding for finding in every() if finding.check != "visqol"]
    page = document([*without, Unmeasured("visqol", "it is not installed")], 3, 7.0, list(CHECKS))
    (row,) = [line for line in page.splitlines() if "it is not installed" in line]
    assert row.startswith("| Q18 ")
    assert page.count("**OUTSIDE**") == 1


def test_tables_that_tell_stand_below() -> None:
    page = document([*every(), Told("war", ("b",)), Told("war", ("a",))], 3, 7.0, list(CHECKS))
    assert page.index("## The loudness war") < page.index("| a |") < page.index("| b |")


def test_no_number_is_the_worst_and_nothing_measured_does_not_hold() -> None:
    findings = [Finding("peak", "", value, "") for value in (5.0, math.nan, 7.0)]
    assert math.isnan(worst(findings).value)
    assert not hold("peak", [])
    share = [Finding("corridor", "", value, "") for value in [0.0] * 19 + [1.0]]
    assert hold("corridor", share)
    assert not hold("corridor", share[1:])


def test_a_case_of_the_ebu_is_inside() -> None:
    from ebu import TECH_3341

    assert_inside(ebu(TECH_3341[2], "EBU Tech 3341"))
