"""Tracks fetched instead of played: the same samples, encoded; what is not wanted any more is not made."""

import asyncio
import io
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile
from analyses import track
from music import clip

from tonearm.audio.decode import Decoder, inspect
from tonearm.audio.streamed import WAV_HEAD_BYTES, StreamKind
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.errors import DecodeError, TonearmError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, MasteringState, Preset, Target, untouched
from tonearm.model.track import Track
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import BadMessage, Transport
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.measure import measure_file
from tonearm.streaming.encoded import Rendition, Renditions
from tonearm.streaming.playback import Sound
from tonearm.streaming.pool import RenderPool
from tonearm.streaming.ports import Renderer, Source

TABLA = clip("loop_tabla.flac")
T = TypeVar("T")


@dataclass
class Sounds:
    known: Track
    sound: Sound

    async def sound_of(self, request: StreamRequest) -> tuple[Track, Sound]:
        return self.known, self.sound


class Watched(ChunkedAudioProcessor):
    """Says whether it was closed, and how far it got."""

    def __init__(self, path: Path, source: Source, start: int) -> None:
        super().__init__(path, source, start)
        self.closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()


def asked(start_s: float = 0.0) -> StreamRequest:
    return StreamRequest(
        track_id=1,
        stream_type=StreamType.ENHANCED,
        preset=Preset.ADAPTIVE,
        intensity=1.0,
        start_position=start_s,
        transport=Transport.BINARY,
        epoch=0,
    )


class Desk:
    """Renditions of one file, and what was opened for them."""

    def __init__(self, pool: RenderPool, path: Path = TABLA) -> None:
        self.pool = pool
        self.known = replace(track(path), info=inspect(path))
        self.opened: list[Watched] = []

    def open(self, wanted: Track, source: Source, start: int) -> Renderer:
        self.opened.append(Watched(wanted.path, source, start))
        return self.opened[-1]

    async def rendition(
        self, source: Source, kind: StreamKind, start_s: float = 0.0, frames: int | None = None
    ) -> Rendition:
        renditions = Renditions(
            Sounds(self.known, Sound(source, frames)), self.open, self.pool, time.monotonic
        )
        return await renditions.prepare(asked(start_s), kind)


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    made = RenderPool(2)
    yield made
    made.close(5)


@pytest.fixture
def desk(pool: RenderPool) -> Desk:
    return Desk(pool)


@pytest.fixture(scope="module")
def tabla() -> Analysis:
    return measure_file(TABLA)


@pytest.fixture
def plan(tabla: Analysis) -> MasteringPlan:
    return AdaptiveMode().plan(tabla.fingerprint, tabla.measures, Preset.WARM, 1.0, Target())


async def everything(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def rendered(path: Path, source: Source, start: int = 0) -> np.ndarray:
    with ChunkedAudioProcessor(path, source, start) as processor:
        return processor.read(1 << 30)


def floats(data: bytes) -> np.ndarray:
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]


async def test_the_samples_are_those_of_the_renderer(desk: Desk, plan: MasteringPlan) -> None:
    expected = rendered(TABLA, plan)
    wav = await desk.rendition(plan, StreamKind.WAV)
    data = await everything(wav.pieces())
    assert len(data) == wav.length
    np.testing.assert_array_equal(floats(data), expected)
    flac = await desk.rendition(plan, StreamKind.FLAC)
    in_24_bits = floats(await everything(flac.pieces()))
    np.testing.assert_array_equal(in_24_bits, np.rint(expected * 2.0**23).astype(np.float32) / 2.0**23)
    assert (wav.state, wav.divisible, flac.length, flac.divisible) == ("fingerprint", True, None, False)


async def test_the_source_passes_bit_for_bit_in_its_own_depth(desk: Desk) -> None:
    source = soundfile.read(TABLA, dtype="float32", always_2d=True)[0]
    rendition = await desk.rendition(untouched("as it is"), StreamKind.FLAC)
    data = await everything(rendition.pieces())
    assert soundfile.info(io.BytesIO(data)).subtype == soundfile.info(TABLA).subtype
    np.testing.assert_array_equal(floats(data), source)
    assert rendition.state is MasteringState.NONE


@pytest.mark.parametrize("kind", list(StreamKind))
async def test_it_starts_where_it_shall(desk: Desk, plan: MasteringPlan, kind: StreamKind) -> None:
    rendition = await desk.rendition(plan, kind, start_s=3.25)
    data = await everything(rendition.pieces())
    (opened,) = desk.opened
    start = round(3.25 * 44_100)
    if kind in {StreamKind.WAV, StreamKind.FLAC}:
        found = floats(data)
        assert len(found) == desk.known.info.frames - start
        np.testing.assert_allclose(found, rendered(TABLA, plan, start), atol=2.0**-24)
    assert opened.position == desk.known.info.frames


async def test_a_part_is_that_part_of_the_whole(desk: Desk, plan: MasteringPlan) -> None:
    whole = await everything((await desk.rendition(plan, StreamKind.WAV)).pieces())
    for first, end in [(0, 1), (0, 58), (10, 60), (57, 59), (58, 66), (61, 4_000), (0, len(whole))]:
        rendition = await desk.rendition(plan, StreamKind.WAV)
        assert await everything(rendition.pieces(first, end)) == whole[first:end], (first, end)
    first = WAV_HEAD_BYTES + 8 * 300_000 + 3
    late = await everything((await desk.rendition(plan, StreamKind.WAV)).pieces(first))
    assert len(late) == len(whole) - first
    samples = [np.frombuffer(part[5:], "<f4") for part in (late, whole[first:])]
    # What comes before the part is rendered from 4 s before it on only.
    np.testing.assert_allclose(*samples, atol=10 ** (-90 / 20))
    assert await asyncio.to_thread(desk.opened[-1].closed.wait, 10)


@pytest.mark.parametrize("start_s", [10.68, 11.0, 9e5])
async def test_a_start_beyond_the_end_is_refused(desk: Desk, plan: MasteringPlan, start_s: float) -> None:
    with pytest.raises(BadMessage, match="beyond the end"):
        await desk.rendition(plan, StreamKind.FLAC, start_s)
    desk.known = replace(desk.known, info=replace(desk.known.info, frames_exact=False))
    rendition = await desk.rendition(plan, StreamKind.WAV, start_s)
    assert rendition.length is None
    with pytest.raises(BadMessage, match="beyond the end"):
        await everything(rendition.pieces())


async def test_the_fallback_is_named_and_not_divided(desk: Desk) -> None:
    hybrid = HybridProcessor(44_100, 2, Preset.ADAPTIVE, 1.0, Target())
    rendition = await desk.rendition(hybrid, StreamKind.WAV)
    assert (rendition.state, rendition.divisible) == ("standard", False)
    again = HybridProcessor(44_100, 2, Preset.ADAPTIVE, 1.0, Target())
    np.testing.assert_array_equal(floats(await everything(rendition.pieces())), rendered(TABLA, again))


async def test_every_difference_has_another_name(desk: Desk, plan: MasteringPlan) -> None:
    made = [
        await desk.rendition(plan, StreamKind.WAV),
        await desk.rendition(plan, StreamKind.FLAC),
        await desk.rendition(plan, StreamKind.WAV, start_s=1.0),
        await desk.rendition(replace(plan, gain_db=plan.gain_db + 0.1), StreamKind.WAV),
        await desk.rendition(untouched("as it is"), StreamKind.WAV),
    ]
    same = await desk.rendition(plan, StreamKind.WAV)
    desk.known = replace(desk.known, signature=replace(desk.known.signature, mtime_ns=1))
    made.append(await desk.rendition(plan, StreamKind.WAV))
    assert len({rendition.tag for rendition in made}) == len(made)
    assert same.tag == made[0].tag


async def test_a_damaged_file_ends_in_its_error_after_what_could_be_decoded(
    pool: RenderPool, plan: MasteringPlan, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.flac"
    cut.write_bytes(TABLA.read_bytes()[: TABLA.stat().st_size // 2])
    desk = Desk(pool, cut)
    rendition, sent = await desk.rendition(plan, StreamKind.WAV), 0
    with pytest.raises(DecodeError):
        async for piece in rendition.pieces():
            sent += len(piece)
    assert 0.3 < sent / (8 * desk.known.info.frames) < 0.7
    assert await asyncio.to_thread(desk.opened[0].closed.wait, 10)


async def test_a_file_shorter_than_it_was_counted_does_not_end_well(desk: Desk, plan: MasteringPlan) -> None:
    rendition = await desk.rendition(plan, StreamKind.WAV, frames=desk.known.info.frames + 10)
    with pytest.raises(TonearmError):
        await everything(rendition.pieces())


async def test_who_leaves_stops_the_work(desk: Desk, plan: MasteringPlan) -> None:
    rendition = await desk.rendition(plan, StreamKind.WAV)
    async with aclosing(rendition.pieces()) as pieces:
        await anext(pieces)
    (opened,) = desk.opened
    assert await asyncio.to_thread(opened.closed.wait, 10)
    assert opened.position < desk.known.info.frames / 2


async def test_nothing_is_made_before_it_is_fetched(desk: Desk, plan: MasteringPlan) -> None:
    rendition = await desk.rendition(plan, StreamKind.WAV)
    assert desk.opened == []
    async with aclosing(rendition.pieces()) as pieces:
        for number in range(1, 5):
            piece = await anext(pieces)
            assert len(piece) <= WAV_HEAD_BYTES + 8 * 22_050
            assert desk.opened[0].position == number * 22_050


async def test_lossy_sources_of_two_channels_and_one(pool: RenderPool) -> None:
    """A Vorbis file in mono, as it is: the very floats that the decoder gives."""
    path = clip("destiny_facedown.ogg")
    desk = Desk(pool, path)
    rendition = await desk.rendition(untouched("as it is"), StreamKind.WAV, start_s=40.0)
    found = floats(await everything(rendition.pieces()))
    with Decoder(path, 40 * desk.known.info.format.rate) as decoder:
        np.testing.assert_array_equal(found, decoder.read(1 << 30))


class WatchedPool(RenderPool):
    """Remembers the leads that its steps came with."""

    def __init__(self) -> None:
        super().__init__(1)
        self.leads: list[float] = []

    def submit(self, lead_s: float, work: Callable[[], T]) -> Future[T]:
        self.leads.append(lead_s)
        return super().submit(lead_s, work)


async def test_who_was_paused_and_comes_back_does_not_overtake_all_others(plan: MasteringPlan) -> None:
    pool, now = WatchedPool(), 0.0
    desk = Desk(pool)
    renditions = Renditions(Sounds(desk.known, Sound(plan, None)), desk.open, pool, lambda: now)
    rendition = await renditions.prepare(asked(), StreamKind.WAV)
    async with aclosing(rendition.pieces()) as pieces:
        for _ in range(4):
            await anext(pieces)
        fetched_ahead = pool.leads[-1]
        now = 1_000.0
        await anext(pieces)
        await anext(pieces)
    pool.close(5)
    assert fetched_ahead > 1.0
    assert min(pool.leads[-2:]) >= 0.0
