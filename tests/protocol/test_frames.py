"""The grid of chunks and frames, and the samples as they travel."""

import base64
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.model.plan import Preset
from tonearm.model.stream import Heard, MeterReading
from tonearm.protocol.frames import AudioFrame, FrameGrid, Place, pack
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import SampleFormat, Transport

RATES = [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 176_400, 384_000]


def request(transport: Transport) -> StreamRequest:
    return StreamRequest(
        track_id=9,
        stream_type=StreamType.ENHANCED,
        preset=Preset.ADAPTIVE,
        intensity=1.0,
        start_position=0.0,
        transport=transport,
        epoch=3,
    )


def cut(rate: int, start: int, length: int, announced: int) -> list[tuple[int, int, Place]]:
    """(first frame, frames, place) of every frame of a stream from ``start`` to ``length``."""
    grid = FrameGrid(rate, start, announced)
    frames = []
    while grid.position < length:
        position = grid.position
        taken = min(grid.next_frames, length - position)
        frames.append((position, taken, grid.place(taken)))
    return frames


@given(
    rate=st.sampled_from(RATES),
    length=st.floats(0.001, 45.0),
    start=st.floats(0.0, 0.999),
)
def test_frames_tile_the_track_and_keep_inside_their_chunks(rate, length, start):
    total = max(1, round(length * rate))
    first = int(start * total)
    frames = cut(rate, first, total, total)

    ends = [position + taken for position, taken, _ in frames]
    assert [first, *ends[:-1]] == [position for position, _, _ in frames]
    assert ends[-1] == total
    assert [place.seq for _, _, place in frames] == list(range(len(frames)))
    chunk = 10 * rate
    for n, (position, taken, place) in enumerate(frames):
        assert place.chunk_index == position // chunk == (position + taken - 1) // chunk
        assert place.chunk_count == -(-total // chunk)
        assert taken <= 76_800
        assert taken / rate <= (0.25 if n < 4 else 0.5)
    for index in {place.chunk_index for _, _, place in frames}:
        mine = [place for _, _, place in frames if place.chunk_index == index]
        assert [place.frame_index for place in mine] == list(range(len(mine)))
        assert {place.frame_count for place in mine} == {len(mine)}


def test_a_chunk_has_no_crumbs_at_its_end():
    sizes = [taken for _, taken, _ in cut(11_025, 0, 110_250 * 2, 110_250 * 2)]
    assert min(sizes) > 11_025 * 0.2


@pytest.mark.parametrize("rate", RATES)
def test_ten_seconds_are_one_chunk_and_one_frame_more_are_two(rate):
    assert {place.chunk_count for _, _, place in cut(rate, 0, 10 * rate, 10 * rate)} == {1}
    assert {place.chunk_count for _, _, place in cut(rate, 0, 10 * rate + 1, 10 * rate + 1)} == {2}


def test_a_track_shorter_than_its_estimate_ends_where_it_ends():
    frames = cut(44_100, 0, 500_000, 1_200_000)
    last = frames[-1][2]
    assert last.frame_index == last.frame_count - 1
    assert last.chunk_index == last.chunk_count - 1


def test_a_track_longer_than_its_estimate_never_counts_past_its_counts():
    for _, _, place in cut(44_100, 0, 1_500_000, 500_000):
        assert place.frame_index < place.frame_count
        assert place.chunk_index < place.chunk_count


def test_a_corrected_estimate_is_used_from_there_on():
    grid = FrameGrid(44_100, 0, 100)
    grid.expect(30 * 44_100)
    assert grid.place(grid.next_frames).chunk_count == 3


def test_more_than_asked_is_refused():
    grid = FrameGrid(44_100, 0, 44_100)
    with pytest.raises(ValueError, match="wanted 1"):
        grid.place(grid.next_frames + 1)


def frame(transport: Transport, block: np.ndarray) -> AudioFrame:
    place = Place(seq=5, chunk_index=1, chunk_count=4, frame_index=2, frame_count=20)
    asked = request(transport)
    packed = pack(block, asked, 0, dithered=True)
    return AudioFrame(asked, place, len(block), block.shape[1], packed, READING)


READING = MeterReading(
    before=Heard(true_peak_dbtp=-3.456, short_term_lufs=-math.inf),
    after=Heard(true_peak_dbtp=-1.0, short_term_lufs=-14.0),
    gain_reduction_db=1.234,
)
METER = {
    "gain_reduction_db": 1.23,
    "before": {"true_peak_dbtp": -3.46, "short_term_lufs": None},
    "after": {"true_peak_dbtp": -1.0, "short_term_lufs": -14.0},
}


def test_base64_carries_the_samples_bit_for_bit():
    block = np.random.default_rng(1).normal(size=(1_000, 2)).astype(np.float32)
    (text,) = frame(Transport.BASE64, block).messages()
    message = json.loads(text)
    assert message["type"] == "audio_chunk"
    data = message["data"]
    samples = np.frombuffer(base64.b64decode(data.pop("samples"), validate=True), "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(samples, block)
    assert data == {
        "chunk_index": 1,
        "chunk_count": 4,
        "frame_index": 2,
        "frame_count": 20,
        "sample_count": 1_000,
        "crossfade_samples": 0,
        "stream_epoch": 3,
        "meter": METER,
    }


def test_binary_is_a_meta_and_then_the_samples_bit_for_bit():
    block = np.random.default_rng(1).normal(size=(1_000, 2)).astype(np.float32)
    meta, payload = frame(Transport.BINARY, block).messages()
    np.testing.assert_array_equal(np.frombuffer(payload, "<f4").reshape(-1, 2), block)
    assert json.loads(meta) == {
        "type": "audio_chunk_meta",
        "data": {
            "seq": 5,
            "track_id": 9,
            "stream_epoch": 3,
            "chunk_index": 1,
            "chunk_count": 4,
            "frame_index": 2,
            "frame_count": 20,
            "sample_count": 2_000,
            "sample_format": "f32le",
            "stream_type": "enhanced",
            "meter": METER,
        },
    }


def test_a_view_of_a_larger_block_is_packed_as_it_reads():
    block = np.arange(60, dtype=np.float32).reshape(10, 6)[::2, :2]
    packed = pack(block, request(Transport.BINARY), 0, dithered=True)
    np.testing.assert_array_equal(np.frombuffer(packed, "<f4").reshape(-1, 2), block)


def sixteen(block: np.ndarray, first_frame: int, dithered: bool) -> np.ndarray:
    asked = replace(request(Transport.BINARY), sample_format=SampleFormat.S16LE)
    return np.frombuffer(pack(block, asked, first_frame, dithered), "<i2").reshape(block.shape)


def test_sixteen_bits_come_back_whole_where_they_are_not_dithered():
    whole = np.random.default_rng(2).integers(-32768, 32768, (5_000, 2)).astype(np.int16)
    np.testing.assert_array_equal(sixteen((whole / 32768).astype(np.float32), 7, dithered=False), whole)


def test_dither_is_triangular_and_a_function_of_the_frame_alone():
    block = np.full((60_000, 2), 1000.3 / 32768, np.float32)
    whole = sixteen(block, 500, dithered=True)
    error = whole - 1000.3
    # Triangular over two steps, and what rounding adds: 1/6 + 1/12 of a step squared.
    assert np.mean(error) == pytest.approx(0.0, abs=0.01)
    assert np.var(error) == pytest.approx(0.25, rel=0.02)
    np.testing.assert_array_equal(sixteen(block[:1_000], 30_500, dithered=True), whole[30_000:31_000])


def test_the_meta_names_the_format():
    asked = replace(request(Transport.BINARY), sample_format=SampleFormat.S16LE)
    made = AudioFrame(asked, Place(0, 0, 1, 0, 1), 1, 2, b"1234", READING)
    meta, payload = made.messages()
    assert (json.loads(meta)["data"]["sample_format"], json.loads(meta)["data"]["sample_count"]) == (
        "s16le",
        2,
    )
    assert payload == b"1234"
