"""HybridProcessor: the stated fallback where there is no fingerprint; it goes by what it has heard.

On a grid of half seconds counted from frame 0 of the track:

    goal = neutral + intensity * (rule - neutral)
    plan = plan + clip(goal - plan, -0.25, 0.25) dB             so at most 0.5 dB per second

The rule is the level rule without limiting (and never more than +3 dB) and the corridor's correction,
on the loudness, peak and third-octaves heard so far. It starts neutral and never compresses, restores
or widens.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.adaptive import biased, check_intensity
from tonearm.mastering.correction import correction
from tonearm.mastering.heard import Heard, HeardSoFar
from tonearm.mastering.lwrp import loud_weight
from tonearm.mastering.presets import BIASES
from tonearm.mastering.reasons import WITHOUT_FINGERPRINT, ceiling_reason, target_reason
from tonearm.mastering.spectrum import loudness_change
from tonearm.model.audio import Block
from tonearm.model.plan import EQ_BANDS, MasteringPlan, MasteringState, Preset, Target, untouched

MOST_LIFT_DB: Final = 3.0
STEP_DB: Final = 0.25
"""The most that a parameter moves from one plan to the next, half a second later."""

NO_FINGERPRINT: Final = "there was no fingerprint"


@dataclass(frozen=True, slots=True)
class _Moving:
    """The parameters that move, dB: neutral at the start."""

    gain_db: float = 0.0
    eq_db: tuple[float, ...] = (0.0,) * EQ_BANDS

    def towards(self, goal: "_Moving") -> "_Moving":
        return _Moving(
            _stepped(self.gain_db, goal.gain_db),
            tuple(_stepped(now, then) for now, then in zip(self.eq_db, goal.eq_db, strict=True)),
        )


def _stepped(now: float, goal: float) -> float:
    return goal if abs(goal - now) <= STEP_DB else now + (STEP_DB if goal > now else -STEP_DB)


class HybridProcessor:
    """Plan a track while it is heard.

    The plan in force changes where a half second of input is complete, wherever the input was cut.
    Memory is bounded, however long the track.

    Shape:
        in: consecutive blocks of the track, [frames, channels], source samples.
    """

    def __init__(
        self,
        rate: int,
        channels: int,
        preset: Preset,
        intensity: float,
        target: Target,
        first_frame: int = 0,
    ) -> None:
        """``first_frame`` is the position in the track of the first frame that will come.

        Raises:
            ValueError: intensity is not in 0..1, or the level is ``album`` and no album was given.
        """
        check_intensity(intensity)
        if target.level == "album" and target.album is None:
            raise ValueError("level 'album' wants the album's loudness and true peak, got none")
        self._rate = rate
        self._preset, self._intensity, self._target = preset, intensity, target
        self._heard = HeardSoFar(rate, channels, first_frame)
        self._moving = _Moving()
        self._plan = (
            untouched("intensity 0: the source passes bit for bit", preset)
            if intensity == 0
            else self._planned(None)
        )

    @property
    def plan(self) -> MasteringPlan:
        """The plan in force after everything heard so far."""
        return self._plan

    @property
    def grid_frames(self) -> int:
        """Plans change at multiples of this many frames from frame 0 of the track: half a second."""
        return self._heard.grid_frames

    def update(self, block: Block) -> MasteringPlan:
        """Hear the next block; returns the plan in force after it."""
        if self._plan.bypass:
            return self._plan
        for heard in self._heard.process(block):
            if heard is not None:
                self._moving = self._moving.towards(self._goal(heard))
            self._plan = self._planned(heard)
        return self._plan

    def _goal(self, heard: Heard) -> _Moving:
        bias = BIASES[self._preset]
        # Loud music is left as it is in tone, as with a fingerprint.
        weight = 1.0 - loud_weight(heard.lufs)
        full_eq_db = biased(correction(heard.third_octaves_db, self._rate), bias, weight, 1.0 - weight)
        change_db = loudness_change(heard.third_octaves_db, full_eq_db, self._rate)
        album = self._target.album if self._target.level == "album" else None
        lufs, peak = (heard.lufs, heard.peak_dbfs) if album is None else (album.lufs, album.true_peak_dbtp)
        room_db = self._target.ceiling_dbtp - MARGIN_DB - peak
        target_lufs = self._target.lufs + bias.target_offset_db
        rule_db = min(target_lufs - lufs - change_db, room_db - change_db, MOST_LIFT_DB)
        neutral_db = min(0.0, room_db)
        return _Moving(
            neutral_db + self._intensity * (rule_db - neutral_db),
            tuple(self._intensity * gain for gain in full_eq_db),
        )

    def _planned(self, heard: Heard | None) -> MasteringPlan:
        bias = BIASES[self._preset]
        moving, target = self._moving, self._target
        measured = (
            {}
            if heard is None
            else {"heard_s": heard.seconds, "lufs": heard.lufs, "peak_dbfs": heard.peak_dbfs}
        )
        so_far = (
            "nothing loud enough heard yet"
            if heard is None
            else f"{heard.seconds:.1f} s heard at {heard.lufs:.1f} LUFS, peak {heard.peak_dbfs:+.1f} dBFS"
        )
        return MasteringPlan(
            state=MasteringState.STANDARD,
            preset=self._preset,
            intensity=self._intensity,
            target_lufs=target.lufs + bias.target_offset_db,
            ceiling_dbtp=target.ceiling_dbtp,
            gain_db=moving.gain_db,
            eq_db=moving.eq_db,
            reasons=MappingProxyType(
                {
                    "gain_db": f"{NO_FINGERPRINT}; {so_far}: gain {moving.gain_db:+.1f} dB for now",
                    "eq_db": f"{NO_FINGERPRINT}; {so_far}: equaliser follows what is heard",
                    **WITHOUT_FINGERPRINT,
                    "limiting_db": f"{NO_FINGERPRINT}: no limiting is planned, the limiter holds the ceiling",
                    "ceiling_dbtp": ceiling_reason(target.ceiling_dbtp),
                    "target_lufs": target_reason(target, bias),
                }
            ),
            measured=MappingProxyType(measured),
        )
