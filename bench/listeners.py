"""Many listeners in one process: ``python -m bench.listeners PORT``, told what to do on standard input.

Each is a WebSocket of its own (binary transport) that does what a player does and no more: it plays in
real time, says ``buffer_full`` and ``buffer_ready``, goes on to another track at the end. Samples are
counted, not kept, so that the process leaves the cores to the server.

A line in is an ``Order`` as JSON, a line out a ``Report``. An underrun is a moment at which what had
arrived was played out before more came; the player then waits and goes on.
"""

import asyncio
import base64
import json
import math
import os
import random
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

FULL_S: Final = 14.8
"""The ring of the original clients: 1,310,720 values."""

READY_S: Final = 10.0
SILENT_S: Final = 20.0
BYTES_PER_VALUE: Final = 4
_SCRATCH: Final = bytearray(1 << 18)
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_META: Final = b'"audio_chunk_meta"'


@dataclass(frozen=True, slots=True)
class Order:
    """Be so many listeners; start new ones ``per_second``; then play for ``settle_s``, then count for
    ``count_s``. ``tracks`` are (number, seconds)."""

    listeners: int
    per_second: float
    settle_s: float
    count_s: float
    tracks: list[tuple[int, float]]


@dataclass(slots=True)
class Tally:
    """What the listeners lived through."""

    underruns: int = 0
    waited_s: float = 0.0
    errors: int = 0
    lost: int = 0
    first_frames_s: list[float] = field(default_factory=list)
    least_buffer_s: float = float("inf")
    played: int = 0


class Listener(asyncio.BufferedProtocol):
    """One player on one socket."""

    def __init__(self, port: int, tracks: list[tuple[int, float]], tally: Callable[[], Tally]) -> None:
        self._port, self._tracks, self._tally = port, tracks, tally
        self._loop = asyncio.get_running_loop()
        self._head, self._text = bytearray(), bytearray()
        self._left, self._kind, self._size = 0, 0, 0
        self._upgraded = False
        self._transport: asyncio.Transport | None = None
        self._asked_at = 0.0
        self._rate_bytes = 0
        self._received_s = 0.0
        self._begun_at: float | None = None
        self._full = False
        self.closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one, and does not say so.
        self._transport = transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws?transport=binary HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        if not self.closing:
            self._tally().lost += 1

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - asyncio's name
        return _SCRATCH

    def buffer_updated(self, nbytes: int) -> None:
        data = memoryview(_SCRATCH)[:nbytes]
        if not self._upgraded:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(self._head[:end].decode())
            rest = bytes(self._head[end + 4 :])
            self._head.clear()
            self._upgraded = True
            self._play()
            data = memoryview(rest)
        self._take(data)

    def buffered_s(self, now: float) -> float:
        """Seconds that have arrived and are not played yet; below 0 while the player waits."""
        return 0.0 if self._begun_at is None else self._received_s - (now - self._begun_at)

    def settle_account(self, now: float) -> None:
        """Count a wait that is not over; who waits for a first frame for long counts as an error."""
        if self._begun_at is not None and self.buffered_s(now) < 0.0:
            self._waited(now)
        elif self._begun_at is None and now - self._asked_at > SILENT_S:
            self._tally().errors += 1

    def close(self) -> None:
        self.closing = True
        if self._transport is not None:
            self._transport.abort()

    def _take(self, data: memoryview) -> None:
        """Go through frames: their heads, the texts that matter, the lengths of the rest."""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                taken = min(self._left, size - at)
                if self._kind != _BINARY:
                    self._text += data[at : at + taken]
                at += taken
                self._left -= taken
                if not self._left:
                    self._finished()
                continue
            self._head.append(data[at])
            at += 1
            length = self._head_length()
            if length is not None:
                self._kind, self._left, self._size = self._head[0] & 15, length, length
                self._head.clear()
                if not length:
                    self._finished()

    def _head_length(self) -> int | None:
        head = self._head
        if len(head) < 2:
            return None
        short = head[1] & 127
        if short < 126:
            return short
        if short == 126:
            return struct.unpack(">H", head[2:4])[0] if len(head) == 4 else None
        return struct.unpack(">Q", head[2:10])[0] if len(head) == 10 else None

    def _finished(self) -> None:
        text, self._text = self._text, bytearray()
        if self._kind == _BINARY:
            self._arrived(self._size / self._rate_bytes)
        elif self._kind == _TEXT:
            if _META not in text[:60]:
                self._told(json.loads(text))
        elif self._kind == _PING:
            self._send(_PONG, bytes(text))
        elif self._kind == _CLOSE and self._transport is not None:
            self._transport.close()

    def _told(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "audio_stream_start":
            start = message["data"]
            self._rate_bytes = start["sample_rate"] * start["channels"] * BYTES_PER_VALUE
        elif kind == "audio_stream_error":
            sys.stderr.write(f"a stream failed: {message['data']}\n")
            self._tally().errors += 1
            self._loop.call_later(1.0, self._play)
        elif kind == "audio_stream_end":
            self._loop.call_later(max(0.0, self.buffered_s(self._loop.time())), self._play)
            self._begun_at, self._asked_at = None, math.inf

    def _play(self) -> None:
        number, seconds = random.choice(self._tracks)
        self._received_s, self._begun_at, self._full = 0.0, None, False
        self._asked_at = self._loop.time()
        start = random.uniform(0.0, 0.6 * seconds)
        self._say("play_enhanced", track_id=number, start_position=start)

    def _arrived(self, seconds: float) -> None:
        now, tally = self._loop.time(), self._tally()
        if self._begun_at is None:
            tally.first_frames_s.append(now - self._asked_at)
            tally.played += 1
            self._begun_at = now
        else:
            buffered_s = self.buffered_s(now)
            tally.least_buffer_s = min(tally.least_buffer_s, buffered_s)
            if buffered_s < 0.0:
                self._waited(now)
        self._received_s += seconds
        ahead_s = self.buffered_s(now)
        if ahead_s > FULL_S and not self._full:
            self._full = True
            self._say("buffer_full")
            self._loop.call_later(ahead_s - READY_S, self._make_ready)

    def _waited(self, now: float) -> None:
        tally, waited_s = self._tally(), -self.buffered_s(now)
        tally.underruns += 1
        tally.waited_s += waited_s
        assert self._begun_at is not None
        self._begun_at += waited_s

    def _make_ready(self) -> None:
        if self._full and not self.closing:
            self._full = False
            self._say("buffer_ready")

    def _say(self, kind: str, **data: object) -> None:
        self._send(_TEXT, json.dumps({"type": kind, "data": data}).encode())

    def _send(self, kind: int, payload: bytes) -> None:
        # Masked, as a client must, by a key of zeros.
        length = len(payload)
        head = (
            bytes((128 | kind, 128 | length))
            if length < 126
            else struct.pack(">BBH", 128 | kind, 254, length)
        )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head + bytes(4) + payload)


class Crowd:
    """All listeners, and what they have lived through since it was last asked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listeners: list[Listener] = []
        self._tally = Tally()

    async def follow(self, order: Order) -> tuple[Tally, Tally]:
        """What happened while it came to so many and settled, and in the time that counts."""
        loop = asyncio.get_running_loop()
        self._tally = Tally()
        while len(self._listeners) < order.listeners:
            _, listener = await loop.create_connection(
                lambda: Listener(self._port, order.tracks, lambda: self._tally), "127.0.0.1", self._port
            )
            self._listeners.append(listener)
            await asyncio.sleep(1.0 / order.per_second)
        await asyncio.sleep(order.settle_s)
        coming = self._settled()
        await asyncio.sleep(order.count_s)
        return coming, self._settled()

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _settled(self) -> Tally:
        now = asyncio.get_running_loop().time()
        for listener in self._listeners:
            listener.settle_account(now)
        tally, self._tally = self._tally, Tally()
        return tally


async def _main(port: int) -> None:
    crowd = Crowd(port)
    while line := await asyncio.to_thread(sys.stdin.readline):
        coming, counted = await crowd.follow(Order(**json.loads(line)))
        print(json.dumps({"coming": asdict(coming), "counted": asdict(counted)}), flush=True)
    crowd.close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_main(int(sys.argv[1])))
