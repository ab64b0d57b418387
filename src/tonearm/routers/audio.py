"""``GET /api/tracks/{id}/audio``: the same sound over HTTP, or the untouched file."""

from collections.abc import Callable
from contextlib import aclosing
from enum import StrEnum
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tonearm.audio.streamed import StreamKind
from tonearm.model.errors import TonearmError
from tonearm.model.plan import Level, Preset
from tonearm.model.preferences import Preferences
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import BadMessage, Transport
from tonearm.routers.parameters import Intensity, TrackId
from tonearm.routers.ports import Rendition, Renditions
from tonearm.routers.problems import problem
from tonearm.routers.ranges import RangeBeyondEndError, wanted_part
from tonearm.routers.slots import StreamSlots
from tonearm.routers.transfer import Transfers

LONGEST_START_S: Final = 1e6

log = structlog.get_logger()

Start = Annotated[float, Query(ge=0.0, le=LONGEST_START_S, allow_inf_nan=False)]


class Format(StrEnum):
    """What a client may ask for; ``raw`` is the file as it lies there."""

    FLAC = "flac"
    OPUS = "opus"
    MP3 = "mp3"
    WAV = "wav"
    RAW = "raw"


class AudioRouter:
    """Sound over HTTP. Include ``.router``, and call ``.close`` before the server stops.

    Args:
        renditions: what is sent.
        slots: how many streams there may be, shared with the sockets.
        stall_s: how long a client may read nothing. A player that has enough for minutes, or is paused,
            reads nothing for as long.
        preferences: tells what the listener prefers now; returns at once.
    """

    def __init__(
        self,
        renditions: Renditions,
        slots: StreamSlots,
        stall_s: float,
        preferences: Callable[[], Preferences],
    ) -> None:
        self.router = APIRouter(prefix="/api", tags=["audio"])
        self.router.add_api_route(
            "/tracks/{track_id}/audio", self._audio, methods=["GET", "HEAD"], response_class=Response
        )
        self._renditions = renditions
        self._preferences = preferences
        self._transfers = Transfers(slots, stall_s)

    async def close(self) -> None:
        """Break off what is being sent."""
        await self._transfers.close()

    async def _audio(
        self,
        track_id: TrackId,
        preset: Preset | Literal["none"] | None = None,
        intensity: Intensity | None = None,
        level: Level | None = None,
        level_match: bool = False,
        start: Start = 0.0,
        format: Format = Format.FLAC,  # noqa: A002 - the parameter's name on the wire
    ) -> Response:
        """The track mastered and encoded as it goes, or the file itself, with `format=raw`.

        Without `preset`, `intensity` or `level` it is as the listener prefers it (`/api/settings`). With
        `level_match` original and mastered are equally loud; the original is matched with what it would be
        by `intensity` and the preferred preset.
        """
        preferred = self._preferences()
        original = preset == "none" or format is Format.RAW
        unmatched = original and not level_match
        request = StreamRequest(
            track_id=track_id,
            stream_type=StreamType.NORMAL if original else StreamType.ENHANCED,
            preset=preferred.preset if preset in {None, "none"} else Preset(preset),
            intensity=0.0 if unmatched else preferred.intensity if intensity is None else intensity,
            start_position=0.0 if format is Format.RAW else start,
            transport=Transport.BINARY,
            epoch=0,
            level=level or preferred.level,
            level_match=level_match and format is not Format.RAW,
            target_lufs=preferred.target_lufs,
        )

        async def send_it(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                if format is Format.RAW:
                    rendition = await self._renditions.untouched(request)
                else:
                    rendition = await self._renditions.prepare(request, StreamKind(format))
                await _send_sound(rendition, scope, receive, send)
            except BadMessage as error:
                await problem(422, "VALIDATION_ERROR", error.message)(scope, receive, send)

        return self._transfers.response(send_it)


async def _send_sound(rendition: Rendition, scope: Scope, receive: Receive, send: Send) -> None:
    """Send all of it, or the part that is asked for, as soon as the first piece is there."""
    request, tag = Request(scope), f'"{rendition.tag}"'
    headers = {
        "etag": tag,
        "tonearm-state": rendition.state.value,
        "accept-ranges": "bytes" if rendition.divisible else "none",
        "cache-control": "no-cache",
    }
    length = rendition.length
    if tag in request.headers.get("if-none-match", ""):
        await Response(status_code=304, headers=headers)(scope, receive, send)
        return
    part = None
    if rendition.divisible and length is not None and request.headers.get("if-range", tag) == tag:
        try:
            asked = request.headers.get("range") if request.method == "GET" else None
            part = wanted_part(asked, length)
        except RangeBeyondEndError:
            refused = problem(416, "RANGE_NOT_SATISFIABLE", f"There are {length} bytes.")
            refused.headers["content-range"] = f"bytes */{length}"
            await refused(scope, receive, send)
            return
    first, end = part or (0, length)
    if part is not None:
        headers["content-range"] = f"bytes {first}-{part[1] - 1}/{length}"
    if end is not None:
        headers["content-length"] = str(end - first)
    head = Response(status_code=206 if part else 200, headers=headers, media_type=rendition.media_type)
    if end is None:
        del head.headers["content-length"]
    if request.method == "HEAD":
        await send({"type": "http.response.start", "status": head.status_code, "headers": head.raw_headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await _send_pieces(rendition, head, first, end, send)


async def _send_pieces(rendition: Rendition, head: Response, first: int, end: int | None, send: Send) -> None:
    """Raises TonearmError before the first byte; after it, the answer is broken off and left incomplete."""
    start = {"type": "http.response.start", "status": head.status_code, "headers": head.raw_headers}
    begun = False
    async with aclosing(rendition.pieces(first, end)) as pieces:
        try:
            async for piece in pieces:
                if not begun:
                    await send(start)
                begun = True
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TonearmError as error:
            if not begun:
                raise
            log.warning("Sound over HTTP broke off", code=error.code, reason=str(error))
            return
    if not begun:
        await send(start)
    await send({"type": "http.response.body", "body": b""})
