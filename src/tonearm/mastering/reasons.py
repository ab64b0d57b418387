"""One sentence for every parameter of a plan, made from its numbers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tonearm.mastering.correction import correction_weight
from tonearm.mastering.dynamics import LONG_S, compression_change, restoration_change
from tonearm.mastering.level import Level
from tonearm.mastering.presets import BIASES, Bias
from tonearm.mastering.width import NARROWEST, NOT_UPSIDE_DOWN, STEREO, WIDEST, Image
from tonearm.model.fingerprint import BAND_NAMES
from tonearm.model.plan import MasteringPlan, MasteringState, Policy, Target

_NEEDS_A_FINGERPRINT: Final = ("compression", "restoration", "width")

TOO_SOON: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(_NEEDS_A_FINGERPRINT, "not applied: a first impression is not enough for it")
)

WITHOUT_FINGERPRINT: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(_NEEDS_A_FINGERPRINT, "not applied: it takes a fingerprint to know how much would do good")
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

_KEPT: Final[Mapping[Policy, str]] = MappingProxyType(
    {
        Policy.PRESERVE: "the image is kept where the track is loud",
        Policy.RESTORE: "the image is kept where the track is loud",
        Policy.MASTER: "there is no side to turn up, or the preset keeps the image",
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
    crest_db = plan.measured["crest_db"]
    borne = correction_weight(crest_db)
    if master == 0:
        why = "no correction where the track is loud"
    elif borne == 0:
        why = f"no correction at a crest of {crest_db:.1f} dB: what is compressed would only gain peaks by it"
    elif not moved:
        why = "inside the corridor of music"
    elif borne < 1:
        why = f"{borne:.0%} of half the way back to the corridor of music: crest {crest_db:.1f} dB"
    else:
        why = "half way back to the corridor of music"
    if not moved:
        return f"flat: {why}"
    if plan.state is MasteringState.PROVISIONAL:
        why += ", half of that on a first impression"
    if any(bias.tone_db) or min(bias.correction_scale) < 1:
        why += f"; preset {plan.preset}: {bias.summary.rstrip('.')}"
    return f"{moved} ({why}); loudness {change_db:+.1f} LU"


def compression_reason(plan: MasteringPlan) -> str:
    """Of compression; the plan is one with a decision."""
    measured, reduction_db = plan.measured, plan.compression.reduction_db
    numbers = (
        f"PLR {measured['plr_db']:.1f}, loudness range {measured['lra_lu']:.1f} LU, "
        f"PSR {measured['psr_p10_db']:.1f} dB"
    )
    if reduction_db == 0 and plan.lwrp is not None and plan.lwrp.weights.master == 0:
        return "not applied: no compression where the track is loud"
    if measured["duration_s"] < LONG_S:
        numbers += f", {measured['duration_s']:.0f} s, too short for a loudness range to say much"
    if reduction_db == 0 and measured["duration_s"] < LONG_S:
        return f"not applied: {numbers}"
    if reduction_db == 0:
        return f"not applied: {numbers}, which is not more than is comfortable"
    return (
        f"loud parts {reduction_db:.1f} dB down in three bands, ratio {plan.compression.ratio:.2f} at most: "
        f"{numbers}; loudness {compression_change(reduction_db):+.1f} LU"
    )


def restoration_reason(plan: MasteringPlan, wanted_db: float) -> str:
    """Of re-opened attacks; ``wanted_db`` is what they would get at intensity 1 if there were room."""
    boost_db = plan.restoration.boost_db
    if wanted_db == 0:
        return "not applied: only what is loud and compressed has attacks to re-open"
    if boost_db == 0:
        return f"not applied: no room under the ceiling for {wanted_db:.1f} dB"
    bound = ", all that the ceiling leaves" if boost_db < plan.intensity * wanted_db - SHOWN_DB else ""
    return (
        f"attacks up by {boost_db:.1f} dB in three bands{bound}: crest {plan.measured['crest_db']:.1f}, "
        f"PSR {plan.measured['psr_p10_db']:.1f} dB; loudness {restoration_change(boost_db):+.1f} LU"
    )


def width_reason(plan: MasteringPlan, image: Image) -> str:
    """Of the width of the stereo image."""
    if image.channels != STEREO:
        kind = (
            "one channel has no width" if image.channels < STEREO else f"there are {image.channels} channels"
        )
        return f"not applied: {kind}"
    side_gain_db, mono_bass = plan.width.side_gain_db, plan.width.mono_bass
    share = f"{image.stereo_width:.2f} of the energy in the side"
    done = []
    if side_gain_db:
        done.append(f"side {side_gain_db:+.1f} dB, half way back at most: {share}")
    if mono_bass:
        done.append(
            f"{mono_bass:.0%} of the side under 120 Hz taken out: left and right correlate "
            f"{image.bass_phase_correlation:+.2f} there"
        )
    elif image.bass_phase_correlation < 0.0 and image.stereo_width > NOT_UPSIDE_DOWN:
        done.append("one channel seems to be upside down, so the bass is not made mono")
    if done:
        return "; ".join(done)
    if not NARROWEST <= image.stereo_width <= WIDEST and plan.lwrp is not None:
        return f"not applied, {share}: {_KEPT[plan.lwrp.policy]}"
    return f"not applied: {share}"


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
