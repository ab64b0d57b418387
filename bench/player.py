"""One listener who reads whatever comes: the binary transport, as fast as it is sent."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from websockets.sync.client import ClientConnection, connect

_PATIENCE_S: Final = 60.0


class Player:
    """A connection on which one stream follows another."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    @contextmanager
    def of(cls, port: int) -> Iterator[Self]:
        url = f"ws://127.0.0.1:{port}/ws?transport=binary"
        with connect(url, max_size=None, compression=None) as socket:
            yield cls(socket)

    def say(self, kind: str, **data: object) -> None:
        self._socket.send(json.dumps({"type": kind, "data": data}))

    def first_frame(self, kind: str, **data: object) -> tuple[float, str]:
        """Say it; seconds to the first sound of the new stream, and on what that rests.

        Raises:
            RuntimeError: the stream failed.
        """
        state = ""
        asked = time.perf_counter()
        self.say(kind, **data)
        while True:
            told, values = self.next()
            if told == "audio_stream_start":
                state = values["mastering_state"]
            elif told == "audio_chunk_meta" and state:
                return time.perf_counter() - asked, state

    def next(self) -> tuple[str, dict[str, Any]]:
        """Type and data of the next message; sound has arrived with what is said of it, and is dropped.

        Raises:
            RuntimeError: a stream failed.
        """
        message = json.loads(self._socket.recv(_PATIENCE_S))
        kind, data = message["type"], message.get("data", message)
        if kind == "audio_chunk_meta":
            self._socket.recv(_PATIENCE_S)
        elif kind in {"audio_stream_error", "error"}:
            raise RuntimeError(f"{kind}: {data}")
        return kind, data

    def until(self, kind: str, **wanted: object) -> dict[str, Any]:
        """Read up to a message of this type in which these values stand."""
        while True:
            told, data = self.next()
            if told == kind and wanted.items() <= data.items():
                return data

    def stop(self) -> None:
        self.say("stop")
        self.until("playback_stopped")
