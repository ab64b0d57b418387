"""From what is known of a track and what is done to its sound to its level, and so to a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.level import Level, album_level, track_level
from tonearm.mastering.presets import BIASES, Bias
from tonearm.mastering.shaping import Changes, Shaping, changes
from tonearm.mastering.spectrum import loudness_change
from tonearm.mastering.width import Image
from tonearm.model.plan import MasteringPlan, MasteringState, Prediction, Preset, Target


@dataclass(frozen=True, slots=True)
class Asked:
    """What the listener asked for, and on what its answer rests."""

    state: MasteringState
    preset: Preset
    intensity: float
    target: Target

    @property
    def bias(self) -> Bias:
        return BIASES[self.preset]

    @property
    def biased_target(self) -> Target:
        return replace(self.target, lufs=self.target.lufs + self.bias.target_offset_db)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a track.

    Attributes:
        measured: what the plan will say that it rests on, by name; ``lufs`` and ``true_peak_dbtp`` among it.
        third_octaves_db: 30 values.
        rate: sample rate, Hz.
        psr_p10_db: or so little that nothing is limited, where it is not known.
        bearable_limiting_db: the most that may be limited.
        image: of the track, or an ordinary one where it is not known: then no width is planned.
        master: weight of *master*, 0..1.
        tone_db: what is left of the preset's tone where the track is loud, seven bands.
    """

    measured: Mapping[str, float]
    third_octaves_db: Sequence[float]
    rate: int
    psr_p10_db: float
    bearable_limiting_db: float
    image: Image
    master: float
    tone_db: tuple[float, ...]

    def changes(self, shaping: Shaping) -> Changes:
        """What a shaping does to loudness and peak."""
        return changes(shaping, self.third_octaves_db, self.rate, self.image)

    def level(self, shaping: Shaping, target: Target) -> Level:
        """The level of the track after a whole ``shaping``, towards a target that the preset has moved.

        Raises:
            ValueError: the level is ``album`` and no album was given.
        """
        moved = self.changes(shaping)
        change_db = moved.loudness_db
        if target.level == "album":
            if target.album is None:
                raise ValueError("level 'album' wants the album's loudness and true peak, got none")
            return album_level(target.album, change_db, target.lufs, target.ceiling_dbtp)
        return track_level(
            lufs=self.measured["lufs"],
            true_peak_dbtp=self.measured["true_peak_dbtp"],
            psr_p10_db=self.psr_p10_db,
            bearable_limiting_db=self.bearable_limiting_db,
            master=self.master,
            tone_change_db=loudness_change(self.third_octaves_db, self.tone_db, self.rate),
            change_db=change_db,
            room_change_db=moved.room_db,
            target_lufs=target.lufs,
            ceiling_dbtp=target.ceiling_dbtp,
        )

    def headroom(self, shaping: Shaping, target: Target) -> float:
        """From the highest peak after a whole ``shaping`` and its level to the limit, dB; may be negative."""
        peak_dbtp = self.measured["true_peak_dbtp"] + self.changes(shaping).peak_db
        return target.ceiling_dbtp - MARGIN_DB - peak_dbtp - self.level(shaping, target).full_db


def planned(asked: Asked, known: Known, shaping: Shaping) -> MasteringPlan:
    """The plan with level, equaliser, width and what is predicted; compression and restoration are not set.

    Args:
        asked: its intensity is that of the plan.
        known: of the track.
        shaping: the whole, as at intensity 1.
    """
    target, done = asked.biased_target, shaping.at(asked.intensity)
    gain_db = known.level(shaping, target).at(asked.intensity)
    moved, limit_dbtp = known.changes(done), target.ceiling_dbtp - MARGIN_DB
    lufs = known.measured["lufs"] + moved.loudness_db + gain_db
    peak = known.measured["true_peak_dbtp"] + moved.peak_db + gain_db
    limited = min(peak, limit_dbtp)
    return MasteringPlan(
        state=asked.state,
        preset=asked.preset,
        intensity=asked.intensity,
        target_lufs=target.lufs,
        ceiling_dbtp=target.ceiling_dbtp,
        gain_db=gain_db,
        eq_db=done.eq_db,
        width=done.width,
        limiting_db=max(0.0, peak - limit_dbtp),
        measured=MappingProxyType(dict(known.measured)),
        predicted=Prediction(lufs=lufs, true_peak_dbtp=limited, plr_db=limited - lufs),
    )
