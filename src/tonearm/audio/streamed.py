"""Blocks to FLAC, Ogg Opus, MP3 or WAV bytes as they come, for someone who already listens.

Nothing is written twice, so what a file's head says of its end is said before, or not at all: a WAV
and a FLAC carry their length where it is known; an MP3 carries none, nor the delay of its encoder
(1,105 frames, which are heard as silence before the sound).

WAV holds the very samples, 32-bit float. FLAC holds 24 bits, or 16 where the samples are those of a
16-bit source. Opus and MP3 are as ``formats`` has them.
"""

import struct
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from tonearm.audio.formats import BitDepth, Encoding, encoding_for
from tonearm.audio.packing import packed
from tonearm.model.audio import AudioFormat, Block

FLOAT_BYTES: Final = 4
_UNKNOWN_32: Final = 0xFFFFFFFF
_FLAC_TOTAL_AT: Final = 21
"""Where a FLAC stream's head has its number of frames: 36 bits, the first four in the byte before."""


class StreamKind(StrEnum):
    """What a stream of bytes can be encoded as."""

    FLAC = "flac"
    OPUS = "opus"
    MP3 = "mp3"
    WAV = "wav"

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    StreamKind.FLAC: "audio/flac",
    StreamKind.OPUS: "audio/ogg; codecs=opus",
    StreamKind.MP3: "audio/mpeg",
    StreamKind.WAV: "audio/wav",
}


class WavStream:
    """Encode into a WAV of 32-bit floats: ``head``, then the samples as they are."""

    def __init__(self, sound: AudioFormat, frames: int | None) -> None:
        """``frames`` is the length, or None where it is not known."""
        self._head = wav_head(sound, frames)

    def encode(self, block: Block) -> bytes:
        """The bytes that ``block`` adds."""
        head, self._head = self._head, b""
        return head + np.ascontiguousarray(block, "<f4").tobytes()

    def finish(self) -> bytes:
        """The last bytes."""
        head, self._head = self._head, b""
        return head


def wav_head(sound: AudioFormat, frames: int | None) -> bytes:
    """The 58 bytes before the samples of a WAV of 32-bit floats; a length that does not fit is unknown."""
    frame_bytes = FLOAT_BYTES * sound.channels
    size = _UNKNOWN_32 if frames is None else min(frames * frame_bytes, _UNKNOWN_32)
    total = min(size + 50, _UNKNOWN_32)
    count = _UNKNOWN_32 if frames is None else min(frames, _UNKNOWN_32)
    form = struct.pack(
        "<HHIIHHH", 3, sound.channels, sound.rate, sound.rate * frame_bytes, frame_bytes, 8 * FLOAT_BYTES, 0
    )
    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", total, b"WAVE"),
            struct.pack("<4sI", b"fmt ", len(form)) + form,
            struct.pack("<4sII", b"fact", 4, count),
            struct.pack("<4sI", b"data", size),
        )
    )


WAV_HEAD_BYTES: Final = len(wav_head(AudioFormat(44_100, 2), None))


class _Pipe:
    """Takes what is written, for someone to fetch; it cannot be sought in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def fetch(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class PackedStream:
    """Encode with FFmpeg, into a container that is never sought in.

    Args:
        encoding: the kind.
        sound: rate and channels (at most 2) of the blocks; a rate that the encoder does not take is
            resampled.
        head: sees the first bytes that come out, and may put others of the same length in their place.
    """

    def __init__(self, encoding: Encoding, sound: AudioFormat, head: Callable[[bytes], bytes]) -> None:
        self._encoding, self._rate = encoding, sound.rate
        self._layout = "mono" if sound.channels == 1 else "stereo"
        self._head: Callable[[bytes], bytes] | None = head
        self._frames = 0
        self._pipe = _Pipe()
        self._container = av.open(self._pipe, "w", format=encoding.muxer, options=_muxer_options(encoding))
        self._stream = cast(
            AudioStream, self._container.add_stream(encoding.encoder, rate=encoding.rate_for(sound.rate))
        )
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = encoding.sample_format
        self._stream.codec_context.options = encoding.encoder_options_for(sound.channels)
        self._container.start_encoding()

    def encode(self, block: Block) -> bytes:
        """The bytes that are ready after ``block``; some may come later."""
        if len(block):
            sample_format = self._encoding.sample_format.removesuffix("p")
            values = packed(block, sample_format, self._frames, dithered=False).reshape(1, -1)
            frame = AudioFrame.from_ndarray(values, sample_format, self._layout)
            frame.rate = self._rate
            frame.pts = self._frames
            self._frames += len(block)
            self._send(frame)
        return self._fetched()

    def finish(self) -> bytes:
        """The last bytes."""
        self._send(None)
        self._container.close()
        return self._fetched()

    def _send(self, frame: AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def _fetched(self) -> bytes:
        data = self._pipe.fetch()
        if data and self._head is not None:
            data, self._head = self._head(data), None
        return data


def stream_encoder(
    kind: StreamKind, sound: AudioFormat, frames: int | None, *, sixteen_bits: bool
) -> WavStream | PackedStream:
    """An encoder that gives out bytes as it gets blocks, float32 [frames, channels].

    Args:
        kind: of the bytes.
        sound: of the blocks, at most 2 channels.
        frames: how many will come, or None where that is not known.
        sixteen_bits: the samples are those of a source of at most 16 bits, so FLAC needs no more.
    """
    if kind is StreamKind.WAV:
        return WavStream(sound, frames)
    depth = BitDepth.INT16 if sixteen_bits else BitDepth.INT24
    encoding = encoding_for(Path(f"stream.{kind.value}"), depth)
    if kind is not StreamKind.FLAC or frames is None:
        return PackedStream(encoding, sound, bytes)
    return PackedStream(encoding, sound, lambda head: _with_total(head, frames))


def _muxer_options(encoding: Encoding) -> dict[str, str]:
    # A page of Ogg would otherwise hold a second back.
    early = {"page_duration": "100000"} if encoding.muxer == "opus" else {}
    return {"flush_packets": "1", **early}


def _with_total(head: bytes, frames: int) -> bytes:
    """The head of a FLAC stream with its number of frames put in; left alone where that does not fit."""
    if len(head) < _FLAC_TOTAL_AT + 5 or frames >= 1 << 36:
        return head
    total = frames.to_bytes(5, "big")
    changed = bytearray(head)
    changed[_FLAC_TOTAL_AT : _FLAC_TOTAL_AT + 5] = bytes((head[_FLAC_TOTAL_AT] & 0xF0 | total[0], *total[1:]))
    return bytes(changed)
