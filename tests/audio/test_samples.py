"""Decoded frames that are converted together are what each of them is by itself."""

from collections.abc import Iterator

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from tonearm.audio.samples import joined, to_block
from tonearm.model.audio import Block
from tonearm.model.errors import DecodeError

RNG = np.random.default_rng(5)


def frame(name: str, frames: int) -> AudioFrame:
    """Noise in one of FFmpeg's sample formats, with a time stamp that continues nothing."""
    dtype = {"s16": np.int16, "s32": np.int32, "flt": np.float32}[name.removesuffix("p")]
    noise = RNG.uniform(-1.0, 1.0, (2, frames))
    values = noise.astype(dtype) if dtype == np.float32 else (noise * np.iinfo(dtype).max).astype(dtype)
    shaped = values if name.endswith("p") else values.T.reshape(1, -1)
    made = AudioFrame.from_ndarray(np.ascontiguousarray(shaped), format=name, layout="stereo")
    made.sample_rate, made.pts = 44_100, 7
    return made


def alone(sounds: list[AudioFrame | Block]) -> Block:
    return np.concatenate([to_block(each) if isinstance(each, AudioFrame) else each for each in sounds])


@pytest.mark.parametrize("name", ["s16", "s32p", "flt", "fltp"])
@pytest.mark.parametrize("least", [1, 1000, 1 << 20])
def test_together_as_apart(name: str, least: int) -> None:
    sounds = [frame(name, frames) for frames in (128, 1024, 576, 1, 4096)]
    expected = alone([*sounds])
    blocks = list(joined(sounds, least))
    np.testing.assert_array_equal(np.concatenate(blocks), expected)
    assert all(len(block) >= least for block in blocks[:-1])


def test_another_sample_format_and_silence_stay_in_their_places() -> None:
    silence = np.zeros((333, 2), np.float32)
    sounds = [frame("s16", 100), frame("s32p", 200), silence, frame("s32p", 50), frame("fltp", 60)]
    expected = alone(sounds)
    np.testing.assert_array_equal(np.concatenate(list(joined(sounds, 1000))), expected)


def test_what_came_before_damage_is_given_first() -> None:
    good = frame("fltp", 700)
    expected = to_block(good)

    def damaged() -> Iterator[AudioFrame]:
        yield good
        raise DecodeError("torn")

    blocks = joined(damaged(), 1000)
    np.testing.assert_array_equal(next(blocks), expected)
    with pytest.raises(DecodeError, match="torn"):
        next(blocks)


def test_nothing_is_no_block() -> None:
    assert list(joined([], 1000)) == []
