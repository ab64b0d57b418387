"""The client of the fingerprint service: a track in, an analysis or a typed error out."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tonearm.fingerprints.generator import BACKGROUND_PATIENCE
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.messages import from_reply, probe_from_reply
from tonearm.fingerprints.service.names import CODE_METADATA, SERVICE_NAME
from tonearm.fingerprints.service.paths import to_text
from tonearm.fingerprints.service.upload import OpenAudio, Upload
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FingerprintServerBusy,
    FingerprintServerDown,
    FingerprintServerFailed,
    FingerprintTimeout,
    NotEnoughAudio,
    TonearmError,
)
from tonearm.model.measures import Analysis
from tonearm.model.probe import Probe
from tonearm.model.track import Track

HEALTH_LIMIT_S: Final = 1.0

_OPTIONS: Final = (
    # A server that has come back is seen within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # An http_proxy in the environment is not meant for this.
    ("grpc.enable_http_proxy", 0),
    # Whoever opens a channel decides about its retries; a failed call is told at once.
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


class _OutOfSight(FingerprintServerFailed):
    """The server does not see this state of the file: it stands on another machine, or was given other
    roots, or the file has changed since the scan."""


_VERDICTS: Final[dict[str, type[TonearmError]]] = {
    error.code: error for error in (AnalysisFailed, AnalysisTooLarge, AnalysisTooLong)
}
"""What the status alone does not tell: a file that takes too long is not a server that is slow."""

_ERRORS: Final[dict[grpc.StatusCode, type[TonearmError]]] = {
    grpc.StatusCode.UNAVAILABLE: FingerprintServerDown,
    grpc.StatusCode.CANCELLED: FingerprintServerDown,
    grpc.StatusCode.DEADLINE_EXCEEDED: FingerprintTimeout,
    grpc.StatusCode.RESOURCE_EXHAUSTED: FingerprintServerBusy,
    grpc.StatusCode.INVALID_ARGUMENT: DecodeError,
    grpc.StatusCode.FAILED_PRECONDITION: NotEnoughAudio,
    grpc.StatusCode.NOT_FOUND: _OutOfSight,
    grpc.StatusCode.PERMISSION_DENIED: _OutOfSight,
}
"""Any other status is ``FingerprintServerFailed``."""

log = structlog.get_logger()


class FingerprintClient:
    """Calls the service at an address that may move.

    Args:
        address: ``host:port``, or a function that gives the present one; an empty address means that
            nothing is listening.
        deadline_s: seconds that one measurement may take, waiting in the queue included.
        open_audio: decodes a file that the server does not see.
        executor: where that is done.
    """

    def __init__(
        self, address: Callable[[], str] | str, deadline_s: float, open_audio: OpenAudio, executor: Executor
    ) -> None:
        self._address = address if callable(address) else lambda: address
        self._deadline_s = deadline_s
        self._open_audio = open_audio
        self._executor = executor
        self._told_out_of_sight = False
        self._channel: grpc.aio.Channel | None = None
        self._channel_address = ""

    async def measure_stream(
        self, track: Track, *, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        """Have one track measured; the analysis is the last to come, after at most one probe.

        A server that does not see the file is sent the audio, decoded here. There is no probe then.

        Args:
            background: nobody waits for it; it may take ``BACKGROUND_PATIENCE`` times the deadline.
            probe_first: ask for a probe; a server may have none.

        Raises:
            DecodeError, NotEnoughAudio: the verdict on the file.
            FingerprintServerDown: nothing is listening, or the server vanished; known at once.
            AnalysisFailed: the worker died on the file, or it took more than one file may.
            FingerprintTimeout: the deadline passed.
            FingerprintServerBusy: its queue is full.
            FingerprintServerFailed: it failed.
            FileMissing: neither the server nor this program sees this state of the file.
            InvalidFingerprint: it answered with numbers that cannot be true.
        """
        try:
            async with aclosing(self._measure_file(track, background, probe_first)) as stages:
                async for stage in stages:
                    yield stage
        except _OutOfSight as error:
            if not self._told_out_of_sight:
                self._told_out_of_sight = True
                log.warning(
                    "Fingerprint server does not see the files, it is sent the audio", cause=str(error)
                )
            async with aclosing(self._measure_audio(track, background)) as stages:
                async for stage in stages:
                    yield stage

    async def healthy(self) -> bool:
        """Whether the service says SERVING, within a second."""
        try:
            stub = health_pb2_grpc.HealthStub(await self._connected())
            request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
            reply = await stub.Check(request, timeout=HEALTH_LIMIT_S)
        except (grpc.aio.AioRpcError, FingerprintServerDown):
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def _measure_file(
        self, track: Track, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        method = (await self._connected()).unary_stream(
            f"/{SERVICE_NAME}/Measure",
            request_serializer=pb.MeasureRequest.SerializeToString,
            response_deserializer=pb.MeasureReply.FromString,
        )
        request = pb.MeasureRequest(
            path=to_text(track.path),
            signature=str(track.signature),
            track_id=track.id,
            background=background,
            probe_first=probe_first,
        )
        call = method(request, timeout=self._limit_s(background))
        async with aclosing(_stages(call, track, asyncio.Event())) as stages:
            async for stage in stages:
                yield stage

    async def _measure_audio(self, track: Track, background: bool) -> AsyncGenerator[Probe | Analysis, None]:
        method = (await self._connected()).stream_stream(
            f"/{SERVICE_NAME}/MeasureAudio",
            request_serializer=pb.AudioBlock.SerializeToString,
            response_deserializer=pb.MeasureReply.FromString,
        )
        call = method(timeout=self._limit_s(background))
        upload = Upload(self._open_audio, self._executor, track, background=background)
        feeding = asyncio.create_task(upload.feed(call))
        try:
            async with aclosing(_stages(call, track, upload.wanted)) as stages:
                async for stage in stages:
                    yield stage
        except FingerprintServerDown:
            # A cancelled call looks like a lost one.
            if upload.failure is not None:
                raise upload.failure from None
            raise
        except FingerprintServerFailed as error:
            # What the decoder gives is good audio: it was the worker that ended.
            if upload.cut_off and type(error) is FingerprintServerFailed:
                raise AnalysisFailed(f"track {track.id}: the server ended the call amid the audio") from error
            raise
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    def _limit_s(self, background: bool) -> float:
        return self._deadline_s * (BACKGROUND_PATIENCE if background else 1)

    async def _connected(self) -> grpc.aio.Channel:
        """A channel to the present address. It connects by itself, and again when it has to."""
        address = self._address()
        if not address:
            raise FingerprintServerDown("no fingerprint server is listening")
        if self._channel is None or address != self._channel_address:
            stale, self._channel = self._channel, grpc.aio.insecure_channel(address, _OPTIONS)
            self._channel_address = address
            if stale is not None:
                await stale.close()
        return self._channel


async def _stages(
    call: grpc.aio.Call, track: Track, answered: asyncio.Event
) -> AsyncGenerator[Probe | Analysis, None]:
    """What the replies to one call say; its errors as typed ones. Closing the iterator ends the call.

    ``answered`` is set by the first reply.
    """
    final: pb.MeasureReply | None = None
    try:
        async for reply in call:
            answered.set()
            if reply.HasField("probe"):
                yield probe_from_reply(reply)
            elif reply.HasField("result"):
                final = reply
    except grpc.aio.AioRpcError as error:
        raise _typed(error, track) from error
    except asyncio.CancelledError as error:
        # Closing the channel looks the same as a cancel of the one who asked.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise FingerprintServerDown(f"track {track.id}: the connection was closed") from error
    finally:
        call.cancel()
    if final is None:
        raise FingerprintServerFailed(f"track {track.id}: the reply ended without a result")
    yield from_reply(final)


def _typed(error: grpc.aio.AioRpcError, track: Track) -> TonearmError:
    code = dict(error.trailing_metadata() or ()).get(CODE_METADATA, "")
    kind = _VERDICTS.get(str(code)) or _ERRORS.get(error.code(), FingerprintServerFailed)
    return kind(f"track {track.id}: {error.code().name}: {error.details()}")
