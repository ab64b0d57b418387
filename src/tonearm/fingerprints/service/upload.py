"""A track decoded here, as messages for a server that does not see its file."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, Protocol, TypeVar

import grpc

from tonearm.audio.signature import file_signature
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.model.audio import AudioInfo, Block
from tonearm.model.errors import FileMissing, TonearmError
from tonearm.model.track import Track

READ_FRAMES: Final = 65_536
MESSAGE_BYTES: Final = 48 * 1024
"""A server takes messages of 64 KiB."""

T = TypeVar("T")


class AudioReader(Protocol):
    """A file being decoded. Calls block; ``read`` raises DecodeError and returns 0 frames at the end."""

    @property
    def info(self) -> AudioInfo: ...

    def read(self, frames: int, /) -> Block: ...

    def close(self) -> None: ...


OpenAudio = Callable[[Path], AudioReader]
"""Opens a file; blocks. Raises FileMissing and DecodeError."""


class Upload:
    """One track on its way, a piece at a time: nothing is decoded before the last piece was taken.

    Args:
        open_audio: the decoder.
        executor: where it runs.
        track: what to send.
        background: as in ``FingerprintClient.measure_stream``.

    Attributes:
        wanted: set by whoever reads the replies, once the server has a worker for the track: the first
            message goes ahead, the others wait for that.
        failure: what ended it on this side, if anything did.
        cut_off: the server ended it amid the audio that it had wanted. grpc.aio often loses the status
            then (https://github.com/grpc/grpc/issues/36066).
    """

    def __init__(self, open_audio: OpenAudio, executor: Executor, track: Track, *, background: bool) -> None:
        self._open_audio = open_audio
        self._executor = executor
        self._track = track
        self._background = background
        self._reader: AudioReader | None = None
        self.wanted = asyncio.Event()
        self.failure: TonearmError | None = None
        self.cut_off = False

    async def feed(self, call: grpc.aio.StreamStreamCall) -> None:
        """Send the whole track; a failure here cancels the call."""
        messages = self._messages()
        try:
            async for message in messages:
                await call.write(message)
                await self.wanted.wait()
            await call.done_writing()
        except TonearmError as error:
            self.failure = error
            call.cancel()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The server has ended the call, as whoever reads from it is told.
            self.cut_off = self.wanted.is_set()
        finally:
            await messages.aclose()

    async def _messages(self) -> AsyncGenerator[pb.AudioBlock, None]:
        try:
            reader = await self._in_pool(self._open)
            size = MESSAGE_BYTES // (4 * reader.info.format.channels)
            while len(block := await self._in_pool(lambda: reader.read(READ_FRAMES))):
                for start in range(0, len(block), size):
                    yield self._message(reader.info, block[start : start + size])
            await self._in_pool(self._check_signature)
        finally:
            if self._reader is not None:
                await self._in_pool(self._reader.close)

    def _message(self, info: AudioInfo, samples: Block) -> pb.AudioBlock:
        return pb.AudioBlock(
            f32le=samples.astype("<f4", copy=False).tobytes(),
            rate=info.format.rate,
            channels=info.format.channels,
            layout=info.channel_layout,
            track_id=self._track.id,
            background=self._background,
        )

    def _open(self) -> AudioReader:
        self._check_signature()
        self._reader = self._open_audio(self._track.path)
        return self._reader

    def _check_signature(self) -> None:
        """Before, so that no other file is measured; after, so that none was while it changed."""
        if file_signature(self._track.path) != self._track.signature:
            raise FileMissing(f"{self._track.path}: is not the file that was scanned")

    async def _in_pool(self, call: Callable[[], T]) -> T:
        """Run a blocking call to its end even if nobody waits any more: a file must not be closed amid
        a read."""
        running = asyncio.get_running_loop().run_in_executor(self._executor, call)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait({running})
            raise
