"""The grid of chunks and frames, and the samples as they travel."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.model.plan import Preset
from tonearm.protocol.frames import AudioFrame, FrameGrid, Place, pack
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import Transport

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
    return AudioFrame(request(transport), place, len(block), block.shape[1], pack(block, transport))


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
        },
    }


def test_a_view_of_a_larger_block_is_packed_as_it_reads():
    block = np.arange(60, dtype=np.float32).reshape(10, 6)[::2, :2]
    np.testing.assert_array_equal(np.frombuffer(pack(block, Transport.BINARY), "<f4").reshape(-1, 2), block)
