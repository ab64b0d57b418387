"""Q11 and the loudness war made to order: how much of what a brick wall took comes back."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from judges import Judged

from quality.criteria import Finding, Result, Told
from quality.levels import Mastered
from tonearm.model.audio import Block

WAR: Final = "war"
CLAIMED_DB: Final = (6.0, 9.0)
"""The pushes of which Q11 speaks."""

_SHARE: Final = 0.3


def restoration(original: Judged, name: str, push_db: float, copy: Mastered) -> Iterator[Result]:
    """A copy that was pushed into a limiter, mastered: beside the copy, and beside the original."""
    assert copy.plan.lwrp is not None
    weight, boost_db = copy.plan.lwrp.weights.restore, copy.plan.restoration.boost_db
    lost = original.plr_db - copy.before.plr_db
    gained = copy.after.plr_db - copy.before.plr_db
    back = f"{round(100 * gained / lost)}%" if weight == 1 else "-"
    levels = (original.plr_db, copy.before.plr_db, copy.after.plr_db)
    yield Told(
        WAR,
        (name, f"{push_db:+g}", f"{weight:.2f}", *(f"{plr:.2f}" for plr in levels), f"{boost_db:.2f}", back),
    )
    if weight == 1 and push_db in CLAIMED_DB:
        case = f"{name} {push_db:+g} dB"
        wanted = min(_SHARE * lost, boost_db / 2)
        yield Finding("back", copy.material, wanted - gained, case)
        away = si_sdr_db(original.x, copy.before.x) - si_sdr_db(original.x, copy.after.x)
        yield Finding("closer", copy.material, away, case)


def si_sdr_db(original: Block, other: Block) -> float:
    """Scale-invariant signal-to-distortion ratio, dB: equal loudness is part of it."""
    clean, sound = (x.astype(np.float64).ravel() for x in (original, other))
    scaled = (sound @ clean) / (clean @ clean) * clean
    return float(10 * np.log10((scaled @ scaled) / ((sound - scaled) @ (sound - scaled))))
