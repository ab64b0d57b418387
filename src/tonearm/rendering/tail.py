"""The end of a file, for a sound that runs on from it."""

from collections import deque
from pathlib import Path
from typing import Final

import numpy as np

from tonearm.audio.decode import Decoder, inspect
from tonearm.dsp.downmix import to_stereo
from tonearm.model.audio import Block

_ALLOWANCE_S: Final = 10.0
"""So far before an estimated end the reading begins; if that was too late, further and further ahead."""


def tail(path: Path, frames: int) -> Block:
    """The last ``frames`` frames of a file, or all of a shorter one, in a stream's one or two channels.

    Shape:
        out: [frames, channels].

    Raises:
        FileMissing, DecodeError: the file cannot be decoded to its end.
    """
    info = inspect(path)
    back = frames if info.frames_exact else frames + round(_ALLOWANCE_S * info.format.rate)
    while True:
        start = max(0, info.frames - back)
        block = _ending(path, start, frames)
        if len(block) == frames or not start:
            return to_stereo(block, info.channel_layout)
        back *= 4


def _ending(path: Path, start: int, frames: int) -> Block:
    """The last ``frames`` frames of what follows ``start``."""
    parts: deque[Block] = deque()
    held = 0
    with Decoder(path, start) as decoder:
        while len(block := decoder.read(decoder.info.format.rate)):
            parts.append(block)
            held += len(block)
            while held - len(parts[0]) >= frames:
                held -= len(parts.popleft())
        if not parts:
            return np.zeros((0, decoder.info.format.channels), np.float32)
    return np.concatenate(parts)[max(0, held - frames) :]
