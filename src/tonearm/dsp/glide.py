"""A glide: values that move along a straight line from one frame to another.

    v(n) = start + (end - start) min(max((n - first) / frames, 0), 1)

It is a pure function of its two ends and of the frame number, so what it gives does not depend on
how a stream is cut. Values in dB glide in dB.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tonearm.model.audio import Samples64


@dataclass(frozen=True, slots=True)
class Glide:
    """From ``start`` at frame ``first`` to ``end`` at frame ``first + frames``; both ``[values]``."""

    start: Samples64
    end: Samples64
    first: int
    frames: int

    def __post_init__(self) -> None:
        if self.start.shape != self.end.shape or self.start.ndim != 1:
            raise ValueError(f"wanted two ends of one length, got {self.start.shape} and {self.end.shape}")
        if self.frames < 0:
            raise ValueError(f"a glide takes at least 0 frames, got {self.frames}")

    @classmethod
    def rest(cls, values: ArrayLike, at: int) -> Self:
        """Values that stay where they are."""
        still = np.array(values, dtype=np.float64, ndmin=1)
        return cls(still, still, at, 0)

    def to(self, values: ArrayLike, at: int, frames: int) -> Self:
        """From what is reached at frame ``at`` to ``values`` within ``frames``."""
        return type(self)(self.at(np.array([at]))[0], np.array(values, dtype=np.float64, ndmin=1), at, frames)

    def over(self, frame: int) -> bool:
        return frame >= self.first + self.frames

    def at(self, frames: ArrayLike) -> Samples64:
        """Values at each of ``frames``: float64 ``[len(frames), values]``."""
        passed = np.asarray(frames, dtype=np.float64) - self.first
        part = np.clip(passed / self.frames, 0.0, 1.0) if self.frames else (passed >= 0).astype(np.float64)
        # Weighing the ends, unlike adding a part of their difference, meets both of them exactly.
        values: Samples64 = self.start * (1.0 - part)[:, None] + self.end * part[:, None]
        return values
