"""Measure what dynamics do to loudness, and write it as literals: ``python tools/factors.py DIR``.

Every track below DIR is rendered with one stage alone, and its loudness measured by pyebur128.

    compression   2 dB, of tracks that are mastered                LU per dB of reduction
    restoration   as planned, of tracks that are restored          LU per dB of boost
                  and of clean ones pushed 3 to 12 dB into a brick wall

Both are the numbers with the least largest error.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from brickwall import limited
from dynamics import SUFFIXES, clean_excerpt, decoded
from mastered import Samples, measured, planned, render
from truth import lufs

from tonearm.mastering.dynamics import MOST_REDUCTION_DB, compression, restoration, wanted_boost
from tonearm.model.errors import DecodeError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, MasteringState

DESTINATION: Final = Path(__file__).parents[1] / "src/tonearm/mastering/factors.py"
FLAT: Final = (0.0,) * 7
NO_CEILING_DBTP: Final = 60.0
LEAST_WEIGHT: Final = 1.0
PUSHES_DB: Final = (3, 6, 9, 12)

MODULE: Final = '''\
"""What dynamics do to loudness, measured on music. Written by ``tools/factors.py``.

Each number is what one stage alone did, by pyebur128: the one with the least largest error.
"""

from typing import Final

COMPRESSION_LU_PER_DB: Final = {compression.factor:.3f}
"""LU per dB. Of {compression.tracks} tracks, by {reduction:g} dB: within {compression.error:.2f} LU."""

RESTORATION_LU_PER_DB: Final = {restoration.factor:.3f}
"""LU per dB. Of {restoration.tracks} tracks and copies: within {restoration.error:.2f} LU."""
'''


@dataclass(frozen=True, slots=True)
class Factor:
    factor: float
    tracks: int
    error: float


def change_lu(x: Samples, rate: int, **stage: object) -> float:
    """What one stage does to loudness."""
    plan = MasteringPlan(state=MasteringState.FINGERPRINT, ceiling_dbtp=NO_CEILING_DBTP, **stage)  # type: ignore[arg-type]
    return lufs(render(x, plan, rate), rate) - lufs(x, rate)


def least_largest_error(rows: list[tuple[float, float]]) -> Factor:
    """Of (amount, change): the factor whose largest error over all rows is the least."""
    amounts, found = np.array(rows).T
    candidates = np.linspace((found / amounts).min(), (found / amounts).max(), 2001)
    errors = np.abs(found[:, None] - amounts[:, None] * candidates).max(axis=0)
    best = int(np.argmin(errors))
    return Factor(float(candidates[best]), len(rows), float(errors[best]))


def tracks(directory: Path) -> Iterator[tuple[Samples, int, Analysis]]:
    for path in sorted(directory.iterdir()):
        if path.suffix not in SUFFIXES:
            continue
        try:
            x, rate = decoded(path)
        except DecodeError as exc:
            sys.stderr.write(f"left out: {path.name}: {exc}\n")
            continue
        yield x, rate, measured(x, rate)


def re_opened(x: Samples, rate: int) -> Iterator[tuple[float, float]]:
    """Boost, dB, and what it does to loudness; nothing where the track is not restored."""
    analysis = measured(x, rate)
    lwrp = planned(analysis).lwrp
    assert lwrp is not None
    if lwrp.weights.restore >= LEAST_WEIGHT:
        boost_db = wanted_boost(analysis.fingerprint.crest_db, 1.0, 1.0)
        stage = restoration(boost_db, analysis.measures, analysis.measures.true_peak_dbtp, 0.0)
        yield boost_db, change_lu(x, rate, restoration=stage)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/factors.py DIR")
    reduced, boosted = [], []
    for x, rate, analysis in tracks(Path(sys.argv[1])):
        fingerprint, measures = analysis.fingerprint, analysis.measures
        lwrp = planned(analysis).lwrp
        assert lwrp is not None
        if lwrp.weights.master == 1.0:
            stage = compression(MOST_REDUCTION_DB, measures, fingerprint.lufs, FLAT)
            reduced.append((MOST_REDUCTION_DB, change_lu(x, rate, compression=stage)))
        boosted += re_opened(x, rate)
        for part in clean_excerpt(x, rate, analysis):
            for push in PUSHES_DB:
                boosted += re_opened(limited(part, rate, push), rate)
    text = MODULE.format(
        compression=least_largest_error(reduced),
        restoration=least_largest_error(boosted),
        reduction=MOST_REDUCTION_DB,
    )
    DESTINATION.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
