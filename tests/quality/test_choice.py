"""Which part of the checks is run and printed."""

from quality.choice import Choice
from quality.criteria import CHECKS, Finding, Told, Unmeasured
from quality.document import document

KNOWN = {check.number for check in CHECKS.values()}


def test_nothing_named_is_everything() -> None:
    choice = Choice.of("", KNOWN)
    assert choice.everything
    assert choice.wants_job("anything", {"Q1"})
    assert choice.checks() == list(CHECKS)


def test_criteria_choose_jobs_and_keep_only_their_own_rows() -> None:
    choice = Choice.of("Q6, Q18", KNOWN)
    assert choice.wants_job("album", {"Q6"})
    assert not choice.wants_job("album", {"Q1", "Q5"})
    results = [Finding("peak", "", 0.0, ""), Finding("join", "", -99.0, ""), Told("war", ())]
    assert choice.of_results(results) == results[1:]
    page = document(choice.of_results(results[:2]), 1, 1.0, choice.checks())
    assert page.count("nothing was measured") == len([c for c in choice.checks() if CHECKS[c].claimed]) - 1


def test_a_word_chooses_by_name_and_all_that_is_found_there() -> None:
    choice = Choice.of("tabla", KNOWN)
    assert choice.wants_job("loop_tabla.flac", {"Q1"})
    assert not choice.wants_job("drum_roll.flac", {"Q1"})
    results = [Finding("peak", "", 0.0, ""), Unmeasured("visqol", "gone")]
    assert choice.of_results(results) == results
    assert choice.checks() == []
