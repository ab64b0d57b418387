"""What is no sound: samples that are damage, and scales that no audio has."""

from typing import Final

import numpy as np

from tonearm.model.audio import LOUDEST, Block
from tonearm.model.errors import DecodeError

_LARGEST: Final = np.float32(LOUDEST)
_LOUDEST_LUFS: Final = 30.0


def without_damage(block: Block) -> Block:
    """The block with silence for samples that are no number, infinite or over 60 dB above full scale."""
    if block.max(initial=0.0) <= _LARGEST and block.min(initial=0.0) >= -_LARGEST:
        return block
    return np.where(np.abs(block) <= _LARGEST, block, np.float32(0.0))


def check_scale(lufs: float) -> None:
    """Raises DecodeError for samples so far above full scale that the file cannot hold audio."""
    if lufs > _LOUDEST_LUFS:
        raise DecodeError(f"{lufs:.1f} LUFS: these samples are not scaled as audio")
