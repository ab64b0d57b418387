"""Blocks to the integers that encoders take."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.dither import dithered_16, rounded_16
from tonearm.model.audio import Block


def packed(block: Block, sample_format: str, first_frame: int, *, dithered: bool) -> NDArray[Any]:
    """Samples as the encoder takes them, ``[frames, channels]``, clipped at full scale.

    Args:
        block: float32 [frames, channels], finite.
        sample_format: FFmpeg's name: ``flt`` as they are, ``s16``, or ``s32`` for 24 bits, which stand in the
            upper part of 32.
        first_frame: number of the block's first frame in the whole output.
        dithered: whether 16 bits are dithered; the other kinds never are.
    """
    if sample_format == "flt":
        return np.ascontiguousarray(block)
    if sample_format == "s16":
        return dithered_16(block, first_frame) if dithered else rounded_16(block)
    whole = np.clip(np.rint(block * np.float32(2**23)), -(2**23), 2**23 - 1)
    upper: NDArray[np.int32] = whole.astype(np.int32) * np.int32(256)
    return upper
