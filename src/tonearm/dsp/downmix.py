"""More than two channels to stereo.

    L' = L + sqrt(1/2) C + sqrt(1/2) Ls,   R' = R + sqrt(1/2) C + sqrt(1/2) Rs

A single back channel goes to both sides at 1/2; the LFE channel is left out. The sums are not
scaled down: what they exceed full scale by is measured, and met by the level of the plan.

Source: ITU-R BS.775-4, annex 4, table 2 (downward mixing to 2/0).
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.channels import speakers
from tonearm.model.audio import Block, Samples64

_HALF_POWER: Final = math.sqrt(0.5)
_BOTH_SIDES: Final = {"FC": _HALF_POWER, "BC": 0.5, "LFE": 0.0}
_OWN_SIDE: Final = {"F": 1.0, "S": _HALF_POWER, "B": _HALF_POWER, "T": _HALF_POWER}


def downmix_matrix(channels: int, layout: str) -> Samples64:
    """Gain of each channel in left and right; float64 ``[channels, 2]``, for more than two channels."""
    matrix = np.zeros((channels, 2))
    for channel, speaker in enumerate(speakers(channels, layout)):
        if speaker in _BOTH_SIDES:
            matrix[channel] = _BOTH_SIDES[speaker]
        else:
            side = 0 if "L" in speaker else 1
            matrix[channel, side] = _OWN_SIDE[speaker[0]]
    return matrix


def to_stereo(block: Block, layout: str) -> Block:
    """Mix to two channels; blocks of one or two channels come back as they are.

    Shape:
        in: [frames, channels], channels 1..8; out: [frames, min(channels, 2)].
    Delay:
        0 frames.
    """
    channels = block.shape[1]
    if channels <= 2:
        return block
    # Summed channel by channel: a matrix product may add in another order for another block length.
    out = np.zeros((len(block), 2), dtype=np.float32)
    for channel, gains in enumerate(downmix_matrix(channels, layout).astype(np.float32)):
        for side in (0, 1):
            if gains[side] != 0.0:
                out[:, side] += gains[side] * block[:, channel]
    return out
