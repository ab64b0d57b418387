"""uvicorn's WebSocket protocol, for clients that mean harm or do not read.

A transport that is closed waits until its buffer has been read, for ever if the client reads
nothing. Here the application can abort it, by the scope's extension ``tonearm.transport``, and a
connection that did not answer a ping or a close is aborted.

A single read may hold tens of thousands of small frames, and uvicorn would go through all of them at
once. Here they are gone through in slices, and every other connection has its turn in between.
"""

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION: Final = "tonearm.transport"
LINGER_S: Final = 15.0
"""Longer than uvicorn waits for the client's half of the closing handshake."""

SLICE_BYTES: Final = 2048
"""So much is taken in at a time: at most 340 frames, 4 ms."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Give this class to uvicorn as ``ws``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = bytearray()
        self._due = False
        self._pong = b""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = {"abort": self.transport.abort}

    def data_received(self, data: bytes) -> None:
        """Take in one slice now and the rest later; nothing more is read before that is done."""
        if not self.handshake_initiated:
            # The request's head, which uvicorn hands over whole.
            super().data_received(data)
            return
        self._unread += data
        if not self._due:
            self._take_slice()

    async def receive(self) -> Any:
        """The next message, and then the turn of what was held back behind it."""
        message = await super().receive()
        if self._unread and not self.read_paused:
            self._schedule()
        return message

    async def send(self, message: Any) -> None:
        """Send; after a close, what was held back may hide the client's own."""
        await super().send(message)
        if self.close_sent and self._unread:
            self._schedule()

    def handle_ping(self) -> None:
        """Answer, unless the client does not read: then only the latest, when it reads again."""
        if pong := b"".join(self.conn.data_to_send()):
            self._pong = pong
        if self.writable.is_set():
            self._answer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._answer()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def _answer(self) -> None:
        pong, self._pong = self._pong, b""
        if pong:
            self.transport.write(pong)

    def _schedule(self) -> None:
        self.transport.pause_reading()
        if not self._due:
            self._due = True
            self.loop.call_soon(self._take_slice)

    def _take_slice(self) -> None:
        self._due = False
        if self.transport.is_closing():
            self._unread.clear()
            return
        if self.read_paused:
            # The application has not fetched the last message yet; ``receive`` goes on from here.
            return
        piece = bytes(self._unread[:SLICE_BYTES])
        del self._unread[:SLICE_BYTES]
        super().data_received(piece)
        if self.read_paused or self.transport.is_closing():
            return
        if self._unread:
            self._schedule()
        else:
            self.transport.resume_reading()
