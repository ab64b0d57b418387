"""AdaptiveMode: fingerprint, measures, preset and intensity in, one constant plan out. Pure.

The three policies of the restraint principle are blended by their weights: the corridor's correction,
compression, width and limiting count by the weight of *master*, re-opened attacks by that of *restore*,
and what the policies share (constant gain, the ceiling) is computed once. So no border is a step.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.correction import correction, correction_weight
from tonearm.mastering.dynamics import (
    boost_within,
    compression,
    gathered_peaks_dbfs,
    reduction_of,
    restoration,
    wanted_boost,
)
from tonearm.mastering.level import LEAST_PSR_DB, bearable_limiting
from tonearm.mastering.lwrp import compressed_weight, decide, loud_weight
from tonearm.mastering.planning import Asked, Known, planned
from tonearm.mastering.presets import BIASES, Bias
from tonearm.mastering.reasons import (
    TOO_SOON,
    ceiling_reason,
    compression_reason,
    eq_reason,
    gain_reason,
    limiting_reason,
    restoration_reason,
    target_reason,
    width_reason,
)
from tonearm.mastering.shaping import Shaping
from tonearm.mastering.width import UNKNOWN_IMAGE, Image, width
from tonearm.model.fingerprint import Fingerprint
from tonearm.model.measures import TrackMeasures
from tonearm.model.plan import (
    EQ_LIMIT_DB,
    MasteringPlan,
    MasteringState,
    PolicyWeights,
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
        asked = Asked(MasteringState.FINGERPRINT, preset, intensity, target)
        # What is left of the preset's tone where the track is loud.
        compressed = compressed_weight(measured["crest_db"], measured["psr_p10_db"])
        image = Image(measures.channels, fingerprint.stereo_width, measures.bass_phase_correlation)
        gathered_under_db = measures.true_peak_dbtp - gathered_peaks_dbfs(measures)
        known = Known(
            measured=measured | _of_album(target),
            third_octaves_db=measures.third_octaves_db,
            rate=measures.rate,
            psr_p10_db=measures.psr_p10_db,
            bearable_limiting_db=bearable_limiting(gathered_under_db, measures.lra_lu),
            image=image,
            master=lwrp.weights.master,
            tone_db=tuple(compressed * gain for gain in asked.bias.tone_db),
        )
        shaping, wanted_db = _shaping(asked, known, image, lwrp.weights)
        plan = _with_dynamics(planned(asked, known, shaping), shaping.at(intensity), known, measures)
        plan = replace(plan, lwrp=lwrp)
        return _explained(plan, asked, known, shaping, _dynamics_reasons(plan, wanted_db, image))

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
        borne = correction_weight(probe.crest_db)
        correction_db = tuple(borne * gain for gain in correction(probe.third_octaves_db, probe.rate))
        whole_eq_db = biased(correction_db, bias, master, 1.0 - master)
        measured = {
            "heard_s": probe.seconds,
            "lufs": probe.lufs,
            "true_peak_dbtp": probe.true_peak_dbtp,
            "plr_db": probe.true_peak_dbtp - probe.lufs,
            "crest_db": probe.crest_db,
        }
        known = Known(
            measured=measured | _of_album(target),
            third_octaves_db=probe.third_octaves_db,
            rate=probe.rate,
            psr_p10_db=LEAST_PSR_DB,
            bearable_limiting_db=0.0,
            image=UNKNOWN_IMAGE,
            master=master,
            tone_db=tuple(PROVISIONAL_EQ * gain for gain in bias.tone_db),
        )
        asked = Asked(MasteringState.PROVISIONAL, preset, intensity, target)
        shaping = Shaping(tuple(PROVISIONAL_EQ * gain for gain in whole_eq_db))
        return _explained(planned(asked, known, shaping), asked, known, shaping, TOO_SOON)


def _shaping(asked: Asked, known: Known, image: Image, weights: PolicyWeights) -> tuple[Shaping, float]:
    """All that is done before the level, as at intensity 1, and the boost that was wanted for attacks, dB."""
    bias, measured = asked.bias, known.measured
    borne = correction_weight(measured["crest_db"])
    correction_db = tuple(borne * gain for gain in correction(known.third_octaves_db, known.rate))
    without_boost = Shaping(
        eq_db=biased(correction_db, bias, weights.master, weights.restore),
        reduction_db=bias.compression_scale
        * reduction_of(
            measured["true_peak_dbtp"],
            measured["lufs"],
            measured["lra_lu"],
            measured["psr_p10_db"],
            measured["duration_s"],
            weights.master,
        ),
        width=width(image, weights.master * bias.width_scale),
    )
    wanted_db = wanted_boost(measured["crest_db"], weights.restore, bias.restoration_scale)
    headroom_db = known.headroom(without_boost, asked.biased_target)
    return replace(without_boost, boost_db=boost_within(wanted_db, headroom_db)), wanted_db


def _with_dynamics(
    plan: MasteringPlan, done: Shaping, known: Known, measures: TrackMeasures
) -> MasteringPlan:
    """The plan with the two stages that need to know where a track's levels lie."""
    lufs, peak_dbtp = known.measured["lufs"], known.measured["true_peak_dbtp"]
    return replace(
        plan,
        compression=compression(done.reduction_db, measures, lufs, done.eq_db),
        restoration=restoration(done.boost_db, measures, peak_dbtp, known.changes(done).eq_db),
    )


def _dynamics_reasons(plan: MasteringPlan, wanted_db: float, image: Image) -> dict[str, str]:
    return {
        "compression": compression_reason(plan),
        "restoration": restoration_reason(plan, wanted_db),
        "width": width_reason(plan, image),
    }


def _explained(
    plan: MasteringPlan, asked: Asked, known: Known, shaping: Shaping, stages: Mapping[str, str]
) -> MasteringPlan:
    """The plan with one sentence for every parameter."""
    level = known.level(shaping, asked.biased_target)
    eq_change_db = known.changes(shaping.at(asked.intensity)).eq_db
    reasons = {
        "gain_db": gain_reason(plan, level),
        "eq_db": eq_reason(plan, eq_change_db, known.master),
        **stages,
        "limiting_db": limiting_reason(plan.limiting_db, plan.ceiling_dbtp - MARGIN_DB),
        "ceiling_dbtp": ceiling_reason(plan.ceiling_dbtp),
        "target_lufs": target_reason(asked.target, asked.bias),
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
        "lra_lu": measures.lra_lu,
        "duration_s": measures.frames / measures.rate,
        "stereo_width": fingerprint.stereo_width,
    }


def _of_album(target: Target) -> dict[str, float]:
    """What a plan for an album rests on besides, by name."""
    if target.album is None or target.level != "album":
        return {}
    return {"album_lufs": target.album.lufs, "album_true_peak_dbtp": target.album.true_peak_dbtp}
