"""One sentence for every parameter of a plan, made from its numbers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tonearm.mastering.level import Level
from tonearm.mastering.presets import BIASES, Bias
from tonearm.model.fingerprint import BAND_NAMES
from tonearm.model.plan import MasteringPlan, MasteringState, Policy, Target

NOT_APPLIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "compression": "not applied: this version does not compress",
        "restoration": "not applied: this version does not re-open attacks",
        "width": "not applied: this version leaves the stereo image alone",
    }
)

TOO_SOON: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(NOT_APPLIED, "not applied: a first impression is not enough for it")
)

SHOWN_DB: Final = 0.05
"""Bands that move less are left out of the sentence, not of the plan."""

_DONE: Final[Mapping[Policy, str]] = MappingProxyType(
    {
        Policy.PRESERVE: "dynamics kept",
        Policy.RESTORE: "level before anything else",
        Policy.MASTER: "mastered",
    }
)


def gain_reason(plan: MasteringPlan, level: Level) -> str:
    """Of the gain: what was measured, and which of the two terms was the smaller."""
    measured = plan.measured
    if "album_lufs" in measured:
        start = (
            f"album at {measured['album_lufs']:.1f} LUFS, true peak {measured['album_true_peak_dbtp']:+.1f} "
            "dBTP: one level for all its tracks"
        )
    else:
        done = "" if plan.lwrp is None else f": {_DONE[plan.lwrp.policy]}"
        start = f"true peak {measured['true_peak_dbtp']:+.1f} dBTP, PLR {measured['plr_db']:.1f}{done}"
    if plan.state is MasteringState.PROVISIONAL:
        start = f"first impression of {measured['heard_s']:.0f} s: {start}"
    bound = f"the target of {plan.target_lufs:.1f} LUFS" if level.reaches_target else "the ceiling"
    scaled = "" if plan.intensity == 1 else f" at intensity {plan.intensity:.2f}"
    return f"{start}, gain {plan.gain_db:+.1f} dB{scaled}, bounded by {bound}"


def eq_reason(plan: MasteringPlan, change_db: float, master: float) -> str:
    """Of the equaliser; ``master`` is the weight with which corrections count, ``change_db`` the loudness."""
    moved = ", ".join(
        f"{name.removesuffix('_pct').replace('_', ' ')} {gain:+.1f} dB"
        for name, gain in zip(BAND_NAMES, plan.eq_db, strict=True)
        if abs(gain) >= SHOWN_DB
    )
    bias = BIASES[plan.preset]
    loud = master == 0
    if not moved:
        return f"flat: {'no correction where the track is loud' if loud else 'inside the corridor of music'}"
    why = "no correction where the track is loud" if loud else "half way back to the corridor of music"
    if plan.state is MasteringState.PROVISIONAL:
        why += ", half of that on a first impression"
    if any(bias.tone_db) or min(bias.correction_scale) < 1:
        why += f"; preset {plan.preset}: {bias.summary.rstrip('.')}"
    return f"{moved} ({why}); loudness {change_db:+.1f} LU"


def limiting_reason(limiting_db: float, limit_dbtp: float) -> str:
    """Of the limiting that is expected, dB over the limit."""
    if limiting_db == 0:
        return f"no peak over {limit_dbtp:.2f} dBTP is expected: the limiter idles"
    return (
        f"the highest peak is expected {limiting_db:.1f} dB over {limit_dbtp:.2f} dBTP and is limited to it"
    )


def ceiling_reason(ceiling_dbtp: float) -> str:
    """Of the ceiling."""
    return f"no true peak of the output lies over {ceiling_dbtp:.1f} dBTP"


def target_reason(target: Target, bias: Bias) -> str:
    """Of the target: what was asked for, and what the preset adds."""
    offset = f", {bias.target_offset_db:+.1f} dB by the preset" if bias.target_offset_db else ""
    scope = "the album as a whole" if target.level == "album" else "each track by itself"
    return f"{target.lufs:.1f} LUFS asked for, {scope}{offset}"
