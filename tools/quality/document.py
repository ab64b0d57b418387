"""``docs/quality.md``, made from the findings."""

from itertools import groupby
from typing import Final

from tables import Line, table, verdict

from quality.criteria import CHECKS, Check, Finding, hold, worst

INTRODUCTION: Final = """\
# Quality of the sound

Written by `make quality MUSIC=DIR`; every verdict is computed, from {findings} cases.

What must be true of the sound, what was found at worst, and where. The meters are independent of the program:
true peak is `scipy.signal.resample_poly(x, 16, 1, window=("kaiser", 12.0))` in float64 with zeros outside
the file, loudness is that of libebur128, files are read by libsndfile, differences are counted by numpy.

The material: {tracks} tracks of music, {minutes:.0f} minutes; twenty hostile signals at 12 rates from 8 to
384 kHz and in 1 to 8 channels, up to 40 dB too loud; clean tracks pushed 3, 6, 9 and 12 dB into FFmpeg's
alimiter; the same tracks amplified to -9 LUFS as they are; ceilings of 0, -0.1, -1, -3 and -6 dBTP; all
presets, at intensities down to 0.03. A criterion that speaks of one class is measured where the weight of
that class is exactly 1. Files of lossy codecs are not judged by Q1: their encoders move peaks again, and
`tonearm master` reports the peak of what it wrote. What *master* may lose of PLR is counted from the source
or, where the equaliser alone lowers it, from there.

**{inside} of {rows} rows are inside their bound{outside}.** Rows marked *ahead* belong to criteria that also
speak of stages which do not exist yet (compression, restoration, width); they are measured on what there is.
"""

HEAD: Final = ["", "what", "on", "cases", "worst", "bound", "where", "judge", "verdict"]


def document(findings: list[Finding], tracks: int, minutes: float) -> str:
    """The whole page."""
    rows: list[Line] = []
    inside: list[bool] = []
    order = list(CHECKS)
    ordered = sorted(findings, key=lambda finding: (order.index(finding.check), finding.material))
    for (name, material), group in groupby(ordered, key=lambda finding: (finding.check, finding.material)):
        these = list(group)
        inside.append(hold(name, these))
        rows.append(row(CHECKS[name], material, these, inside[-1]))
    missing = [name for name in CHECKS if name not in {finding.check for finding in findings}]
    for name in missing:
        inside.append(False)
        rows.append(
            [
                CHECKS[name].number,
                CHECKS[name].words,
                "",
                "0",
                "",
                "",
                "nothing was measured",
                "",
                verdict(False),
            ]
        )
    outside = len(inside) - sum(inside)
    return (
        INTRODUCTION.format(
            findings=len(findings),
            tracks=tracks,
            minutes=minutes,
            inside=sum(inside),
            rows=len(inside),
            outside=f"; {outside} are not" if outside else "",
        )
        + f"\n{table(HEAD, rows)}"
    )


def row(check: Check, material: str, findings: list[Finding], inside: bool) -> Line:
    """One check on one material."""
    found = worst(findings)
    bound = f"<= {check.bound:g} {check.unit}".strip()
    if check.least_share < 1:
        share = sum(finding.inside for finding in findings) / len(findings)
        bound += f" in {check.least_share:.0%}; found {share:.0%}"
    return [
        check.number,
        check.words + (" (*ahead*)" if check.ahead else ""),
        material,
        str(len(findings)),
        f"{number(found.value)} {check.unit}".strip(),
        bound,
        found.case.replace("|", "/"),
        check.judge,
        verdict(inside),
    ]


def number(value: float) -> str:
    """With three decimals at most; what is next to nothing is 0."""
    return (
        "0"
        if abs(value) < 5e-4 and abs(value) < 1e-7
        else f"{value:.3g}"
        if abs(value) < 1
        else f"{value:.2f}"
    )
