"""uvicorn's WebSocket protocol, with a way to drop a client that does not read.

A transport that is closed waits until its buffer has been read, for ever if the client reads
nothing. Here the application can abort it, by the scope's extension ``tonearm.transport``, and a
connection that did not answer a ping or a close is aborted.
"""

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION: Final = "tonearm.transport"
LINGER_S: Final = 15.0
"""Longer than uvicorn waits for the client's half of the closing handshake."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Give this class to uvicorn as ``ws``."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = {"abort": self.transport.abort}

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(LINGER_S, self.transport.abort)
