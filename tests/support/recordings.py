"""Real recordings as samples."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from level_truth import Samples

from tonearm.audio.decode import Decoder
from tonearm.model.errors import DecodeError

Recording = tuple[str, Samples, int]
"""Name, samples ``[frames, channels]``, rate."""

_BLOCK = 1 << 18


def decoded(path: Path, seconds: float) -> Recording:
    """The first seconds of a file, or all of it where it is shorter."""
    with Decoder(path) as decoder:
        wanted = round(seconds * decoder.info.format.rate)
        parts = []
        while wanted > 0 and len(block := decoder.read(min(wanted, _BLOCK))):
            parts.append(block)
            wanted -= len(block)
        return path.name, np.concatenate(parts), decoder.info.format.rate


def recordings(folder: Path, seconds: float) -> Iterator[Recording]:
    """The first seconds of every audio file in a folder, in the order of their names."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            try:
                yield decoded(path, seconds)
            except DecodeError:
                continue  # CREDITS.md
