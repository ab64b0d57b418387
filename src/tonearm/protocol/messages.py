"""What the server says: events of a stream as typed values, each with its text on the wire.

A stream is a sequence of events: ``FingerprintProgress*``, ``StreamStarted``, ``PlanChanged``,
``AudioFrame*`` (``frames.py``), ``StreamEnded``; ``StreamFailed`` may come at any point. Frames are
sample frames, positions and durations on the wire are seconds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tonearm.model.plan import DEFAULT_TARGET_LUFS, Level, MasteringState, Preset
from tonearm.model.stream import Joint
from tonearm.protocol.requests import BadMessage, SampleFormat, Transport

CHUNK_S: Final = 10


class StreamType(StrEnum):
    ENHANCED = "enhanced"
    NORMAL = "normal"


class EndReason(StrEnum):
    COMPLETED = "completed"
    STOPPED = "stopped"
    ERRORED = "errored"


class FingerprintStatus(StrEnum):
    CACHED = "cached"
    ANALYZING = "analyzing"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """One stream to make, with everything a client may leave out filled in.

    Attributes:
        preset, intensity, level: of the mastering; a stream of the original keeps them in mind, for
            when it is switched on and for ``level_match``.
        start_position: seconds.
        epoch: larger for each stream of a connection.
        target_lufs: the loudness that the mastering aims at, LUFS.
        level_match: original and mastered sound equally loud; the louder is turned down.
        after_track_id: the track that has just played, and into which this one shall run on.
    """

    track_id: int
    stream_type: StreamType
    preset: Preset
    intensity: float
    start_position: float
    transport: Transport
    epoch: int
    level: Level = "track"
    target_lufs: float = DEFAULT_TARGET_LUFS
    is_seek: bool = False
    sample_format: SampleFormat = SampleFormat.F32LE
    level_match: bool = False
    after_track_id: int | None = None


@dataclass(frozen=True, slots=True)
class FingerprintProgress:
    """How the fingerprint of a track that is being played is coming along."""

    track_id: int
    status: FingerprintStatus
    message: str
    stream_type: StreamType

    def text(self) -> str:
        return envelope(
            "fingerprint_progress",
            {
                "track_id": self.track_id,
                "status": self.status,
                "message": self.message,
                "stream_type": self.stream_type,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStarted:
    """The first word of a stream.

    Attributes:
        total_frames: an estimate unless ``duration_exact``.
        level: whose loudness the mastering brings to its target, as things stand.
        level_match_gain_db: what level matching turns this stream down by, dB <= 0; None where the
            loudness is not known (yet).
        joint: how it joins the track before, where one was named.
    """

    request: StreamRequest
    rate: int
    channels: int
    start_frame: int
    total_frames: int
    duration_exact: bool
    mastering_state: MasteringState
    level: Level = "track"
    level_match_gain_db: float | None = None
    joint: Joint | None = None

    @property
    def total_chunks(self) -> int:
        return -(-self.total_frames // (CHUNK_S * self.rate))

    def text(self) -> str:
        request = self.request
        enhanced = request.stream_type is StreamType.ENHANCED
        data: dict[str, Any] = {
            "track_id": request.track_id,
            "preset": request.preset if enhanced else "none",
            "intensity": request.intensity if enhanced else 0.0,
            "sample_rate": self.rate,
            "channels": self.channels,
            "total_chunks": self.total_chunks,
            "chunk_duration": CHUNK_S,
            "total_duration": self.total_frames / self.rate,
            "stream_type": request.stream_type,
            "stream_epoch": request.epoch,
            "mastering_state": self.mastering_state,
            "start_position": self.start_frame / self.rate,
            "duration_exact": self.duration_exact,
        }
        if enhanced:
            data["level"] = self.level
        if request.level_match:
            data["level_match_gain_db"] = self.level_match_gain_db
        if self.joint is not None:
            data["after_track_id"] = request.after_track_id
            data["gapless"] = self.joint.gapless
            if self.joint.reason:
                data["gapless_reason"] = self.joint.reason
        if request.is_seek:
            data["is_seek"] = True
            data["start_chunk"] = self.start_frame // (CHUNK_S * self.rate)
            data["seek_position"] = request.start_position
        return envelope("audio_stream_start", data)


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """The mastering plan in force from here on, in words and numbers."""

    track_id: int
    epoch: int
    description: Mapping[str, Any]

    def text(self) -> str:
        return envelope(
            "mastering_plan",
            {"track_id": self.track_id, "stream_epoch": self.epoch, **self.description},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFailed:
    """A stream cannot start or go on; the sentence names no path and no cause."""

    track_id: int
    code: str
    sentence: str
    stream_type: StreamType
    epoch: int
    recovery_position: float | None = None

    def text(self) -> str:
        data = {
            "track_id": self.track_id,
            "error": self.sentence,
            "code": self.code,
            "stream_type": self.stream_type,
            "stream_epoch": self.epoch,
        }
        if self.recovery_position is not None:
            data["recovery_position"] = self.recovery_position
        return envelope("audio_stream_error", data)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnded:
    """The last word of a stream that has started.

    ``total_frames``: frames really sent plus those before the start position.
    """

    track_id: int
    stream_type: StreamType
    epoch: int
    total_frames: int
    rate: int
    reason: EndReason

    def text(self) -> str:
        return envelope(
            "audio_stream_end",
            {
                "track_id": self.track_id,
                "total_samples": self.total_frames,
                "duration": self.total_frames / self.rate,
                "stream_type": self.stream_type,
                "stream_epoch": self.epoch,
                "reason": self.reason,
            },
        )


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The request cannot be followed as it stands (a start beyond the end); no stream starts."""

    error: BadMessage

    def text(self) -> str:
        return error_text(self.error)


def envelope(kind: str, data: Mapping[str, Any]) -> str:
    """The JSON text of one message.

    Raises:
        ValueError: a number is not finite, which JSON cannot say.
    """
    return json.dumps({"type": kind, "data": data}, separators=(",", ":"), allow_nan=False)


def error_text(error: BadMessage) -> str:
    """An ``error`` message, which has no ``data``."""
    return json.dumps({"type": "error", "error": error.kind, "message": error.message})


PONG: Final = '{"type":"pong"}'
PING: Final = '{"type":"ping"}'
