"""Width of a stereo image: the gain of the side signal, and how much of its bass is taken out.

    side = (left - right) / 2
    wanted = g ((1 - a) side + a HP(side)),   g = 10^(side_gain_db / 20),   a = mono_bass
    left += wanted - side,   right -= wanted - side

The middle is never touched, so what is mono stays what it was. ``HP`` is a minimum-phase Butterworth
high-pass at 120 Hz, so nothing is delayed.

Source: A. D. Blumlein, British patent 394,325 (sum and difference); the high-pass is R. Bristow-Johnson,
"Cookbook formulae for audio equalizer biquad filter coefficients".
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.glide import Glide
from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block, Samples64

MONO_BASS_HZ: Final = 120.0
SIDE_LIMIT_DB: Final = 12.0
STEREO: Final = 2

STEP_FRAMES: Final = 64
"""While values glide they are worked out at every multiple of this many frames, and are linear between."""

_FADED = 1e-12


def _high_pass(rate: int) -> Samples64:
    """``b0 b1 b2 a1 a2`` of the high-pass."""
    w = 2.0 * math.pi * MONO_BASS_HZ / rate
    cos, alpha = math.cos(w), math.sin(w) * math.sqrt(0.5)
    b = (1.0 + cos) / 2.0
    return np.array([b, -2.0 * b, b, -2.0 * cos, 1.0 - alpha]) / (1.0 + alpha)


@kernel
def _widen(x: Block, first: int, section: Samples64, weights: Samples64, state: Samples64, y: Block) -> None:
    """``weights [steps + 1 or 1, 2]``: those of the side and of its high-pass at the start of each step.

    Row 0 of ``x`` is frame ``first`` of the first step.
    """
    b0, a1, a2 = section[0], section[3], section[4]
    b1, b2 = section[1] - a1 * b0, section[2] - a2 * b0
    p, q = state[0], state[1]
    given, out = x.reshape(-1), y.reshape(-1)
    sides, highs = np.empty(STEP_FRAMES), np.empty(STEP_FRAMES)
    start, step, last = 0, 0, len(weights) - 1
    while start < x.shape[0]:
        stop = min((step + 1) * STEP_FRAMES - first, x.shape[0])
        now, following = weights[min(step, last)], weights[min(step + 1, last)]
        for n in range(stop - start):
            sides[n] = 0.5 * (np.float64(given[2 * (start + n)]) - np.float64(given[2 * (start + n) + 1]))
        for n in range(stop - start):
            highs[n] = b0 * sides[n] + p
            p, q = (b1 * sides[n] + q) - a1 * p, b2 * sides[n] - a2 * p
        plain, passed = now[0], now[1]
        more, more_passed = (following[0] - plain) / STEP_FRAMES, (following[1] - passed) / STEP_FRAMES
        within = first + start - step * STEP_FRAMES
        for n in range(stop - start):
            i, weight = 2 * (start + n), plain + (within + n) * more
            change = (weight * sides[n] - sides[n]) + (passed + (within + n) * more_passed) * highs[n]
            out[i], out[i + 1] = given[i] + change, given[i + 1] - change
        start, step = stop, step + 1
        if first + stop == step * STEP_FRAMES:
            p, q = 0.0 if abs(p) < _FADED else p, 0.0 if abs(q) < _FADED else q
    state[0], state[1] = p, q


@kernel
def _scale_side(x: Block, plain: float, y: Block) -> None:
    """As ``_widen`` where weights are constant and the high-pass has none."""
    given, out = x.reshape(-1), y.reshape(-1)
    for n in range(x.shape[0]):
        left, right = given[2 * n], given[2 * n + 1]
        side = 0.5 * (np.float64(left) - np.float64(right))
        change = plain * side - side
        out[2 * n], out[2 * n + 1] = left + change, right - change


def _weights(values: Samples64) -> Samples64:
    """``[n, 2]`` dB and share -> ``[n, 2]``: factors of the side and of its high-pass."""
    gains = 10.0 ** (values[:, 0] / 20.0)
    return np.stack([gains * (1.0 - values[:, 1]), gains * values[:, 1]], axis=1)


class Stereo:
    """Change the width of a stream of stereo blocks; (0 dB, 0) is the input bit for bit.

    Shape:
        in and out: [frames, 2]; any number of frames, including 0. With other numbers of channels only
        the neutral values are possible, and blocks pass.
    Delay:
        0 frames (minimum phase).

    Args:
        side_gain_db: within +/-12 dB.
        mono_bass: how much of the side's bass is taken out, 0..1.
        rate: frames a second.
        channels: of the blocks to come.
        first_frame: number of the first frame that will come in.

    Raises:
        ValueError: a value out of range, or a change asked for where there are not two channels.
    """

    def __init__(
        self, side_gain_db: float, mono_bass: float, rate: int, channels: int, first_frame: int
    ) -> None:
        self._channels = channels
        self._frame = first_frame
        self._section = _high_pass(rate)
        self._glide = Glide.rest(self._checked(side_gain_db, mono_bass), first_frame)
        self._state = np.zeros(2)

    def glide(self, side_gain_db: float, mono_bass: float, frames: int) -> None:
        """Move to other values within ``frames``, from the next frame on and what is reached there.

        A glide that already leads to these values goes on as it was.
        """
        values = self._checked(side_gain_db, mono_bass)
        if values != tuple(self._glide.end):
            self._glide = self._glide.to(values, self._frame, frames)

    def process(self, block: Block) -> Block:
        idle = self._idle_from()
        active = len(block) if idle is None else min(len(block), max(0, idle - self._frame))
        if active == 0:
            self._frame += len(block)
            return block
        first = self._frame
        self._frame += len(block)
        out = np.empty_like(block)
        out[active:] = block[active:]
        self._apply(block[:active], first, out[:active])
        if active < len(block) or self._frame == idle:
            self._state[:] = 0.0
        return out

    def _idle_from(self) -> int | None:
        """The frame from which on nothing is done; None where there is something to do for good."""
        if self._glide.end.any():
            return None
        if not self._glide.start.any():
            return self._glide.first
        return self._glide.first + self._glide.frames + STEP_FRAMES

    def _apply(self, block: Block, first: int, out: Block) -> None:
        glide = self._glide
        if glide.over(first) and not (glide.start[1] or glide.end[1]):
            _scale_side(block, 10.0 ** (glide.end[0] / 20.0), out)
            return
        step = first // STEP_FRAMES
        values = glide.end[None]
        if not glide.over(step * STEP_FRAMES):
            values = glide.at(np.arange(step, (first + len(block) - 1) // STEP_FRAMES + 2) * STEP_FRAMES)
        _widen(block, first - step * STEP_FRAMES, self._section, _weights(values), self._state, out)

    def _checked(self, side_gain_db: float, mono_bass: float) -> tuple[float, float]:
        if not abs(side_gain_db) <= SIDE_LIMIT_DB or not 0.0 <= mono_bass <= 1.0:
            raise ValueError(
                f"the side's gain lies within +/-{SIDE_LIMIT_DB:g} dB and mono bass in 0..1, "
                f"got {side_gain_db} and {mono_bass}"
            )
        if self._channels != STEREO and (side_gain_db or mono_bass):
            raise ValueError(f"only two channels have a width, and these are {self._channels}")
        return float(side_gain_db), float(mono_bass)
