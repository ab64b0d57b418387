"""The shape of sound and the units it is described in.

Sound has one shape everywhere: ``Block``, float32 ``[frames, channels]``, full scale +/-1.0.
Positions and lengths of sound are counted in frames (int); seconds are for people and clocks.
"""

from dataclasses import dataclass
from typing import NewType

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
"""Samples, float32 ``[frames, channels]``, full scale +/-1.0."""

Samples64 = NDArray[np.float64]
"""Samples or coefficients in float64, for recursive state and filter design."""

Hz = NewType("Hz", float)
Db = NewType("Db", float)
Lufs = NewType("Lufs", float)
Dbtp = NewType("Dbtp", float)

MIN_RATE = 8_000
MAX_RATE = 384_000
MAX_CHANNELS = 8
LOUDEST = 2.0**10
"""Samples beyond this, and what is not a number, are damage and count as silence: no music is 60 dB over
full scale."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How many samples a second, and how many channels."""

    rate: int
    channels: int

    def __post_init__(self) -> None:
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise ValueError(f"rate must lie in {MIN_RATE}..{MAX_RATE} Hz, got {self.rate}")
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise ValueError(f"channels must lie in 1..{MAX_CHANNELS}, got {self.channels}")


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a container says about the audio in it, before it is decoded.

    ``frames`` is exact only where ``frames_exact`` says so (it is then a count of decoded
    frames, encoder delay and padding removed); elsewhere it is the container's estimate.
    """

    format: AudioFormat
    frames: int
    frames_exact: bool
    codec: str
    container: str
    bit_depth: int | None
    bitrate: int | None
    channel_layout: str

    @property
    def duration_s(self) -> float:
        return self.frames / self.format.rate
