"""What is not sound is silence: samples that are not finite, or too loud to be any, become 0."""

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import LOUDEST, Block

_Bits = NDArray[np.int32]
_MAGNITUDE = 0x7FFFFFFF
_LOUDEST = int(np.float32(LOUDEST).view(np.int32))


@kernel
def _largest(bits: _Bits) -> int:
    """The largest magnitude, as an integer: in the order of the floats, and what is no number above them."""
    largest = np.int32(0)
    for n in range(len(bits)):
        largest = max(largest, np.int32(bits[n] & _MAGNITUDE))
    return int(largest)


def sane(block: Block) -> Block:
    """The block itself where all of it is sound, else a copy; contiguous, any shape."""
    block = np.ascontiguousarray(block)
    if _largest(block.reshape(-1).view(np.int32)) <= _LOUDEST:
        return block
    return np.where(np.abs(block) <= LOUDEST, block, np.float32(0.0))
