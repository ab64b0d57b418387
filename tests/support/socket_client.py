"""A WebSocket server in the test's own event loop, and a client that reads as the protocol is written."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect

from tonearm.model.preferences import Preferences
from tonearm.protocol.heard import Heard
from tonearm.routers.connection import Streams, Times
from tonearm.routers.guard import Guard
from tonearm.routers.metrics import Metrics
from tonearm.routers.system import SocketRouter, build_socket_router
from tonearm.routers.web_server import WebServer


@dataclass
class Served:
    """A running server: its port, its sockets, what it counted, and the way to stop it."""

    port: int
    sockets: SocketRouter
    web: WebServer
    registry: CollectorRegistry

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"


class Unwritten:
    """A history that nobody reads."""

    def heard(self, heard: Heard) -> None:
        """Nothing is kept."""


@asynccontextmanager
async def serving(
    streams: Streams,
    *,
    streams_total: int = 8,
    streams_per_client: int = 8,
    times: Times | None = None,
    allow_hosts: Iterable[str] = (),
) -> AsyncIterator[Served]:
    registry = CollectorRegistry()
    sockets = build_socket_router(
        streams,
        streams_total=streams_total,
        streams_per_client=streams_per_client,
        times=times or Times(),
        counts=Metrics(registry),
        history=Unwritten(),
        preferences=Preferences,
    )
    app = FastAPI()
    app.include_router(sockets.router)
    web = WebServer(Guard(app, allow_hosts, None), lambda: sockets.close(1.0))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(web.serve(sockets=[listener]))
        while not web.started:
            await asyncio.sleep(0.005)
        try:
            yield Served(listener.getsockname()[1], sockets, web, registry)
        finally:
            web.should_exit = True
            await asyncio.wait_for(task, 10)


@dataclass
class Frame:
    """One frame of sound as it arrived: what was said of it, and its samples [frames, channels]."""

    data: dict[str, Any]
    samples: np.ndarray


@dataclass
class Client:
    """Reads messages; a binary one is joined to the meta that must stand right before it."""

    socket: ClientConnection
    channels: int = 2
    seen: list[tuple[str, Any]] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, **options: Any) -> AsyncIterator[Self]:
        async with connect(url, compression=None, max_size=None, close_timeout=0.5, **options) as opened:
            yield cls(opened)

    async def say(self, kind: str, **data: object) -> None:
        await self.socket.send(json.dumps({"type": kind, "data": data}))

    async def next(self, timeout_s: float = 5.0) -> tuple[str, Any]:
        """(type, data) of the next message; sound comes as ("frame", Frame)."""
        async with asyncio.timeout(timeout_s):
            text = await self.socket.recv()
            assert isinstance(text, str), "binary data that no meta announced"
            message = json.loads(text)
            kind, data = message["type"], message.get("data", message)
            if kind == "audio_stream_start":
                self.channels = data["channels"]
            if kind == "audio_chunk":
                raw = base64.b64decode(data.pop("samples"), validate=True)
                assert len(raw) == 4 * data["sample_count"] * self.channels
                kind, data = "frame", self._frame(data, raw)
            elif kind == "audio_chunk_meta":
                raw = await self.socket.recv()
                assert isinstance(raw, bytes), "something stands between a meta and its payload"
                assert len(raw) == 4 * data["sample_count"]
                kind, data = "frame", self._frame(data, raw)
        self.seen.append((kind, data))
        return kind, data

    async def until(self, *kinds: str, timeout_s: float = 5.0) -> Any:
        """Read up to a message of one of these types; its data."""
        while True:
            kind, data = await self.next(timeout_s)
            if kind in kinds:
                return data

    async def rest(self, quiet_s: float) -> list[tuple[str, Any]]:
        """Everything that comes until nothing has come for so long."""
        arrived = []
        while True:
            try:
                arrived.append(await self.next(quiet_s))
            except TimeoutError:
                return arrived

    def samples(self) -> np.ndarray:
        return np.concatenate([data.samples for kind, data in self.seen if kind == "frame"])

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.seen]

    def _frame(self, data: dict[str, Any], raw: bytes) -> Frame:
        return Frame(data, np.frombuffer(raw, "<f4").reshape(-1, self.channels))
