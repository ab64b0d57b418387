"""Gain that may glide.

y[n] = 10^(g(n) / 20) x[n],   g in dB, constant or on a straight line (``dsp/glide.py``)
"""

import math

import numpy as np

from tonearm.dsp.glide import Glide
from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block

LIMIT_DB = 100.0
"""More than lies between the loudest sample that counts as sound and the lowest ceiling, or the softest
track that can be measured and the highest target."""


@kernel
def _factor(gain_db: float) -> float:
    return math.pow(10.0, gain_db / 20.0)


@kernel
def _scale(x: Block, gain: float, y: Block) -> None:
    given, out = x.reshape(-1), y.reshape(-1)
    for n in range(len(out)):
        out[n] = given[n] * gain


@kernel
def _ramp(x: Block, start_db: float, end_db: float, passed: int, frames: int, y: Block) -> None:
    """``passed`` frames of the glide lie before row 0."""
    for n in range(x.shape[0]):
        part = min((passed + n) / frames, 1.0)
        gain = _factor(start_db * (1.0 - part) + end_db * part)
        for c in range(x.shape[1]):
            y[n, c] = x[n, c] * gain


class Gain:
    """Change the level of a stream of blocks; 0 dB is the input bit for bit.

    Shape:
        in and out: [frames, channels]; any number of frames, including 0.
    Delay:
        0 frames.

    Args:
        gain_db: within +/-100 dB.
        first_frame: number of the first frame that will come in.
    """

    def __init__(self, gain_db: float, first_frame: int) -> None:
        self._frame = first_frame
        self._glide = Glide.rest(_checked(gain_db), first_frame)

    def glide(self, gain_db: float, frames: int) -> None:
        """Move to ``gain_db`` within ``frames``, from the next frame on and the level reached there.

        A glide that already leads to ``gain_db`` goes on as it was.
        """
        if gain_db == self._glide.end[0]:
            return
        self._glide = self._glide.to(_checked(gain_db), self._frame, frames)

    def process(self, block: Block) -> Block:
        glide, first = self._glide, self._frame
        self._frame += len(block)
        start_db, end_db = float(glide.start[0]), float(glide.end[0])
        if glide.over(first) and end_db == 0.0:
            return block
        out = np.empty_like(block)
        if glide.over(first):
            _scale(block, _factor(end_db), out)
        else:
            _ramp(block, start_db, end_db, first - glide.first, glide.frames, out)
        return out


def _checked(gain_db: float) -> float:
    if not math.isfinite(gain_db) or abs(gain_db) > LIMIT_DB:
        raise ValueError(f"gain must lie within +/-{LIMIT_DB:g} dB, got {gain_db}")
    return gain_db
