"""uvicorn as this program needs it: no compression of sound, and streams that end before connections do."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from tonearm.routers.http_protocol import HttpProtocol
from tonearm.routers.websocket_protocol import WebSocketProtocol

LARGEST_INBOUND: Final = 1 << 20
PING_INTERVAL_S: Final = 30.0
PING_TIMEOUT_S: Final = 20.0
GRACE_S: Final = 1


class WebServer(uvicorn.Server):
    """Serves the application until SIGINT or SIGTERM; a second signal does not wait for anyone.

    ``before_shutdown`` is awaited while clients are still connected, so that they can be told.
    """

    def __init__(self, app: ASGIApp, before_shutdown: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                http=HttpProtocol,
                ws=WebSocketProtocol,
                ws_per_message_deflate=False,
                ws_max_size=LARGEST_INBOUND,
                ws_ping_interval=PING_INTERVAL_S,
                ws_ping_timeout=PING_TIMEOUT_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._before_shutdown = before_shutdown

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; unlike uvicorn, do not raise them again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the clients, then close."""
        await self._before_shutdown()
        await super().shutdown(sockets)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
