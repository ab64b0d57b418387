"""Whether findings of the quality checks are inside their bounds."""

from collections.abc import Iterable

from quality.criteria import CHECKS, Finding, worst


def assert_inside(findings: Iterable[Finding]) -> None:
    """Every one of them, and there is at least one."""
    found = list(findings)
    assert found, "nothing was checked"
    outside = [finding for finding in found if not finding.inside]
    if outside:
        bad = worst(outside)
        check = CHECKS[bad.check]
        raise AssertionError(
            f"{len(outside)} of {len(found)} outside; {check.number}, {check.words}: "
            f"{bad.value:g} {check.unit} on {bad.case}, at most {check.bound:g} is allowed"
        )


def assert_refused(findings: Iterable[Finding]) -> None:
    """Every one of them: each was made from a result that is wrong."""
    found = list(findings)
    assert found, "nothing was checked"
    assert not [finding for finding in found if finding.inside]
