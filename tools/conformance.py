"""Hold every dimension and measure against what is true, and write ``docs/conformance.md``.

Run as ``make conformance MUSIC=DIR``. The signals, references and tolerances are those of the tests and lie
in ``tests/support``, which must be on the path. Every verdict is computed.
"""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from agreement import Agreement
from built import GROUPS
from comparisons import COMPARISONS, Heard, compare, downmixed
from ebu import RATES, TECH_3341, TECH_3342, Case
from probe_accuracy import LOUDNESS_BOUND_LU, probe_rows, share
from recordings import recordings
from signals import RATE, noise_in_steps
from tables import Line, table, verdict
from tempo_agreement import tempo_section

from tonearm.model.fingerprint import ALGORITHM_VERSION, DIMENSIONS
from tonearm.model.measures import TrackMeasures
from tonearm.rendering.probing import BUDGET_S, LEAST_WINDOWS

DESTINATION: Final = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"
EXCERPT_S: Final = 60.0
WHOLE_S: Final = 36_000.0

INTRODUCTION: Final = """\
# Conformance

Written by `make conformance MUSIC=DIR` for algorithm version {version}. Every verdict is computed.

What the program finds is held against what is true: of signals that were built so that the answer is
known (*closed form*), and of real music against independent programs (pyebur128, librosa, scipy, numpy).
Both sides hear the same samples. An error in percent is relative to the true value.

The music: {tracks} tracks, {minutes:.0f} minutes. Levels are compared over whole tracks; spectra, true peaks
and everything that librosa is asked for over the first {excerpt:g} s, because librosa and a plain 16x
resampling are slow.

**{inside} of {judged} checks are inside their tolerance{outside}.**
"""


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def number(value: float) -> str:
    return "0" if abs(value) < 1e-12 else f"{value:.2g}"


def judged(agreement: Agreement) -> bool:
    """Whether anything is asked for; some comparisons are only told."""
    bounds = agreement.bounds
    return not (bounds.worst is None and bounds.mean is None and bounds.rank is None)


def columns(agreement: Agreement) -> Line:
    """By, on, cases, worst, mean, rank, tolerance, verdict."""
    bounds = agreement.bounds
    errors = bounds.rank is None or bounds.mean is not None
    return [
        agreement.by,
        agreement.on,
        str(len(agreement.found)),
        f"{number(agreement.worst)} {bounds.unit}".strip() if errors else "",
        f"{number(agreement.mean)} {bounds.unit}".strip() if errors and len(agreement.found) > 1 else "",
        f"{agreement.rank:.3f}" if bounds.rank is not None else "",
        str(bounds) if judged(agreement) else "",
        verdict(agreement.inside) if judged(agreement) else "told only",
    ]


def rows_of(name: str, meaning: str, agreements: list[Agreement]) -> list[Line]:
    """The first row says what it is; one row for each check."""
    rows = [columns(agreement) for agreement in agreements if agreement.name == name]
    names = [[f"`{name}`", meaning], *[["", ""]] * (len(rows) - 1)]
    return [name + row for name, row in zip(names, rows, strict=True)]


HEAD: Final = ["", "what", "by", "on", "cases", "worst", "mean", "rank", "tolerance", "verdict"]


def meanings() -> dict[str, str]:
    """What each measure is, as its class says."""
    return dict(re.findall(r"^ {8}(\w+): (.+?)[.;]?$", TrackMeasures.__doc__ or "", re.MULTILINE))


def loaded(music: Path, seconds: float, lengths: list[float]) -> Iterator[Heard]:
    for name, x, rate in recordings(music, seconds):
        say(f"{name} ({len(x) / rate:.0f} s)")
        lengths.append(len(x) / rate)
        yield Heard.of((x, rate))


def checked(music: Path, lengths: list[float]) -> list[Agreement]:
    """Everything about the dimensions and measures but tempo on music."""
    whole = [c for c in COMPARISONS if c.whole]
    part = [c for c in COMPARISONS if not c.whole]
    surround = (0.05 * np.random.default_rng(0).standard_normal((RATE * 5, 6))).astype(np.float32)
    say("built signals")
    agreements = [group.agreement() for group in GROUPS]
    agreements += downmixed(surround, RATE)
    steps = (Heard.of((noise_in_steps(rate), rate)) for rate in RATES)
    agreements += [a for a in compare(whole, steps, "noise in steps, 44.1-192 kHz") if judged(a)]
    agreements += compare(whole, loaded(music, WHOLE_S, lengths), "music, whole")
    return agreements + compare(part, loaded(music, EXCERPT_S, []), f"music, {EXCERPT_S:g} s")


def ebu_rows(cases: tuple[Case, ...]) -> tuple[list[Line], list[bool]]:
    """The worst deviation of each case at each rate."""
    rows, inside = [], []
    for case in cases:
        say(f"EBU case {case.number}: {case.signal}")
        worst = [max(case.deviations(rate), key=abs) for rate in RATES]
        low, high = case.allowed
        inside.append(low <= min(worst) and max(worst) <= high)
        cells = [f"{deviation:+.3f}" for deviation in worst]
        rows.append([case.number, case.signal, *cells, f"{low:+g}..{high:+g}", verdict(inside[-1])])
    return rows, inside


def ebu_section() -> tuple[str, list[bool]]:
    text, inside = "", []
    for title, cases in (
        ("EBU Tech 3341: loudness (LU) and true peak (dB)", TECH_3341),
        ("EBU Tech 3342: loudness range (LU)", TECH_3342),
    ):
        rows, verdicts = ebu_rows(cases)
        head = ["case", "signal", *(f"{rate / 1000:g} kHz" for rate in RATES), "allowed", "verdict"]
        text += f"\n## {title}\n\nThe worst deviation at each sample rate.\n\n{table(head, rows)}"
        inside += verdicts
    return text, inside


def probe_section(music: Path) -> tuple[str, list[bool]]:
    say("probe")
    rows = probe_rows(music)
    near, same = share(rows)
    lines = []
    for name, unit in (
        ("lufs_error", "LU"),
        ("crest_error", "dB"),
        ("true_peak_error", "dB"),
        ("band_error", "points"),
        ("gain_error", "dB"),
    ):
        errors = np.abs([row[name] for row in rows])
        middle, high = np.percentile(errors, [50, 95])
        cells = [f"{value:.2f} {unit}" for value in (middle, high, errors.max())]
        lines.append([name.removesuffix("_error").replace("_", " "), *cells])
    judgements = [
        [
            f"loudness within {LOUDNESS_BOUND_LU:g} LU",
            f"{near:.1%} of {len(rows)}",
            "95 %",
            verdict(near >= 0.95),
        ],
        ["same mastering class", f"{same:.1%} of {len(rows)}", "90 %", verdict(same >= 0.90)],
    ]
    text = "\n## The probe\n\nSixteen short windows beside the whole track, on the same music.\n\n"
    text += table(["asked for", "found", "wanted", "verdict"], judgements)
    in_time = np.abs([row["hurried_lufs_error"] for row in rows]) <= LOUDNESS_BOUND_LU
    windows = np.median([row["hurried_windows"] for row in rows])
    text += (
        f"\nA listener waits for as many of them as fit into {1000 * BUDGET_S:g} ms, at least "
        f"{LEAST_WINDOWS}: on the machine that wrote this, with whatever else it did, {windows:g} in the "
        f"median, and {np.mean(in_time):.1%} were within {LOUDNESS_BOUND_LU:g} LU.\n"
    )
    text += "\n" + table(["error of", "median", "95 %", "worst"], lines)
    return text, [near >= 0.95, same >= 0.90]


def document(music: Path) -> str:
    lengths: list[float] = []
    agreements = checked(music, lengths)
    ebu, ebu_inside = ebu_section()
    say("tempo")
    tempo, tempo_rows, tempo_inside = tempo_section(recordings(music, EXCERPT_S))
    probe, probe_inside = probe_section(music)
    inside = [a.inside for a in agreements if judged(a)] + ebu_inside + tempo_inside + probe_inside

    dimensions: list[Line] = []
    for dimension in DIMENSIONS:
        dimensions += rows_of(dimension.name, dimension.metadata["meaning"], agreements)
        if dimension.name == "tempo_bpm":
            dimensions += [["", "", *row] for row in tempo_rows]
    measures = [row for name, meaning in meanings().items() for row in rows_of(name, meaning, agreements)]
    outside = len(inside) - sum(inside)
    introduction = INTRODUCTION.format(
        version=ALGORITHM_VERSION,
        tracks=len(lengths),
        minutes=sum(lengths) / 60,
        excerpt=EXCERPT_S,
        inside=sum(inside),
        judged=len(inside),
        outside=f"; {outside} are not" if outside else "",
    )
    return (
        introduction
        + f"\n## The 25 dimensions\n\n{table(HEAD, dimensions)}"
        + f"\n## The measures beside them\n\n{table(HEAD, measures)}"
        + ebu
        + tempo
        + probe
    )


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/conformance.py MUSIC_DIR")
    DESTINATION.write_text(document(Path(sys.argv[1])), encoding="utf-8")


if __name__ == "__main__":
    main()
