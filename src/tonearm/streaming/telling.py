"""The words of a stream that are put together here: its start, its progress, its failure."""

from typing import Final

import structlog

from tonearm.model.errors import TonearmError
from tonearm.protocol.messages import (
    FingerprintProgress,
    FingerprintStatus,
    StreamFailed,
    StreamRequest,
    StreamStarted,
    StreamType,
)
from tonearm.protocol.requests import BadMessage, ErrorKind
from tonearm.streaming.decisions import Asked, Sound
from tonearm.streaming.ports import StreamRenderer

FIRST_IMPRESSION: Final = "Playing from a first impression of this track while all of it is measured."
STILL_ANALYZING: Final = "Measuring takes a while."
NOT_SERVING: Final = "The fingerprint server does not answer or is not ready yet."

log = structlog.get_logger()


def progress(request: StreamRequest, status: FingerprintStatus, message: str) -> FingerprintProgress:
    """How the fingerprint comes along."""
    return FingerprintProgress(request.track_id, status, message, request.stream_type)


def failed(request: StreamRequest, error: TonearmError, position_s: float | None) -> StreamFailed:
    """Why a stream does not start or go on; ``position_s`` is where it could be taken up."""
    return StreamFailed(
        track_id=request.track_id,
        code=error.code,
        sentence=error.sentence,
        stream_type=request.stream_type,
        epoch=request.epoch,
        recovery_position=position_s,
    )


def started(asked: Asked, renderer: StreamRenderer, sound: Sound) -> StreamStarted:
    """The start of a stream, from a renderer that stands where it begins."""
    return StreamStarted(
        request=asked.request,
        rate=renderer.format.rate,
        channels=renderer.format.channels,
        start_frame=renderer.position,
        total_frames=renderer.info.frames if sound.frames is None else sound.frames,
        duration_exact=sound.frames is not None or renderer.info.frames_exact,
        mastering_state=renderer.plan.state,
        level=asked.target.level,
        level_match_gain_db=sound.match_gain_db,
        joint=asked.joint or renderer.joint,
    )


def beyond_end(start: StreamStarted) -> BadMessage:
    """A stream that would begin where there is nothing."""
    return BadMessage(
        ErrorKind.VALIDATION,
        f"position {start.request.start_position:g} s lies at or beyond the end of track "
        f"{start.request.track_id}, which is {start.total_frames / start.rate:.3f} s long",
    )


def log_start(start: StreamStarted) -> None:
    """Tell the operator."""
    request = start.request
    enhanced = request.stream_type is StreamType.ENHANCED
    log.info(
        "Starting audio stream",
        track_id=request.track_id,
        preset=request.preset.value if enhanced else "none",
        intensity=request.intensity if enhanced else 0.0,
        chunks=start.total_chunks,
        state=start.mastering_state.value,
        start_position=start.start_frame / start.rate,
    )
