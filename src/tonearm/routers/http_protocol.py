"""uvicorn's HTTP protocol with limits: uvicorn takes heads of any length, and waits for ever for their end.

What is asked here is small. A head of more than ``LARGEST_HEAD`` bytes is refused, and a request that
has not arrived whole after ``PATIENCE_S`` is dropped, before a program that opens connections and says
little on them has taken all that there may be. How large a body may be is for ``guard`` to say.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION: Final = "tonearm.transport"
"""The scope's extension by which the application can drop a client that does not read."""

LARGEST_HEAD: Final = 64 * 1024
"""Counted from the second read on; the first may hold 250 KB."""

PATIENCE_S: Final = 10.0

_TOO_LARGE: Final = (
    f"HTTP/1.1 {HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE.value} Request Header Fields Too Large\r\n"
    "content-length: 0\r\nconnection: close\r\n\r\n"
).encode()


class HttpProtocol(HttpToolsProtocol):
    """Give this class to uvicorn as ``http``."""

    patience_s: ClassVar[float] = PATIENCE_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_bytes = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        in_head = self._in_head
        super().data_received(data)
        if in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # A transport that is closed waits until its buffer has been read; the application may not.
        self.scope["extensions"] = {EXTENSION: {"abort": self.transport.abort}}
        self._in_head, self._head_bytes = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.patience_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
