"""Presets are biases on the plan, not other programs: each is the numbers it moves, here.

A tone is a listener's wish and is heard on every track but those that are *preserved*, which get a
constant gain and nothing else; a correction is ours, is made only where the plan masters, and is what
``correction_scale`` weakens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tonearm.model.plan import EQ_BANDS, Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """What a preset moves.

    Attributes:
        summary: one sentence for people.
        tone_db: added to the seven bands of the equaliser, dB.
        correction_scale: the corridor's correction of each of the seven bands times this, 0..1.
        target_offset_db: added to the loudness target, dB.
        compression_scale, restoration_scale, width_scale: what the stage would do times this, >= 0; whatever
            it is, restoration is at most 3 dB.
    """

    summary: str
    tone_db: tuple[float, ...] = (0.0,) * EQ_BANDS
    correction_scale: tuple[float, ...] = (1.0,) * EQ_BANDS
    target_offset_db: float = 0.0
    compression_scale: float = 1.0
    restoration_scale: float = 1.0
    width_scale: float = 1.0


BIASES: Final[Mapping[Preset, Bias]] = MappingProxyType(
    {
        Preset.ADAPTIVE: Bias(summary="No bias: what was measured decides."),
        Preset.GENTLE: Bias(
            summary="Half of every correction, of compression, restoration and width, target 2 dB lower.",
            correction_scale=(0.5,) * EQ_BANDS,
            target_offset_db=-2.0,
            compression_scale=0.5,
            restoration_scale=0.5,
            width_scale=0.5,
        ),
        Preset.WARM: Bias(
            summary="A low shelf up by 1.5 dB, the top down by 1.5 dB.",
            tone_db=(1.5, 1.5, 0.5, 0.0, -0.5, -1.0, -1.5),
        ),
        Preset.BRIGHT: Bias(
            summary="The top up by 1.5 dB, a low shelf down by 1.5 dB.",
            tone_db=(-1.5, -1.5, -0.5, 0.0, 0.5, 1.0, 1.5),
        ),
        Preset.PUNCHY: Bias(
            summary="Attacks re-opened half as far again, and tighter low mids: 250-500 Hz down by 1.5 dB.",
            tone_db=(0.0, 0.0, -1.5, 0.0, 0.0, 0.0, 0.0),
            restoration_scale=1.5,
        ),
        Preset.LIVE: Bias(
            summary="Ambience kept: half of the correction above 4 kHz, a quarter of compression, no width.",
            correction_scale=(1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5),
            compression_scale=0.25,
            width_scale=0.0,
        ),
    }
)
