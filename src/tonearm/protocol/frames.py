"""Blocks of sound as messages: the grid of chunks and frames, and the two ways samples travel.

Chunks are 10 s, contiguous, counted from frame 0 of the track. A chunk is sent as frames that
never cross its border: at most 0.25 s for the first four of a stream, then at most 0.5 s and
76,800 sample frames.
"""

import base64
import json
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tonearm.dsp.dither import dithered_16, rounded_16
from tonearm.model.audio import Block
from tonearm.model.stream import Heard, MeterReading
from tonearm.protocol.messages import (
    CHUNK_S,
    FingerprintProgress,
    PlanChanged,
    RequestRefused,
    StreamEnded,
    StreamFailed,
    StreamRequest,
    StreamStarted,
)
from tonearm.protocol.requests import SampleFormat, Transport

SHORT_FRAMES: Final = 4
SHORT_FRAME_S: Final = 0.25
FRAME_S: Final = 0.5
MAX_FRAME: Final = 76_800


@dataclass(frozen=True, slots=True)
class Place:
    """Where one frame of samples lies: the n-th of its stream, in which chunk, the how-manieth of it."""

    seq: int
    chunk_index: int
    chunk_count: int
    frame_index: int
    frame_count: int


class FrameGrid:
    """Cuts a stream into frames, from ``start_frame`` to wherever the audio ends.

    ``total_frames`` may be an estimate. The cuts do not depend on it, only the announced counts
    do, and those follow the audio where the estimate proves wrong.
    """

    def __init__(self, rate: int, start_frame: int, total_frames: int) -> None:
        self.position = start_frame
        self._rate = rate
        self._chunk = CHUNK_S * rate
        self._total = total_frames
        self._seq = 0
        self._enter_chunk()

    @property
    def next_frames(self) -> int:
        """How many sample frames the next frame may hold."""
        return self._sizes[self._frame_index]

    def expect(self, total_frames: int) -> None:
        """Correct the estimate of the track's length."""
        self._total = total_frames

    def place(self, frames: int) -> Place:
        """Take the next frame; fewer than ``next_frames`` says that the track ends with it."""
        asked = self.next_frames
        if not 0 < frames <= asked:
            raise ValueError(f"wanted 1..{asked} frames, got {frames}")
        chunk_index, frame_index, seq = self._chunk_index, self._frame_index, self._seq
        if frames < asked:
            self._total = self.position + frames
        last = max(min(self._total, self._border), self.position + frames)
        place = Place(
            seq=seq,
            chunk_index=chunk_index,
            chunk_count=-(-max(self._total, last) // self._chunk),
            frame_index=frame_index,
            frame_count=self._count_to(last),
        )
        self.position += frames
        self._seq += 1
        self._frame_index += 1
        if self.position == self._border:
            self._enter_chunk()
        return place

    def _enter_chunk(self) -> None:
        self._chunk_index = self.position // self._chunk
        self._border = (self._chunk_index + 1) * self._chunk
        self._entry = self.position
        self._frame_index = 0
        self._sizes: list[int] = []
        left = self._border - self.position
        while left:
            size = self._size(self._seq + len(self._sizes), left)
            self._sizes.append(size)
            left -= size

    def _size(self, seq: int, left: int) -> int:
        """Even parts of what is left of the chunk, so that no crumb remains at its end."""
        seconds = SHORT_FRAME_S if seq < SHORT_FRAMES else FRAME_S
        limit = min(int(seconds * self._rate), MAX_FRAME)
        return -(-left // -(-left // limit))

    def _count_to(self, end: int) -> int:
        position = self._entry
        for count, size in enumerate(self._sizes, start=1):
            position += size
            if position >= end:
                return count
        return len(self._sizes)


def pack(block: Block, request: StreamRequest, first_frame: int, dithered: bool) -> bytes:
    """The samples as they travel: little-endian, interleaved; base64 in ASCII where asked.

    Args:
        block: [frames, channels].
        first_frame: absolute frame of the first sample, of which the dither is a function.
        dithered: whether 16 bits are dithered or only rounded.
    """
    if request.sample_format is SampleFormat.S16LE:
        whole = dithered_16(block, first_frame) if dithered else rounded_16(block)
        raw = whole.astype("<i2", copy=False).tobytes()
    else:
        raw = np.ascontiguousarray(block, dtype="<f4").tobytes()
    return base64.b64encode(raw) if request.transport is Transport.BASE64 else raw


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One frame of a stream: its place, how much it holds, its packed samples, and its meters."""

    request: StreamRequest
    place: Place
    frames: int
    channels: int
    samples: bytes
    reading: MeterReading

    def messages(self) -> tuple[str | bytes, ...]:
        """One text (base64), or a text and the binary message that must follow it at once."""
        if self.request.transport is Transport.BASE64:
            return (self._chunk(),)
        return (self._meta(), self.samples)

    def _chunk(self) -> str:
        data = self._common() | {"sample_count": self.frames, "crossfade_samples": 0}
        head = json.dumps(data, separators=(",", ":"))
        # The samples are ASCII without quotes, so they need no pass through the JSON encoder.
        return f'{{"type":"audio_chunk","data":{head[:-1]},"samples":"{self.samples.decode("ascii")}"}}}}'

    def _meta(self) -> str:
        data = self._common() | {
            "seq": self.place.seq,
            "track_id": self.request.track_id,
            "sample_count": self.frames * self.channels,
            "sample_format": self.request.sample_format,
            "stream_type": self.request.stream_type,
        }
        return json.dumps({"type": "audio_chunk_meta", "data": data}, separators=(",", ":"))

    def _common(self) -> dict[str, Any]:
        return {
            "chunk_index": self.place.chunk_index,
            "chunk_count": self.place.chunk_count,
            "frame_index": self.place.frame_index,
            "frame_count": self.place.frame_count,
            "stream_epoch": self.request.epoch,
            "meter": {
                "gain_reduction_db": round(self.reading.gain_reduction_db, 2),
                "before": _shown(self.reading.before),
                "after": _shown(self.reading.after),
            },
        }


def _shown(heard: Heard) -> dict[str, float | None]:
    """JSON has no infinities: silence is null."""
    levels = {"true_peak_dbtp": heard.true_peak_dbtp, "short_term_lufs": heard.short_term_lufs}
    return {name: round(level, 2) if math.isfinite(level) else None for name, level in levels.items()}


StreamEvent = (
    FingerprintProgress
    | StreamStarted
    | PlanChanged
    | AudioFrame
    | StreamFailed
    | StreamEnded
    | RequestRefused
)
