"""Requests without end are not waited for, nor kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from uvicorn.server import ServerState

from tonearm.routers.http_protocol import HttpProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


class Hasty(HttpProtocol):
    patience_s = 0.3


class Patient(HttpProtocol):
    patience_s = 60.0


async def _hello(scope, receive, send) -> None:
    length = len(await Request(scope, receive).body())
    await PlainTextResponse(f"{length} bytes")(scope, receive, send)


@asynccontextmanager
async def connected(
    protocol: type[HttpProtocol] = Hasty,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(_hello, http=protocol, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            async with asyncio.timeout(5):
                yield reader, writer
        finally:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server ends the connection."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "half",
    [b"", HEAD, HEAD + b"X: y", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", b"\r\n\r\n"],
)
async def test_half_a_request_is_dropped_after_a_while(half: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(half)
        assert b"200 OK" not in await rest(reader)


async def test_a_drip_of_bytes_does_not_keep_it() -> None:
    async with connected() as (reader, writer):

        async def drip() -> None:
            while not writer.is_closing():
                writer.write(b"a")
                await asyncio.sleep(0.02)

        writer.write(HEAD + b"X: ")
        dripping = asyncio.create_task(drip())
        assert await rest(reader) == b""
        dripping.cancel()


async def test_a_head_without_end_is_refused() -> None:
    sent = 0
    async with connected(Patient) as (reader, writer):
        writer.write(HEAD + b"X: ")
        answered = asyncio.create_task(reader.read(12))
        with pytest.raises(ConnectionError):
            while sent < 1 << 26:
                writer.write(b"a" * 16_384)
                sent += 16_384
                await writer.drain()
                await asyncio.sleep(0)
        assert sent < 1 << 24
        assert await answered == b"HTTP/1.1 431"


async def test_whole_requests_are_answered_however_long_the_connection_lasts() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            writer.write(b"12345")
            assert b"200 OK" in await reader.readuntil(b"5 bytes")
            await asyncio.sleep(0.2)
