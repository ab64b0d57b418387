"""Sixteen bits: rounding, and the dither that turns its error into steady noise.

    y = round(32768 x + d),   d = u - v,   u and v uniform in [0, 1): triangular over (-1, 1) steps

``d`` is a function of the frame's number and the channel (a counter through a mixing function), so that
the same frame gets the same value however a stream is cut or where it starts.

Sources: S. P. Lipshitz, R. A. Wannamaker, J. Vanderkooy, "Quantization and Dither: A Theoretical Survey",
JAES 40(5), 1992; S. Vigna, "splitmix64", 2015 (the mixing function).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import MAX_CHANNELS, Block

FULL_SCALE_16: Final = 32768.0

_STRIDE = MAX_CHANNELS
_HALF_BITS = 2.0**-32


@kernel
def _mix(counter: np.uint64) -> np.uint64:
    z = counter * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def _quantise(x: Block, first_frame: int, dithered: bool, y: NDArray[np.int16]) -> None:
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            value = FULL_SCALE_16 * x[n, c]
            if dithered:
                bits = _mix(np.uint64((first_frame + n) * _STRIDE + c + 1))
                high, low = np.float64(bits >> np.uint64(32)), np.float64(bits & np.uint64(0xFFFFFFFF))
                value += (high - low) * _HALF_BITS
            y[n, c] = np.int16(min(max(np.rint(value), -FULL_SCALE_16), FULL_SCALE_16 - 1.0))


def dithered_16(block: Block, first_frame: int) -> NDArray[np.int16]:
    """Round ``block`` (float32 [frames, channels], finite) to 16 bits with triangular dither.

    ``first_frame`` is the number of the block's first frame in the whole output. What exceeds full scale
    is clipped. Returns int16 of the same shape.
    """
    out = np.empty(block.shape, np.int16)
    _quantise(block, first_frame, True, out)
    return out


def rounded_16(block: Block) -> NDArray[np.int16]:
    """Round ``block`` to 16 bits without dither: samples that came from 16 bits come back unchanged."""
    out = np.empty(block.shape, np.int16)
    _quantise(block, 0, False, out)
    return out
