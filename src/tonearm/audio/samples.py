"""FFmpeg's sample formats to float32 blocks.

Integers are scaled by a power of two (full scale = 1.0), which is exact up to 24 bits; floats are
kept as they are, also above 1.0.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from numpy.typing import DTypeLike

from tonearm.model.audio import Block
from tonearm.model.errors import DecodeError

_DTYPES: Final[dict[str, DTypeLike]] = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "flt": np.float32,
    "dbl": np.float64,
}
_BITS: Final = {"u8": 8, "s16": 16, "s32": 32, "s64": 64}


def to_block(frame: AudioFrame) -> Block:
    """A decoded frame as float32 [frames, channels].

    Raises:
        ValueError: a sample format that FFmpeg has and this table has not.
    """
    name = frame.format.name.removesuffix("p")
    if name not in _DTYPES:
        raise ValueError(f"sample format {frame.format.name} is not supported")
    channels = frame.layout.nb_channels
    block = np.empty((frame.samples, channels), np.float32)
    # A double beyond float32 becomes infinite, as other files hold infinities too.
    with np.errstate(over="ignore"):
        if frame.format.is_planar:
            for channel, plane in enumerate(frame.planes[:channels]):
                block[:, channel] = _values(plane, name, frame.samples)
        else:
            block[:] = _values(frame.planes[0], name, frame.samples * channels).reshape(-1, channels)
    if name == "u8":
        block -= np.float32(128.0)
    if name in _BITS:
        block *= np.float32(2.0 ** (1 - _BITS[name]))
    return block


def joined(sounds: Iterable[AudioFrame | Block], frames: int) -> Iterator[Block]:
    """Decoded frames, one after another, as blocks of at least ``frames`` frames; the last may be shorter.

    Packets are short (10 to 40 ms), and what Python does for each costs as much as the decoder. All
    frames have the same number of channels, and lose their time stamps. Blocks pass as they are.

    Raises:
        DecodeError: ``sounds`` did; everything before was given.
        ValueError: as ``to_block``.
    """
    fifo = AudioFifo()
    failure: DecodeError | None = None
    try:
        for sound in sounds:
            if not isinstance(sound, AudioFrame):
                yield from _emptied(fifo)
                yield sound
                continue
            # With a stamp, the queue would insist that it continues the last.
            sound.pts = None
            try:
                fifo.write(sound)
            except ValueError:
                # Another sample format from here on.
                yield from _emptied(fifo)
                fifo = AudioFifo()
                fifo.write(sound)
            if fifo.samples >= frames:
                yield from _emptied(fifo)
    except DecodeError as exc:
        failure = exc
    yield from _emptied(fifo)
    if failure is not None:
        raise failure


def _emptied(fifo: AudioFifo) -> Iterator[Block]:
    frame = fifo.read()
    if frame is not None:
        yield to_block(frame)


def _values(plane: Any, name: str, count: int) -> np.ndarray[tuple[int], np.dtype[Any]]:
    return np.frombuffer(plane, _DTYPES[name], count)
