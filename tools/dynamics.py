"""What mastering does to a folder of music, against its criteria: ``python tools/dynamics.py DIR``.

For every track, and for copies of the clean ones pushed 3, 6, 9 and 12 dB into a brick wall: what was
planned, what came out, and which criterion it misses. Meters are pyebur128 and scipy.

    Q2   loudness misses the target                     where the target term was the smaller
    Q9   PLR, of *master* beyond the equaliser; PSR
    Q10  loudness range moved
    Q11  PLR given back, SI-SDR to the original         of the copies
    Q12  distance to the corridor of music
    Q14  loudness and PLR of mastering the master again
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from brickwall import limited
from mastered import (
    Levels,
    Samples,
    distance_db,
    levels,
    measured,
    only_equaliser,
    planned,
    psr_p10_db,
    render,
    si_sdr_db,
)

from tonearm.audio.decode import Decoder
from tonearm.mastering.dynamics import wanted_boost
from tonearm.mastering.level import peak_read
from tonearm.model.errors import DecodeError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan

SUFFIXES: Final = {".ogg", ".flac", ".wav", ".mp3", ".opus", ".wv", ".m4a"}
PUSHES_DB: Final = (3, 6, 9, 12)
COPY_S: Final = 90
LEAST_COPY_S: Final = 20
REACHED_LU: Final = 0.1
CLEAN_LUFS: Final = -12.9
CLEAN_PSR_DB: Final = 10.0
ROUNDING_DB: Final = 0.01
RANGE_S: Final = 60.0
"""Of a shorter track, EBU Tech 3342 gives no meaningful range."""


@dataclass(slots=True)
class Row:
    """One line of the table, and what it misses."""

    name: str
    text: str = ""
    missed: list[str] = field(default_factory=list)
    copy: bool = False

    def want(self, criterion: str, holds: bool) -> None:
        if not holds:
            self.missed.append(criterion)


def decoded(path: Path) -> tuple[Samples, int]:
    with Decoder(path) as decoder:
        parts = []
        while len(block := decoder.read(1 << 20)):
            parts.append(block)
        return np.concatenate(parts), decoder.info.format.rate


def judged(name: str, x: Samples, rate: int, original: Samples | None = None) -> Row:
    row = Row(name, copy=original is not None)
    analysis = measured(x, rate)
    plan = planned(analysis)
    y = render(x, plan, rate)
    assert plan.lwrp is not None
    assert plan.predicted is not None
    before, after = levels(x, rate), levels(y, rate)
    weights = plan.lwrp.weights
    reached = abs(plan.predicted.lufs - plan.target_lufs) < 1e-6
    miss = after.lufs - plan.target_lufs
    if reached:
        row.want("Q2", abs(miss) <= 0.5)
    ranged = weights.restore == 0.0 and len(x) >= RANGE_S * rate
    row.want("Q10", not ranged or abs(after.lra_lu - before.lra_lu) <= 1.5)
    row.want("Q1", after.true_peak_dbtp <= plan.ceiling_dbtp + 0.02)
    read = peak_read(before.true_peak_dbtp) if weights.master == 1.0 else before.true_peak_dbtp
    gained = after.plr_db - (read - before.lufs)
    if weights.preserve == 1.0:
        row.want("Q9", abs(gained) <= 0.1)
    if weights.restore == 1.0:
        least = -0.05 if original is not None else 0.5 * plan.restoration.boost_db
        row.want("Q9", least <= gained <= 3.5 and gained >= -0.05)
    if weights.master == 1.0:
        gained = mastering_judged(row, x, y, rate, plan, before, after)
    second = again(row, y, rate, abs(miss) <= REACHED_LU)
    out, near = measured(y, rate), distance_db(analysis)
    grown = distance_db(out) - near
    row.want("Q12", grown <= ROUNDING_DB)
    missed = f"{miss:+.2f}" if reached else "  -  "
    row.text = (
        f"{plan.lwrp.policy.value[:4]} {weights.restore:.2f} {weights.master:.2f} | "
        f"{before.lufs:6.1f} {before.plr_db:5.1f} {before.lra_lu:5.1f} | "
        f"{plan.gain_db:+6.2f} {plan.compression.reduction_db:5.2f} {plan.restoration.boost_db:5.2f} "
        f"{plan.width.side_gain_db:+5.2f} {plan.width.mono_bass:4.2f} | "
        f"{after.lufs:6.2f} {missed} {gained:+6.2f} {after.lra_lu - before.lra_lu:+5.2f} "
        f"{near:5.2f} {grown:+6.3f} | {second}"
    )
    if original is not None and weights.restore == 1.0:
        restoration_judged(row, analysis, x, y, original, rate, plan, gained)
    return row


def mastering_judged(
    row: Row, x: Samples, y: Samples, rate: int, plan: MasteringPlan, before: Levels, after: Levels
) -> float:
    """Q9 of *master*; returns what PLR gained, what the equaliser alone takes not counted, dB."""
    equalised = levels(render(x, only_equaliser(plan), rate), rate) if any(plan.eq_db) else before
    by_equaliser = max(0.0, before.plr_db - equalised.plr_db)
    gained = after.plr_db - (peak_read(before.true_peak_dbtp) - before.lufs) + by_equaliser
    row.want("Q9", gained >= -2.5)
    if len(x) >= 4 * rate:
        source, result = (
            psr_p10_db(x, rate, peak_read(before.true_peak_dbtp)),
            psr_p10_db(y, rate, 9.0),
        )
        row.want(f"Q9-PSR {source:.2f}->{result:.2f}", source <= 8.0 or result >= 8.0)
    return gained


def again(row: Row, y: Samples, rate: int, reached: bool) -> str:
    """Q14: master the master."""
    first = levels(y, rate)
    plan = planned(measured(y, rate))
    second = levels(render(y, plan, rate), rate)
    louder, plr = second.lufs - first.lufs, second.plr_db - first.plr_db
    if reached:
        row.want("Q14", abs(louder) <= 0.2 and abs(plr) <= 0.5)
    return f"{louder:+5.2f} {plr:+5.2f}"


def restoration_judged(
    row: Row,
    analysis: Analysis,
    x: Samples,
    y: Samples,
    original: Samples,
    rate: int,
    plan: MasteringPlan,
    gained: float,
) -> None:
    lost = levels(original, rate).plr_db - levels(x, rate).plr_db
    closer = si_sdr_db(original, y) - si_sdr_db(original, x)
    least = min(0.3 * lost, 0.5 * plan.restoration.boost_db)
    row.want("Q11-PLR", gained >= least)
    row.want("Q11-SDR", closer >= -0.5)
    wanted = wanted_boost(analysis.fingerprint.crest_db, 1.0, 1.0)
    row.text += f" | {wanted:4.2f} {lost:5.2f} {gained:+5.2f} {100 * gained / lost:4.0f} % {closer:+5.2f}"


def of_track(path: Path) -> list[Row]:
    try:
        x, rate = decoded(path)
    except DecodeError as exc:
        return [Row(path.name, f"left out: {exc}")]
    analysis = measured(x, rate)
    copies = [
        judged(f"{path.name} +{push}", limited(part, rate, push), rate, part)
        for part in clean_excerpt(x, rate, analysis)
        for push in PUSHES_DB
    ]
    return [judged(path.name, x, rate), *copies]


def clean_excerpt(x: Samples, rate: int, analysis: Analysis) -> list[Samples]:
    """The middle of a clean track at full scale, to be made loud; nothing of one that is short or loud."""
    clean = analysis.fingerprint.lufs <= CLEAN_LUFS and analysis.measures.psr_p10_db >= CLEAN_PSR_DB
    if not clean or len(x) < LEAST_COPY_S * rate:
        return []
    start = max(0, len(x) // 2 - COPY_S // 2 * rate)
    part = x[start : start + COPY_S * rate]
    return [np.ascontiguousarray(part / np.abs(part).max())]


def rows_of(directory: Path, only: str, jobs: int) -> Iterator[Row]:
    paths = sorted(path for path in directory.iterdir() if path.suffix in SUFFIXES and only in path.name)
    with ProcessPoolExecutor(jobs) as pool:
        for rows in pool.map(of_track, paths):
            yield from rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="", help="names that contain this")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    asked = parser.parse_args()
    print(
        f"{'':32} class rest mast |   LUFS   PLR   LRA |   gain  comp  rest  side mono | "
        "   out  miss   dPLR  dLRA corr. grown | again       | wanted lost back          SI-SDR"
    )
    seen = []
    for row in rows_of(asked.directory, asked.only, asked.jobs):
        seen.append(row)
        print(f"{row.name[:32]:32} {row.text} {' '.join(f'[{name}]' for name in row.missed)}", flush=True)
    for kind, rows in (("tracks", [r for r in seen if not r.copy]), ("copies", [r for r in seen if r.copy])):
        names = sorted({name.split()[0] for row in rows for name in row.missed})
        print(
            f"{len(rows)} {kind}; missed: ",
            {n: sum(any(m.startswith(n) for m in r.missed) for r in rows) for n in names},
        )


if __name__ == "__main__":
    main()
