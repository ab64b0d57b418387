"""The mastering chain: a plan, applied to a stream of blocks.

    equaliser -> dynamics -> stereo -> gain -> true-peak limiter (threshold = the plan's ceiling - 0.05 dB)

A stage with nothing to do is skipped, bit for bit. A bypassed plan is the same chain with nothing to do
at all: every stage at rest, 0 dB, no threshold. So a change to
or from it is a glide like any other.

What is not sound does not enter: a sample that is not finite, or beyond +60 dBFS (``LOUDEST``), becomes 0 for
every plan, the bypassed one too. All that follows is bounded, so what comes out is finite.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from tonearm.dsp.dynamics import Dynamics, DynamicsSettings
from tonearm.dsp.equaliser import STEP_FRAMES, Equaliser
from tonearm.dsp.gain import Gain
from tonearm.dsp.limiter import MARGIN_DB, TruePeakLimiter
from tonearm.dsp.sane import sane
from tonearm.dsp.stereo import STEREO, Stereo
from tonearm.model.audio import AudioFormat, Block
from tonearm.model.plan import EQ_BANDS, MasteringPlan, Width

GRID_FRAMES: Final = STEP_FRAMES
"""Plans change at multiples of this many frames, counted from frame 0 of the file."""

GLIDE_S: Final = 3.0

_PIECE_FRAMES = 8192
"""Long blocks are worked through in pieces that stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class _Settings:
    """What the stages are told."""

    eq_db: tuple[float, ...]
    dynamics: DynamicsSettings
    width: Width
    gain_db: float
    threshold_dbtp: float

    @classmethod
    def of(cls, plan: MasteringPlan, channels: int) -> Self:
        if plan.bypass:
            return cls((0.0,) * EQ_BANDS, DynamicsSettings(), Width(), 0.0, math.inf)
        if channels != STEREO and plan.width != Width():
            raise ValueError(
                f"only two channels have a width, these are {channels}, and the plan asks for {plan.width}"
            )
        compression, restoration = plan.compression, plan.restoration
        dynamics = DynamicsSettings(
            reduction_db=compression.reduction_db,
            full_dbfs=compression.full_dbfs,
            boost_db=restoration.boost_db,
            peaks_dbfs=restoration.peaks_dbfs,
            true_peak_dbtp=restoration.true_peak_dbtp,
        )
        return cls(tuple(plan.eq_db), dynamics, plan.width, plan.gain_db, plan.ceiling_dbtp - MARGIN_DB)


@dataclass(frozen=True, slots=True)
class _Change:
    """What the chain moves to from ``frame`` on, within ``glide_frames``."""

    frame: int
    settings: _Settings
    glide_frames: int


class Chain:
    """Master a stream of blocks by a plan.

    Shape:
        in and out: float32 [frames, channels]; any number of frames, including 0. ``process`` may return
        fewer frames than it got; with ``flush``, as many come out as went in, aligned to the sample.
    Delay:
        taken off; ``process`` holds back about 6.5 ms, and 3 ms more while dynamics are at work.

    Args:
        plan: applied as it is (already scaled by its intensity).
        rate: frames a second, 8,000 to 384,000.
        channels: 1 to 8; gain and limiter are the same for all of them.
        first_frame: number, in the file, of the first frame that will come in.

    Raises:
        ValueError: a format out of range, or a plan that changes the width of other than two channels.
    """

    def __init__(self, plan: MasteringPlan, rate: int, channels: int, first_frame: int = 0) -> None:
        self._format = AudioFormat(rate, channels)
        settings = _Settings.of(plan, channels)
        self._frame = self._limited = first_frame
        self._thresholds: deque[tuple[int, float]] = deque()
        self._threshold_dbtp = settings.threshold_dbtp
        self._equaliser = Equaliser(settings.eq_db, rate, channels, first_frame)
        self._dynamics = Dynamics(settings.dynamics, rate, channels, first_frame)
        width = settings.width
        self._stereo = Stereo(width.side_gain_db, width.mono_bass, rate, channels, first_frame)
        self._gain = Gain(settings.gain_db, first_frame)
        self._limiter = TruePeakLimiter(settings.threshold_dbtp, rate, channels)
        self._change: _Change | None = None
        self._arrival: tuple[int, float] | None = None
        self._reduction_db, self._boost_db = 0.0, 0.0

    @property
    def reduction_db(self) -> float:
        """The most that the limiter took off in the last call of ``process`` or ``flush``, dB, >= 0."""
        return self._reduction_db

    @property
    def boost_db(self) -> float:
        """The most that an attack was turned up in any band in the last call, dB, >= 0."""
        return self._boost_db

    def retarget(self, plan: MasteringPlan, glide_s: float = GLIDE_S) -> None:
        """Go over to another plan within ``glide_s`` seconds.

        The change begins at the next multiple of ``GRID_FRAMES`` of the input, from the values reached
        there; gains move in dB along a straight line. While they move, the lower of the two ceilings
        holds. A value that is not new is left alone, even if it is still gliding. Of several changes
        before the same grid position, the last counts.

        Raises:
            ValueError: a negative time, or a plan that changes the width of other than two channels.
        """
        if not glide_s >= 0:
            raise ValueError(f"a glide takes at least 0 s, got {glide_s}")
        frame = -(-self._frame // GRID_FRAMES) * GRID_FRAMES
        self._change = _Change(
            frame, _Settings.of(plan, self._format.channels), round(glide_s * self._format.rate)
        )

    def process(self, block: Block) -> Block:
        sound = self._sound(block)
        parts = [np.zeros((0, self._format.channels), np.float32)]
        self._reduction_db, self._boost_db = 0.0, 0.0
        start = 0
        while start < len(sound):
            self._change_if_due()
            count = min(len(sound) - start, _PIECE_FRAMES, self._frames_to_change())
            self._frame += count
            piece = self._dynamics.process(self._equaliser.process(sound[start : start + count]))
            parts += self._limit(self._gain.process(self._stereo.process(piece)))
            self._boost_db = max(self._boost_db, self._dynamics.boost_db)
            start += count
        return np.concatenate(parts)

    def flush(self) -> Block:
        """The frames held back. Nothing may be processed after it."""
        held = self._gain.process(self._stereo.process(self._dynamics.flush()))
        self._boost_db = self._dynamics.boost_db
        self._reduction_db = 0.0
        parts = [*self._limit(held), self._limiter.flush()]
        self._reduction_db = max(self._reduction_db, self._limiter.reduction_db)
        return np.concatenate(parts)

    def _limit(self, sound: Block) -> Iterator[Block]:
        """Limit what comes out of the other stages, with a new threshold from the very frame it is meant for:
        dynamics hold frames back, so the limiter comes to it later than the equaliser does."""
        while self._thresholds and self._thresholds[0][0] < self._limited + len(sound):
            frame, threshold_dbtp = self._thresholds.popleft()
            before, sound = np.split(sound, [max(0, frame - self._limited)])
            yield self._limit_piece(before)
            self._limiter.set_threshold(threshold_dbtp)
        yield self._limit_piece(sound)

    def _limit_piece(self, sound: Block) -> Block:
        self._limited += len(sound)
        limited = self._limiter.process(sound)
        self._reduction_db = max(self._reduction_db, self._limiter.reduction_db)
        return limited

    def _sound(self, block: Block) -> Block:
        if block.dtype != np.float32 or block.ndim != 2 or block.shape[1] != self._format.channels:
            raise ValueError(
                f"wanted float32 [frames, {self._format.channels}], got {block.dtype} {block.shape}"
            )
        return sane(block)

    def _frames_to_change(self) -> int:
        due = [self._change.frame] if self._change else []
        if self._arrival:
            due.append(self._arrival[0])
        return min(due, default=self._frame + _PIECE_FRAMES) - self._frame

    def _change_if_due(self) -> None:
        if self._arrival and self._arrival[0] == self._frame:
            self._hold(self._arrival[1])
            self._arrival = None
        if self._change and self._change.frame == self._frame:
            settings, frames = self._change.settings, self._change.glide_frames
            self._equaliser.glide(settings.eq_db, frames)
            self._dynamics.glide(settings.dynamics, frames)
            self._stereo.glide(settings.width.side_gain_db, settings.width.mono_bass, frames)
            self._gain.glide(settings.gain_db, frames)
            self._hold(
                min(self._threshold_dbtp, settings.threshold_dbtp) if frames else settings.threshold_dbtp
            )
            self._arrival = (self._frame + frames, settings.threshold_dbtp) if frames else None
            self._change = None

    def _hold(self, threshold_dbtp: float) -> None:
        if threshold_dbtp != self._threshold_dbtp:
            self._threshold_dbtp = threshold_dbtp
            self._thresholds.append((self._frame, threshold_dbtp))
