"""The WebSocket ``/ws``: who connects, and how all of them are sent away.

Whether a page may connect at all (Origin, Host, token) is settled before, by ``guard.Guard``.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, WebSocket

from tonearm.model.preferences import Preferences
from tonearm.protocol.messages import error_text
from tonearm.protocol.news import News
from tonearm.protocol.requests import BadMessage, ErrorKind, Transport
from tonearm.protocol.session import Session
from tonearm.routers.connection import GOING_AWAY, Connection, Counts, History, Streams, Times
from tonearm.routers.slots import StreamSlots

DEFAULT_TRANSPORT: Final = Transport.BASE64


class SocketRouter:
    """``/ws`` and the connections on it."""

    def __init__(
        self,
        streams: Streams,
        slots: StreamSlots,
        times: Times,
        counts: Counts,
        history: History,
        preferences: Callable[[], Preferences],
    ) -> None:
        self.router = APIRouter()
        self.router.add_api_websocket_route("/ws", self._serve)
        self._streams = streams
        self._slots = slots
        self._times = times
        self._counts = counts
        self._history = history
        self._preferences = preferences
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._closing = False

    @property
    def connected(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def tell(self, news: News) -> None:
        """Tell every client; on the loop."""
        for connection in self._connections:
            connection.tell(news)

    async def close(self, patience_s: float) -> None:
        """End every stream, close every connection; clients that do not read are dropped at last."""
        self._closing = True
        for connection in self._connections:
            connection.send_away()
        tasks = list(self._connections.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)
        for connection, task in list(self._connections.items()):
            connection.abort()
            task.cancel()

    async def _serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        if self._closing:
            await websocket.close(GOING_AWAY.code, GOING_AWAY.reason)
            return
        asked = websocket.query_params.get("transport", DEFAULT_TRANSPORT)
        known = asked in set(Transport)
        if not known:
            choices = " or ".join(Transport)
            error = BadMessage(
                ErrorKind.VALIDATION, f"transport must be {choices}; it is {DEFAULT_TRANSPORT} now"
            )
            await websocket.send_text(error_text(error))
        session = Session(Transport(asked) if known else DEFAULT_TRANSPORT, self._preferences)
        connection = Connection(
            websocket,
            session,
            self._streams,
            self._slots,
            self._times,
            self._counts,
            self._history,
            time.monotonic,
        )
        running = asyncio.create_task(connection.run())
        self._connections[connection] = running
        try:
            await running
        finally:
            del self._connections[connection]


def build_socket_router(
    streams: Streams,
    *,
    streams_total: int,
    streams_per_client: int,
    times: Times,
    counts: Counts,
    history: History,
    preferences: Callable[[], Preferences],
) -> SocketRouter:
    """The WebSocket with its limits; include ``.router``, and call ``.close`` before the server stops."""
    slots = StreamSlots(streams_total, streams_per_client)
    return SocketRouter(streams, slots, times, counts, history, preferences)
