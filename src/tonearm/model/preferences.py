"""What the listener prefers, where nothing is said about how a track is to sound."""

from dataclasses import dataclass

from tonearm.model.plan import DEFAULT_TARGET_LUFS, Level, Preset


@dataclass(frozen=True, slots=True)
class Preferences:
    """What fills in for what a request leaves out.

    Attributes:
        preset: the bias on the plan.
        intensity: how much of the plan is applied, 0..1.
        target_lufs: integrated loudness to reach, LUFS.
        level: whose loudness is brought there.
    """

    preset: Preset = Preset.ADAPTIVE
    intensity: float = 1.0
    target_lufs: float = DEFAULT_TARGET_LUFS
    level: Level = "track"
