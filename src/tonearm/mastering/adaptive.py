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
from tonearm.mastering.level import LEAST_PSR_DB, Level, album_level, track_level
from tonearm.mastering.lwrp import compressed_weight, decide, loud_weight
from tonearm.mastering.presets import BIASES, Bias
from tonearm.mastering.reasons import (
    NOT_APPLIED,
    TOO_SOON,
    ceiling_reason,
    eq_reason,
    gain_reason,
    limiting_reason,
    target_reason,
)
from tonearm.mastering.spectrum import loudness_change
from tonearm.model.fingerprint import Fingerprint
from tonearm.model.measures import TrackMeasures
from tonearm.model.plan import (
    EQ_LIMIT_DB,
    MasteringPlan,
    MasteringState,
    Prediction,
    Preset,
    Target,
    untouched,
)
from tonearm.model.probe import Probe

PROVISIONAL_EQ: Final = 0.5
"""So much of the equaliser is applied on a first impression."""


class AdaptiveMode:
    """Decides what is done to a track, from its full fingerprint or from a first impression."""

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
        correction_db = correction(measures.third_octaves_db, measures.rate)
        full_eq_db = biased(correction_db, bias, lwrp.weights.master, lwrp.weights.restore)
        # What is left of the preset's tone where the track is loud.
        compressed = compressed_weight(measured["crest_db"], measured["psr_p10_db"])
        tone_db = tuple(compressed * gain for gain in bias.tone_db)
        level = _level(
            measured,
            measures.psr_p10_db,
            lwrp.weights.master,
            loudness_change(measures.third_octaves_db, tone_db, measures.rate),
            loudness_change(measures.third_octaves_db, full_eq_db, measures.rate),
            replace(target, lufs=target.lufs + bias.target_offset_db),
        )
        measured |= _of_album(target)
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
        return _explained(_predicted(plan, change_db), level, change_db, lwrp.weights.master, target)

    def plan_from_probe(
        self, probe: Probe, preset: Preset, intensity: float, target: Target
    ) -> MasteringPlan:
        """The provisional plan of a track of which only some windows are known.

        Gain, ceiling and half of the equaliser, by the rules of ``plan``. It never restores, compresses
        or widens, and plans no limiting: how much a track bears is not known, and the peaks that no window
        held come on top. Nor does it publish a decision, though it corrects no tone where a track is loud.

        Args:
            probe: a first impression of the track.
            preset, intensity, target: as ``plan``.

        Raises:
            ValueError: as ``plan``.
        """
        check_intensity(intensity)
        if intensity == 0:
            return untouched("intensity 0: the source passes bit for bit", preset)
        master, bias = 1.0 - loud_weight(probe.lufs), BIASES[preset]
        correction_db = correction(probe.third_octaves_db, probe.rate)
        full_eq_db = tuple(
            PROVISIONAL_EQ * gain for gain in biased(correction_db, bias, master, 1.0 - master)
        )
        tone_db = tuple(PROVISIONAL_EQ * gain for gain in bias.tone_db)
        measured = {
            "heard_s": probe.seconds,
            "lufs": probe.lufs,
            "true_peak_dbtp": probe.true_peak_dbtp,
            "plr_db": probe.true_peak_dbtp - probe.lufs,
            "crest_db": probe.crest_db,
            **_of_album(target),
        }
        level = _level(
            measured,
            LEAST_PSR_DB,
            master,
            loudness_change(probe.third_octaves_db, tone_db, probe.rate),
            loudness_change(probe.third_octaves_db, full_eq_db, probe.rate),
            replace(target, lufs=target.lufs + bias.target_offset_db),
        )
        eq_db = tuple(intensity * gain for gain in full_eq_db)
        change_db = loudness_change(probe.third_octaves_db, eq_db, probe.rate)
        plan = MasteringPlan(
            state=MasteringState.PROVISIONAL,
            preset=preset,
            intensity=intensity,
            target_lufs=target.lufs + bias.target_offset_db,
            ceiling_dbtp=target.ceiling_dbtp,
            gain_db=level.at(intensity),
            eq_db=eq_db,
            measured=MappingProxyType(measured),
        )
        return _explained(_predicted(plan, change_db), level, change_db, master, target)


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


def _explained(
    plan: MasteringPlan, level: Level, change_db: float, master: float, target: Target
) -> MasteringPlan:
    """The plan with one sentence for every parameter."""
    reasons = {
        "gain_db": gain_reason(plan, level),
        "eq_db": eq_reason(plan, change_db, master),
        **(TOO_SOON if plan.state is MasteringState.PROVISIONAL else NOT_APPLIED),
        "limiting_db": limiting_reason(plan.limiting_db, plan.ceiling_dbtp - MARGIN_DB),
        "ceiling_dbtp": ceiling_reason(plan.ceiling_dbtp),
        "target_lufs": target_reason(target, BIASES[plan.preset]),
    }
    return replace(plan, reasons=MappingProxyType(reasons))


def check_intensity(intensity: float) -> None:
    """Raises ValueError unless ``intensity`` lies in 0..1."""
    if not 0.0 <= intensity <= 1.0:
        raise ValueError(f"intensity must lie in 0..1, got {intensity}")


def biased(correction_db: tuple[float, ...], bias: Bias, master: float, restore: float) -> tuple[float, ...]:
    """The equaliser at intensity 1, dB, +/-3: of *master* correction and tone, of *restore* the tone alone.

    Args:
        correction_db: of the seven bands.
        bias: the preset's.
        master, restore: weights of these policies; what is left to 1 is *preserve*, which is flat.
    """
    return tuple(
        master * min(EQ_LIMIT_DB, max(-EQ_LIMIT_DB, scale * gain + wish)) + restore * wish
        for gain, scale, wish in zip(correction_db, bias.correction_scale, bias.tone_db, strict=True)
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


def _of_album(target: Target) -> dict[str, float]:
    """What a plan for an album rests on besides, by name."""
    if target.album is None or target.level != "album":
        return {}
    return {"album_lufs": target.album.lufs, "album_true_peak_dbtp": target.album.true_peak_dbtp}


def _level(
    measured: Mapping[str, float],
    psr_p10_db: float,
    master: float,
    tone_change_db: float,
    change_db: float,
    biased_target: Target,
) -> Level:
    if biased_target.level == "album":
        if biased_target.album is None:
            raise ValueError("level 'album' wants the album's loudness and true peak, got none")
        return album_level(biased_target.album, change_db, biased_target.lufs, biased_target.ceiling_dbtp)
    return track_level(
        lufs=measured["lufs"],
        true_peak_dbtp=measured["true_peak_dbtp"],
        psr_p10_db=psr_p10_db,
        master=master,
        tone_change_db=tone_change_db,
        change_db=change_db,
        target_lufs=biased_target.lufs,
        ceiling_dbtp=biased_target.ceiling_dbtp,
    )
