"""AdaptiveMode: fingerprint, measures, preset and intensity in, one constant plan out. Pure.

The three policies of the restraint principle are blended by their weights: the corridor's
correction and the limiting of *master* count by the weight of *master*, and what the policies share
(constant gain, the ceiling) is computed once. So no border is a step.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.correction import correction
from tonearm.mastering.level import Level, album_level, track_level
from tonearm.mastering.lwrp import decide
from tonearm.mastering.presets import BIASES, Bias
from tonearm.mastering.spectrum import loudness_change
from tonearm.model.fingerprint import BAND_NAMES, Fingerprint
from tonearm.model.measures import TrackMeasures
from tonearm.model.plan import (
    EQ_LIMIT_DB,
    Lwrp,
    MasteringPlan,
    MasteringState,
    Policy,
    Prediction,
    Preset,
    Target,
    untouched,
)

NOT_APPLIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "compression": "not applied: this version does not compress",
        "restoration": "not applied: this version does not re-open attacks",
        "width": "not applied: this version leaves the stereo image alone",
    }
)


SHOWN_DB: Final = 0.05
"""Bands that move less are left out of the sentence, not of the plan."""


class AdaptiveMode:
    """Decides what is done to a track that has a full fingerprint."""

    def plan(
        self,
        fingerprint: Fingerprint,
        measures: TrackMeasures,
        preset: Preset,
        intensity: float,
        target: Target,
    ) -> MasteringPlan:
        """The plan of one track.

        Tracks of more than two channels are planned for their stereo downmix, which is what a stream
        carries. To plan for all the channels, pass measures whose downmix values are the track's own.

        Args:
            fingerprint, measures: of one and the same pass over the track.
            preset: bias on the plan.
            intensity: 0..1; 0 is the untouched source, 1 the whole plan.
            target: loudness and ceiling, by track or by album.

        Raises:
            ValueError: intensity is not in 0..1, or the level is ``album`` and no album was given.
        """
        check_intensity(intensity)
        if intensity == 0:
            return untouched("intensity 0: the source passes bit for bit", preset)
        measured = _measured(fingerprint, measures)
        lwrp = decide(measured["lufs"], measured["crest_db"], measured["psr_p10_db"])
        bias = BIASES[preset]
        full_eq_db = biased(correction(measures.third_octaves_db, measures.rate), lwrp.weights.master, bias)
        level = _level(measured, measures, lwrp, bias, full_eq_db, target)

        if target.album is not None and target.level == "album":
            measured |= {"album_lufs": target.album.lufs, "album_true_peak_dbtp": target.album.true_peak_dbtp}

        eq_db = tuple(intensity * gain for gain in full_eq_db)
        change_db = loudness_change(measures.third_octaves_db, eq_db, measures.rate)
        plan = MasteringPlan(
            state=MasteringState.FINGERPRINT,
            preset=preset,
            intensity=intensity,
            target_lufs=target.lufs + bias.target_offset_db,
            ceiling_dbtp=target.ceiling_dbtp,
            lwrp=lwrp,
            gain_db=level.at(intensity),
            eq_db=eq_db,
            measured=MappingProxyType(measured),
        )
        return _explained(_predicted(plan, change_db), level, change_db, target)


def _predicted(plan: MasteringPlan, change_db: float) -> MasteringPlan:
    """The plan with what its output should measure and what that takes of the limiter."""
    limit_dbtp = plan.ceiling_dbtp - MARGIN_DB
    lufs, peak = (plan.measured[name] + change_db + plan.gain_db for name in ("lufs", "true_peak_dbtp"))
    limited = min(peak, limit_dbtp)
    return replace(
        plan,
        limiting_db=max(0.0, peak - limit_dbtp),
        predicted=Prediction(lufs=lufs, true_peak_dbtp=limited, plr_db=limited - lufs),
    )


def _explained(plan: MasteringPlan, level: Level, change_db: float, target: Target) -> MasteringPlan:
    """The plan with one sentence for every parameter."""
    reasons = {
        "gain_db": _gain_reason(plan, level),
        "eq_db": _eq_reason(plan, change_db),
        **NOT_APPLIED,
        "limiting_db": _limiting_reason(plan.limiting_db, plan.ceiling_dbtp - MARGIN_DB),
        "ceiling_dbtp": ceiling_reason(plan.ceiling_dbtp),
        "target_lufs": target_reason(target, BIASES[plan.preset]),
    }
    return replace(plan, reasons=MappingProxyType(reasons))


def check_intensity(intensity: float) -> None:
    """Raises ValueError unless ``intensity`` lies in 0..1."""
    if not 0.0 <= intensity <= 1.0:
        raise ValueError(f"intensity must lie in 0..1, got {intensity}")


def biased(correction_db: tuple[float, ...], master: float, bias: Bias) -> tuple[float, ...]:
    """The equaliser at intensity 1: the correction by its weight, the preset's tone whole; +/-3 dB."""
    return tuple(
        min(EQ_LIMIT_DB, max(-EQ_LIMIT_DB, master * scale * gain + tone))
        for gain, scale, tone in zip(correction_db, bias.correction_scale, bias.tone_db, strict=True)
    )


def _measured(fingerprint: Fingerprint, measures: TrackMeasures) -> dict[str, float]:
    """The values a plan rests on, by name."""
    downmixed = measures.channels > 2
    lufs = measures.downmix_lufs if downmixed else fingerprint.lufs
    peak = measures.downmix_true_peak_dbtp if downmixed else measures.true_peak_dbtp
    return {
        "lufs": lufs,
        "true_peak_dbtp": peak,
        "plr_db": peak - lufs,
        "crest_db": fingerprint.crest_db,
        "psr_p10_db": measures.psr_p10_db,
    }


def _level(
    measured: Mapping[str, float],
    measures: TrackMeasures,
    lwrp: Lwrp,
    bias: Bias,
    eq_db: tuple[float, ...],
    target: Target,
) -> Level:
    change_db = loudness_change(measures.third_octaves_db, eq_db, measures.rate)
    target_lufs = target.lufs + bias.target_offset_db
    if target.level == "album":
        if target.album is None:
            raise ValueError("level 'album' wants the album's loudness and true peak, got none")
        return album_level(target.album, change_db, target_lufs, target.ceiling_dbtp)
    return track_level(
        lufs=measured["lufs"],
        true_peak_dbtp=measured["true_peak_dbtp"],
        psr_p10_db=measured["psr_p10_db"],
        master=lwrp.weights.master,
        tone_change_db=loudness_change(measures.third_octaves_db, bias.tone_db, measures.rate),
        change_db=change_db,
        target_lufs=target_lufs,
        ceiling_dbtp=target.ceiling_dbtp,
    )


_DONE: Final[Mapping[Policy, str]] = MappingProxyType(
    {
        Policy.PRESERVE: "dynamics kept",
        Policy.RESTORE: "level before anything else",
        Policy.MASTER: "mastered",
    }
)


def _gain_reason(plan: MasteringPlan, level: Level) -> str:
    measured = plan.measured
    if "album_lufs" in measured:
        start = (
            f"album at {measured['album_lufs']:.1f} LUFS, true peak {measured['album_true_peak_dbtp']:+.1f} "
            "dBTP: one level for all its tracks"
        )
    else:
        done = "" if plan.lwrp is None else f": {_DONE[plan.lwrp.policy]}"
        start = f"true peak {measured['true_peak_dbtp']:+.1f} dBTP, PLR {measured['plr_db']:.1f}{done}"
    bound = f"the target of {plan.target_lufs:.1f} LUFS" if level.reaches_target else "the ceiling"
    scaled = "" if plan.intensity == 1 else f" at intensity {plan.intensity:.2f}"
    return f"{start}, gain {plan.gain_db:+.1f} dB{scaled}, bounded by {bound}"


def _eq_reason(plan: MasteringPlan, change_db: float) -> str:
    moved = ", ".join(
        f"{name.removesuffix('_pct').replace('_', ' ')} {gain:+.1f} dB"
        for name, gain in zip(BAND_NAMES, plan.eq_db, strict=True)
        if abs(gain) >= SHOWN_DB
    )
    bias = BIASES[plan.preset]
    loud = plan.lwrp is not None and plan.lwrp.weights.master == 0
    if not moved:
        return f"flat: {'no correction where the track is loud' if loud else 'inside the corridor of music'}"
    why = "no correction where the track is loud" if loud else "half way back to the corridor of music"
    if any(bias.tone_db) or min(bias.correction_scale) < 1:
        why += f"; preset {plan.preset}: {bias.summary.rstrip('.')}"
    return f"{moved} ({why}); loudness {change_db:+.1f} LU"


def _limiting_reason(limiting_db: float, limit_dbtp: float) -> str:
    if limiting_db == 0:
        return f"no peak over {limit_dbtp:.2f} dBTP is expected: the limiter idles"
    return (
        f"the highest peak is expected {limiting_db:.1f} dB over {limit_dbtp:.2f} dBTP and is limited to it"
    )


def ceiling_reason(ceiling_dbtp: float) -> str:
    return f"no true peak of the output lies over {ceiling_dbtp:.1f} dBTP"


def target_reason(target: Target, bias: Bias) -> str:
    offset = f", {bias.target_offset_db:+.1f} dB by the preset" if bias.target_offset_db else ""
    scope = "the album as a whole" if target.level == "album" else "each track by itself"
    return f"{target.lufs:.1f} LUFS asked for, {scope}{offset}"
