"""``docs/quality.md``, made from what was found."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from tables import Line, table, verdict

from quality.criteria import CHECKS, Check, Finding, Result, Told, Unmeasured, hold, worst
from quality.words import HEAD, INTRODUCTION, TABLES


def document(results: Sequence[Result], tracks: int, minutes: float, wanted: Sequence[str]) -> str:
    """The whole page; of the checks in ``wanted`` something must have been measured."""
    findings = [result for result in results if isinstance(result, Finding)]
    order = list(CHECKS)
    ordered = sorted(findings, key=lambda finding: (order.index(finding.check), finding.material))
    rows: list[Line] = []
    inside: list[bool] = []
    for (name, material), group in groupby(ordered, key=lambda finding: (finding.check, finding.material)):
        these = list(group)
        check = CHECKS[name]
        rows.append(row(check, material, these))
        inside += [hold(name, these)] if check.claimed else []
    missed = unmeasured(results, wanted)
    rows += missed
    inside += [False] * len(missed)
    outside = len(inside) - sum(inside)
    introduction = INTRODUCTION.format(
        findings=len(findings),
        tracks=tracks,
        minutes=minutes,
        inside=sum(inside),
        rows=len(inside),
        outside=f"; {outside} are not" if outside else "",
    )
    told = [result for result in results if isinstance(result, Told)]
    return f"{introduction}\n{table(HEAD, rows)}{tables(told)}"


def unmeasured(results: Sequence[Result], wanted: Sequence[str]) -> list[Line]:
    """A row for each check that could not be made somewhere, and for each of which nothing was found."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if isinstance(result, Unmeasured):
            reasons.setdefault(result.check, []).append(result.reason)
    found = {result.check for result in results if isinstance(result, Finding)}
    for name in wanted:
        if name not in found and CHECKS[name].claimed:
            reasons.setdefault(name, ["nothing was measured"])
    lines = []
    for name in (name for name in CHECKS if name in reasons):
        check, why = CHECKS[name], sorted(set(reasons[name]))
        words = f"not measured: {'; '.join(why)}"
        lines.append([check.number, check.words, "", "0", "", "", words, check.judge, verdict(False)])
    return lines


def row(check: Check, material: str, findings: list[Finding]) -> Line:
    """One check on one material."""
    found = worst(findings)
    bound = f"<= {check.bound:g} {check.unit}".strip() if check.claimed else "none"
    if check.least_share < 1:
        share = sum(finding.inside for finding in findings) / len(findings)
        bound += f" in {check.least_share:.0%}; found {share:.0%}"
    return [
        check.number,
        check.words,
        material,
        str(len(findings)),
        f"{number(found.value)} {check.unit}".strip(),
        bound,
        found.case.replace("|", "/"),
        check.judge,
        verdict(hold(found.check, findings)) if check.claimed else "told, not claimed",
    ]


def tables(told: Sequence[Told]) -> str:
    """What is told beside the checks, each in a section of its own."""
    page = ""
    for name, (title, words, head) in TABLES.items():
        lines = sorted((list(line.cells) for line in told if line.table == name), key=itemgetter(0))
        if lines:
            page += f"\n## {title}\n\n{words}\n\n{table(list(head), lines)}"
    return page


def number(value: float) -> str:
    """With three decimals at most; what is next to nothing is 0."""
    return (
        "0"
        if abs(value) < 5e-4 and abs(value) < 1e-7
        else f"{value:.3g}"
        if abs(value) < 1
        else f"{value:.2f}"
    )
