"""Streams of numbered samples, and what must hold of whatever a client was sent."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tonearm.model.plan import MasteringState
from tonearm.model.stream import Heard, MeterReading
from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import AudioFrame, FrameGrid, StreamEvent, pack
from tonearm.protocol.messages import EndReason, PlanChanged, StreamEnded, StreamRequest, StreamStarted

RATE = 8_000
READING = MeterReading(Heard(-3.0, -20.0), Heard(-1.0, -14.0), 0.5)


def ramp(first: int, frames: int) -> np.ndarray:
    """Samples that tell which frame they are."""
    numbers = np.arange(first, first + frames, dtype=np.float32)
    return np.stack([numbers, -numbers], axis=1)


@dataclass
class Numbers:
    """Streams of numbered samples, as fast as they are taken."""

    length: int = 25 * RATE
    cleanup_s: float = 0.0
    running: int = 0
    most_running: int = 0
    made: int = 0

    async def stream_enhanced_audio(
        self, request: StreamRequest, flow: Flow
    ) -> AsyncGenerator[StreamEvent, None]:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            start = round(request.start_position * RATE)
            yield StreamStarted(
                request=request,
                rate=RATE,
                channels=2,
                start_frame=start,
                total_frames=self.length,
                duration_exact=True,
                mastering_state=MasteringState.FINGERPRINT,
            )
            yield PlanChanged(request.track_id, request.epoch, {"state": "fingerprint"})
            grid = FrameGrid(RATE, start, self.length)
            while grid.position < self.length:
                position, frames = grid.position, min(grid.next_frames, self.length - grid.position)
                samples = pack(ramp(position, frames), request, position, dithered=False)
                self.made += 1
                yield AudioFrame(request, grid.place(frames), frames, 2, samples, READING)
                await asyncio.sleep(0)
            yield StreamEnded(
                track_id=request.track_id,
                stream_type=request.stream_type,
                epoch=request.epoch,
                total_frames=self.length,
                rate=RATE,
                reason=EndReason.COMPLETED,
            )
        finally:
            if self.cleanup_s:
                await asyncio.sleep(self.cleanup_s)
            self.running -= 1

    stream_normal_audio = stream_enhanced_audio


ENDLESS = 2**31
"""More frames than any test reads."""


def assert_streams_are_told_apart(seen: Sequence[tuple[str, Any]]) -> None:
    """One start, frames of that epoch alone, one end with the frames that came; epochs grow."""
    playing, last, received = None, 0, 0
    for kind, data in seen:
        if kind == "audio_stream_start":
            assert playing is None, "a stream starts before the earlier one has ended"
            assert data["stream_epoch"] > last
            playing = last = data["stream_epoch"]
            received = round(data["start_position"] * data["sample_rate"])
        elif kind == "frame":
            assert data.data["stream_epoch"] == playing
            received += len(data.samples)
        elif kind == "audio_stream_end":
            assert data["stream_epoch"] == playing
            assert data["total_samples"] == received
            playing = None
    assert playing is None
