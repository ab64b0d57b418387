"""Sound over HTTP on fakes: heads, parts, places, clients that go or do not read."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tonearm.audio.streamed import StreamKind
from tonearm.model.errors import DecodeError, FileMissing, TonearmError
from tonearm.model.plan import MasteringState, Preset
from tonearm.model.preferences import Preferences
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import BadMessage, ErrorKind
from tonearm.routers.app import build_app
from tonearm.routers.audio import AudioRouter
from tonearm.routers.slots import StreamSlots
from tonearm.routers.web_server import WebServer
from tonearm.streaming.untouched import UntouchedFile

DATA = bytes(range(256)) * 40
PIECE = 1_000


@dataclass
class Made:
    """A rendition of known bytes; may break off, may be without end."""

    data: bytes = DATA
    state: MasteringState = MasteringState.FINGERPRINT
    media_type: str = "audio/wav"
    tag: str = "plan-and-file"
    length: int | None = len(DATA)
    divisible: bool = True
    fails_at: int | None = None
    endless: bool = False
    made: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def pieces(self, first: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        try:
            at, end = first, len(self.data) if end is None else end
            while self.endless or at < end:
                if self.fails_at is not None and at >= self.fails_at:
                    raise DecodeError("/music/song.flac is damaged")
                self.made += 1
                yield bytes(1 << 16) if self.endless else self.data[at : min(end, at + PIECE)]
                at += PIECE
                await asyncio.sleep(0)
        finally:
            self.closed.set()


@dataclass
class Desk:
    """Prepares what the test says, and remembers what it was asked for."""

    answer: Made | TonearmError = field(default_factory=Made)
    asked: list[tuple[StreamRequest, StreamKind]] = field(default_factory=list)
    file: Path = Path("/music/song.flac")
    files: list[StreamRequest] = field(default_factory=list)
    prefers: Preferences = field(default_factory=Preferences)
    hold: asyncio.Event | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self, request: StreamRequest, kind: StreamKind) -> Made:
        self.asked.append((request, kind))
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.left.set()
        if isinstance(self.answer, TonearmError):
            raise self.answer
        return self.answer

    async def untouched(self, request: StreamRequest) -> UntouchedFile:
        self.files.append(request)
        return await UntouchedFile.look_at(self.file, "flac")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def slots() -> StreamSlots:
    return StreamSlots(3, 2)


@pytest.fixture
async def http(desk: Desk, slots: StreamSlots) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app([AudioRouter(desk, slots, 60.0, lambda: desk.prefers).router], allow_hosts=[], token=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


AUDIO = "/api/tracks/7/audio"


async def test_the_whole_and_what_is_said_of_it(http: httpx.AsyncClient, desk: Desk) -> None:
    answer = await http.get(AUDIO, params={"format": "wav"})
    assert (answer.status_code, answer.content) == (200, DATA)
    said = answer.headers
    assert said["content-length"] == str(len(DATA))
    assert (said["tonearm-state"], said["etag"]) == ("fingerprint", '"plan-and-file"')
    assert (said["accept-ranges"], said["content-type"]) == ("bytes", "audio/wav")


async def test_what_is_asked_for_is_what_is_made(http: httpx.AsyncClient, desk: Desk) -> None:
    wishes = {"preset": "warm", "intensity": 0.5, "level": "album", "start": 12.5, "format": "opus"}
    await http.get(AUDIO, params=wishes)
    await http.get(AUDIO)
    await http.get(AUDIO, params={"preset": "none", "start": 3})
    (first, opus), (plain, flac), (original, _) = desk.asked
    assert (first.track_id, first.preset, first.intensity) == (7, Preset.WARM, 0.5)
    assert (first.level, first.start_position, opus) == ("album", 12.5, StreamKind.OPUS)
    assert (plain.preset, plain.intensity, plain.level, flac) == ("adaptive", 1.0, "track", StreamKind.FLAC)
    assert plain.stream_type is StreamType.ENHANCED
    assert (original.stream_type, original.start_position) == (StreamType.NORMAL, 3.0)


async def test_what_is_not_asked_for_is_as_the_listener_prefers_it(
    http: httpx.AsyncClient, desk: Desk
) -> None:
    desk.prefers = Preferences(preset=Preset.LIVE, intensity=0.25, target_lufs=-18.0, level="album")
    await http.get(AUDIO)
    await http.get(AUDIO, params={"preset": "warm", "intensity": 1, "level": "track"})
    (preferred, _), (named, _) = desk.asked
    assert (preferred.preset, preferred.intensity, preferred.level) == ("live", 0.25, "album")
    assert (named.preset, named.intensity, named.level) == ("warm", 1.0, "track")
    assert preferred.target_lufs == named.target_lufs == -18.0


@pytest.mark.parametrize(
    "query",
    [
        *("preset=loud", "intensity=1.1", "intensity=nan", "level=disc", "start=-1", "start=inf"),
        *("start=nan", "format=aac", "format=", "start=1e300"),
    ],
)
async def test_what_cannot_be_asked(http: httpx.AsyncClient, desk: Desk, query: str) -> None:
    answer = await http.get(f"{AUDIO}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION_ERROR")
    assert desk.asked == []


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-", 0, 10_239), ("bytes=100-299", 100, 299), ("bytes=-7", 10_233, 10_239)],
)
async def test_a_part(http: httpx.AsyncClient, asked: str, first: int, last: int) -> None:
    answer = await http.get(AUDIO, params={"format": "wav"}, headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == DATA[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(DATA)}"
    assert answer.headers["content-length"] == str(last + 1 - first)


async def test_a_part_that_is_not_there(http: httpx.AsyncClient, desk: Desk) -> None:
    answer = await http.get(AUDIO, headers={"range": f"bytes={len(DATA)}-"})
    assert (answer.status_code, answer.json()["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    assert isinstance(desk.answer, Made)
    assert desk.answer.made == 0


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "nonsense", "bytes=5-1"])
async def test_what_is_not_one_range_gets_the_whole(http: httpx.AsyncClient, asked: str) -> None:
    answer = await http.get(AUDIO, headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


async def test_a_part_of_something_else_is_the_whole(http: httpx.AsyncClient) -> None:
    part = {"range": "bytes=5-6"}
    same = await http.get(AUDIO, headers=part | {"if-range": '"plan-and-file"'})
    other = await http.get(AUDIO, headers=part | {"if-range": '"another-plan"'})
    assert (same.status_code, same.content) == (206, DATA[5:7])
    assert (other.status_code, other.content) == (200, DATA)


async def test_what_cannot_be_divided_is_sent_whole(http: httpx.AsyncClient, desk: Desk) -> None:
    desk.answer = Made(length=None, divisible=False, state=MasteringState.STANDARD)
    answer = await http.get(AUDIO, headers={"range": "bytes=5-6"})
    assert (answer.status_code, answer.content) == (200, DATA)
    assert "content-length" not in answer.headers
    assert (answer.headers["accept-ranges"], answer.headers["tonearm-state"]) == ("none", "standard")


async def test_head_is_the_same_without_the_sound(http: httpx.AsyncClient, desk: Desk) -> None:
    whole = await http.get(AUDIO)
    head = await http.head(AUDIO)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)
    desk.answer = Made()
    await http.head(AUDIO)
    assert desk.answer.made == 0
    await http.head(AUDIO, params={"format": "flac"})


async def test_what_a_client_has_is_not_sent_again(http: httpx.AsyncClient, desk: Desk) -> None:
    answer = await http.get(AUDIO, headers={"if-none-match": '"other", "plan-and-file"'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert (await http.get(AUDIO, headers={"if-none-match": '"other"'})).content == DATA


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FileMissing("/music/song.flac"), 404),
        (BadMessage(ErrorKind.VALIDATION, "start 9 s lies beyond the end"), 422),
    ],
)
async def test_why_it_cannot_be_played(
    http: httpx.AsyncClient, desk: Desk, slots: StreamSlots, error: TonearmError, status: int
) -> None:
    desk.answer = error
    answer = await http.get(AUDIO)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/music" not in answer.text
    assert slots.in_use == 0


async def test_what_fails_before_the_first_byte_is_a_problem(http: httpx.AsyncClient, desk: Desk) -> None:
    desk.answer = Made(fails_at=0)
    answer = await http.get(AUDIO)
    assert (answer.status_code, answer.json()["code"]) == (422, "DECODE_ERROR")


async def test_places_are_shared_with_the_sockets_and_given_back(
    http: httpx.AsyncClient, slots: StreamSlots
) -> None:
    with slots.hold("127.0.0.1"):
        assert (await http.get(AUDIO)).status_code == 200
        with slots.hold("127.0.0.1"):
            for path in (AUDIO, f"{AUDIO}?format=raw"):
                busy = await http.get(path)
                assert (busy.status_code, busy.json()["code"]) == (503, "SERVER_BUSY")
                assert "retry-after" in busy.headers
    assert (await http.get(AUDIO)).status_code == 200
    assert slots.in_use == 0


@pytest.fixture
def file(tmp_path: Path, desk: Desk) -> Path:
    path = tmp_path / "song.flac"
    path.write_bytes(DATA)
    desk.file = path
    return path


RAW = {"format": "raw"}


async def test_the_file_itself_byte_for_byte(http: httpx.AsyncClient, desk: Desk, file: Path) -> None:
    whole = await http.get(AUDIO, params=RAW | {"preset": "warm", "start": 5})
    assert (whole.status_code, whole.content) == (200, DATA)
    assert (whole.headers["content-type"], whole.headers["tonearm-state"]) == ("audio/flac", "none")
    assert whole.headers["content-length"] == str(len(DATA))
    (request,) = desk.files
    assert (request.stream_type, request.start_position) == (StreamType.NORMAL, 0.0)
    head = await http.head(AUDIO, params=RAW)
    assert (head.content, dict(head.headers)) == (b"", dict(whole.headers))


async def test_a_part_of_the_file(http: httpx.AsyncClient, file: Path) -> None:
    tag = (await http.head(AUDIO, params=RAW)).headers["etag"]
    part = await http.get(AUDIO, params=RAW, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, DATA[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(DATA)}"
    for if_range, content in ((tag, DATA[10:20]), ('"other"', DATA)):
        answer = await http.get(AUDIO, params=RAW, headers={"range": "bytes=10-19", "if-range": if_range})
        assert answer.content == content
    for asked in ("items=1-2", "bytes=5-1", "bytes=0-1,4-5"):
        assert (await http.get(AUDIO, params=RAW, headers={"range": asked})).content == DATA


async def test_a_part_that_the_file_does_not_have(http: httpx.AsyncClient, file: Path) -> None:
    beyond = await http.get(AUDIO, params=RAW, headers={"range": "bytes=99999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert beyond.headers["content-range"] == f"bytes */{len(DATA)}"


async def test_a_file_that_a_client_has_is_not_sent_again(http: httpx.AsyncClient, file: Path) -> None:
    tag = (await http.head(AUDIO, params=RAW)).headers["etag"]
    known = await http.get(AUDIO, params=RAW, headers={"if-none-match": tag})
    assert (known.status_code, known.content) == (304, b"")
    file.write_bytes(DATA[::-1] + b"more")
    changed = await http.get(AUDIO, params=RAW, headers={"if-none-match": tag})
    assert (changed.status_code, changed.content) == (200, DATA[::-1] + b"more")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_file_that_cannot_be_opened_is_told_before_the_head(
    http: httpx.AsyncClient, file: Path, method: str
) -> None:
    file.unlink()
    file.mkdir()
    gone = await http.request(method, AUDIO, params=RAW)
    assert gone.status_code == 404
    if method == "GET":
        assert gone.json()["code"] == "FILE_NOT_FOUND"


async def test_an_empty_file_is_an_empty_answer(http: httpx.AsyncClient, file: Path) -> None:
    file.write_bytes(b"")
    answer = await http.get(AUDIO, params=RAW)
    assert (answer.status_code, answer.content) == (200, b"")


@asynccontextmanager
async def served(
    desk: Desk, slots: StreamSlots, stall_s: float = 60.0
) -> AsyncIterator[tuple[int, AudioRouter]]:
    """A real server in this loop."""
    audio = AudioRouter(desk, slots, stall_s, Preferences)
    web = WebServer(build_app([audio.router], allow_hosts=[], token=None), audio.close)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(web.serve(sockets=[listener]))
        while not web.started:
            await asyncio.sleep(0.005)
        try:
            yield listener.getsockname()[1], audio
        finally:
            web.should_exit = True
            await asyncio.wait_for(task, 10)


@asynccontextmanager
async def asking(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that has asked, and reads no more than the test does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
    writer.write(f"GET {AUDIO} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_who_closes_stops_the_work_and_frees_the_place(desk: Desk, slots: StreamSlots) -> None:
    desk.answer = made = Made(endless=True, length=None, divisible=False)
    async with served(desk, slots) as (port, _), asyncio.timeout(10):
        async with asking(port) as (reader, writer):
            await reader.readexactly(100_000)
            assert slots.in_use == 1
            writer.transport.abort()
        await made.closed.wait()
        while slots.in_use:
            await asyncio.sleep(0.005)


async def test_who_closes_before_there_is_a_plan_ends_the_wait(desk: Desk, slots: StreamSlots) -> None:
    desk.hold = asyncio.Event()
    async with served(desk, slots) as (port, _), asyncio.timeout(10):
        async with asking(port):
            while not desk.asked:
                await asyncio.sleep(0.005)
            assert slots.in_use == 1
        await desk.left.wait()
        while slots.in_use:
            await asyncio.sleep(0.005)


async def test_who_does_not_read_is_not_made_for_and_given_up(desk: Desk, slots: StreamSlots) -> None:
    desk.answer = made = Made(endless=True, length=None, divisible=False)
    async with served(desk, slots, stall_s=0.3) as (port, _), asyncio.timeout(20), asking(port):
        await made.closed.wait()
        while slots.in_use:
            await asyncio.sleep(0.005)
        # What was made lies in the buffers of the two sockets, and is bounded by them.
        assert made.made < 400


async def test_what_breaks_off_is_not_completed(desk: Desk, slots: StreamSlots) -> None:
    desk.answer = Made(length=None, divisible=False, fails_at=5 * PIECE)
    async with served(desk, slots) as (port, _), asyncio.timeout(10):
        async with httpx.AsyncClient() as client:
            received = bytearray()
            with pytest.raises(httpx.RemoteProtocolError):
                async with client.stream("GET", f"http://127.0.0.1:{port}{AUDIO}") as answer:
                    assert answer.status_code == 200
                    async for part in answer.aiter_raw():
                        received += part
        assert bytes(received) == DATA[: 5 * PIECE]
        assert slots.in_use == 0


async def test_a_server_that_stops_breaks_off(desk: Desk, slots: StreamSlots) -> None:
    desk.answer = made = Made(endless=True, length=None, divisible=False)
    async with served(desk, slots) as (port, audio), asyncio.timeout(10), asking(port) as (reader, _):
        await reader.readexactly(100_000)
        await audio.close()
        assert made.closed.is_set()
        while await reader.read(1 << 16):
            pass
        assert slots.in_use == 0
