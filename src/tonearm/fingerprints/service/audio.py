"""Audio that comes as messages, measured as if it were a file."""

from typing import Final

import numpy as np
from google.protobuf.message import DecodeError as MalformedMessage

from tonearm.analysis.extract import Extractor
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.model.audio import Block
from tonearm.model.errors import DecodeError
from tonearm.model.measures import Analysis

LONGEST_S: Final = 24 * 3600


class AudioMeasurement:
    """One track, message by message.

    Args:
        first: a serialised AudioBlock that says what the others are like.
        longest_s: so many seconds are one track at most.

    Raises:
        DecodeError: here and in ``process``: not a block, not of a supported rate or channels, not whole
            frames, unlike the first block, or more than ``longest_s``.
    """

    def __init__(self, first: bytes, longest_s: int = LONGEST_S) -> None:
        block = _parsed(first)
        try:
            self._extractor = Extractor(block.rate, block.channels, block.layout)
        except ValueError as error:
            raise DecodeError(str(error)) from error
        self._rate, self._channels = block.rate, block.channels
        self._longest = longest_s * block.rate
        self._frames = 0
        self._take(block)

    @property
    def frames(self) -> int:
        """How many were measured."""
        return self._frames

    def process(self, message: bytes) -> None:
        """Measure the next serialised AudioBlock."""
        block = _parsed(message)
        if (block.rate or self._rate, block.channels or self._channels) != (self._rate, self._channels):
            raise DecodeError(
                f"changes from {self._rate} Hz, {self._channels} channels"
                f" to {block.rate} Hz, {block.channels} channels"
            )
        self._take(block)

    def finish(self) -> Analysis:
        """As ``Extractor.finish``."""
        return self._extractor.finish()

    def _take(self, block: pb.AudioBlock) -> None:
        samples = self._samples(block.f32le)
        self._frames += len(samples)
        if self._frames > self._longest:
            raise DecodeError(f"more than {self._longest} frames of audio")
        self._extractor.process(samples)

    def _samples(self, f32le: bytes) -> Block:
        if len(f32le) % (4 * self._channels):
            raise DecodeError(f"{len(f32le)} bytes are not whole frames of {self._channels} floats")
        return np.frombuffer(f32le, "<f4").reshape(-1, self._channels)


def _parsed(message: bytes) -> pb.AudioBlock:
    block = pb.AudioBlock()
    try:
        block.ParseFromString(message)
    except MalformedMessage as error:
        raise DecodeError(f"not an AudioBlock: {error}") from error
    return block
