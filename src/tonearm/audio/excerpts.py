"""Excerpts of a file, cheaply: one opened file, sought again and again, about where they were asked for.

A seek lands on a packet near its target and the sound is taken from there, so an excerpt may lie up
to a second beside the place asked for; what a lossy decoder gives before it has settled is dropped.
For sound in its exact place there is ``Decoder``.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av.error
import numpy as np
from av.audio.frame import AudioFrame

from tonearm.audio.container import open_audio
from tonearm.audio.samples import joined
from tonearm.model.audio import AudioInfo, Block
from tonearm.model.errors import DecodeError

_SETTLING_S: Final = 0.08
"""What Opus asks to be decoded and dropped after a seek (RFC 7845, section 4.6); MP3 and AAC need less."""

_BESIDE_S: Final = 1.0
"""A seek that lands further ahead of its target is decoded and dropped up to this distance."""


class Excerpts:
    """A file as a source of short blocks, float32 [frames, channels], full scale +/-1.0.

    Raises:
        FileMissing, DecodeError: as ``inspect``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._source = open_audio(path)

    @property
    def info(self) -> AudioInfo:
        return self._source.info

    def read(self, frame: int, frames: int) -> Block:
        """``frames`` frames from about ``frame`` on; fewer at the end and where the file is damaged.

        Raises:
            DecodeError: the place cannot be sought, or the format changes there.
        """
        settling = round(_SETTLING_S * self.info.format.rate)
        excerpt: Block = np.empty((frames, self.info.format.channels), np.float32)
        filled = -settling
        try:
            for block in joined(self._sounds(max(0, frame - settling)), frames + settling):
                heard = block[max(0, -filled) : frames - filled]
                start = max(0, filled)
                excerpt[start : start + len(heard)] = heard
                filled += len(block)
                if filled >= frames:
                    break
        except (av.error.FFmpegError, ValueError) as exc:
            raise DecodeError(f"{self._path}: no sound at frame {frame}: {exc}") from exc
        return excerpt[: max(0, filled)]

    def close(self) -> None:
        self._source.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sounds(self, frame: int) -> Iterator[AudioFrame]:
        """What can be decoded from about ``frame`` on; a packet that cannot is left out."""
        source, wanted = self._source, self.info.format
        earliest = frame - _BESIDE_S * wanted.rate
        arrived = False
        source.container.seek(source.stamp_of(frame), stream=source.stream)
        source.decoder.flush_buffers()
        for packet in source.container.demux(source.stream):
            try:
                decoded = source.decoder.decode(packet)
            except av.error.FFmpegError:
                continue
            for sound in decoded:
                arrived = arrived or sound.pts is None or source.frame_of(sound.pts) >= earliest
                if not arrived:
                    continue
                if (sound.sample_rate, sound.layout.nb_channels) != (wanted.rate, wanted.channels):
                    raise DecodeError(f"{self._path}: changes its format after frame {frame}")
                yield sound
