"""The client of the fingerprint service: a track in, an analysis or a typed error out."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tonearm.fingerprints.generator import BACKGROUND_PATIENCE
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.messages import from_reply, probe_from_reply
from tonearm.fingerprints.service.names import CODE_METADATA, SERVICE_NAME
from tonearm.fingerprints.service.paths import to_text
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
}
"""Any other status is ``FingerprintServerFailed``. That includes NOT_FOUND and PERMISSION_DENIED: they
say what the *server* can see (it may stand on another machine, or was given other roots, or the file
has changed since the scan). Whether the file is missing is for the one to say who opens it to play it.
"""


class FingerprintClient:
    """Calls the service at an address that may move.

    Args:
        address: ``host:port``, or a function that gives the present one; an empty address means that
            nothing is listening.
        deadline_s: seconds that one measurement may take, waiting in the queue included.
    """

    def __init__(self, address: Callable[[], str] | str, deadline_s: float) -> None:
        self._address = address if callable(address) else lambda: address
        self._deadline_s = deadline_s
        self._channel: grpc.aio.Channel | None = None
        self._channel_address = ""

    async def measure_stream(
        self, track: Track, *, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        """Have one track measured; the analysis is the last to come, after at most one probe.

        Args:
            background: nobody waits for it; it may take ``BACKGROUND_PATIENCE`` times the deadline.
            probe_first: ask for a probe; a server may have none.

        Raises:
            DecodeError, NotEnoughAudio: the verdict on the file.
            FingerprintServerDown: nothing is listening, or the server vanished; known at once.
            AnalysisFailed: the worker died on the file, or it took more than one file may.
            FingerprintTimeout: the deadline passed.
            FingerprintServerBusy: its queue is full.
            FingerprintServerFailed: it failed, or does not see this state of the file.
            InvalidFingerprint: it answered with numbers that cannot be true.
        """
        request = pb.MeasureRequest(
            path=to_text(track.path),
            signature=str(track.signature),
            track_id=track.id,
            background=background,
            probe_first=probe_first,
        )
        method = (await self._connected()).unary_stream(
            f"/{SERVICE_NAME}/Measure",
            request_serializer=pb.MeasureRequest.SerializeToString,
            response_deserializer=pb.MeasureReply.FromString,
        )
        call = method(request, timeout=self._deadline_s * (BACKGROUND_PATIENCE if background else 1))
        final: pb.MeasureReply | None = None
        try:
            async for reply in call:
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


def _typed(error: grpc.aio.AioRpcError, track: Track) -> TonearmError:
    code = dict(error.trailing_metadata() or ()).get(CODE_METADATA, "")
    kind = _VERDICTS.get(str(code)) or _ERRORS.get(error.code(), FingerprintServerFailed)
    return kind(f"track {track.id}: {error.code().name}: {error.details()}")
