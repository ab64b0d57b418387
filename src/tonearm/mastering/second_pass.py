"""The second pass of an offline master: what the first one measured puts its gain right.

    gain' = gain + clip(predicted loudness - rendered loudness, -1, 1)

The first pass rests on a prediction of what the stages before the gain do to loudness; the second knows.
Nothing but the gain moves. Where the ceiling and not the target sets the level, it moves up only into the
room that is left under the ceiling, and where the limiter takes something off there, what is missing is
the limiter's doing and stays.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.model.plan import MasteringPlan

MOST_DB: Final = 1.0
"""A prediction further off than this has another cause than the prediction."""

NOTHING_DB: Final = 0.005
"""Less than this is not worth a word."""


def corrected(plan: MasteringPlan, rendered_lufs: float) -> MasteringPlan:
    """The plan for the second pass; the same object where there is nothing to correct.

    Args:
        plan: what the first pass was rendered with.
        rendered_lufs: integrated loudness of that render before encoding, LUFS.
    """
    if plan.bypass or plan.predicted is None:
        return plan
    limit_dbtp = plan.ceiling_dbtp - MARGIN_DB
    missing_db = min(MOST_DB, max(-MOST_DB, plan.predicted.lufs - rendered_lufs))
    if abs(plan.predicted.lufs - plan.target_lufs) > NOTHING_DB:
        missing_db = min(missing_db, limit_dbtp - plan.predicted.true_peak_dbtp)
    if abs(missing_db) < NOTHING_DB:
        return plan
    lufs = rendered_lufs + missing_db
    peak_dbtp = plan.predicted.true_peak_dbtp + plan.limiting_db + missing_db
    limited_dbtp = min(peak_dbtp, limit_dbtp)
    said = f"; {missing_db:+.2f} dB of it because a first pass came out at {rendered_lufs:.2f} LUFS"
    return replace(
        plan,
        gain_db=plan.gain_db + missing_db,
        limiting_db=max(0.0, peak_dbtp - limit_dbtp),
        predicted=replace(plan.predicted, lufs=lufs, true_peak_dbtp=limited_dbtp, plr_db=limited_dbtp - lufs),
        reasons=MappingProxyType({**plan.reasons, "gain_db": plan.reasons["gain_db"] + said}),
    )
