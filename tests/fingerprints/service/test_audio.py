"""Audio that comes as messages gives the numbers of the file, however it was cut, or a typed error."""

import numpy as np
import pytest
from music import clip

from tonearm.audio.decode import Decoder
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.audio import AudioMeasurement
from tonearm.model.errors import DecodeError, NotEnoughAudio
from tonearm.rendering.measure import measure_file

SILENCE = np.zeros((100, 2), np.float32).tobytes()


def block(f32le: bytes = SILENCE, rate: int = 44_100, channels: int = 2) -> bytes:
    return pb.AudioBlock(f32le=f32le, rate=rate, channels=channels).SerializeToString()


@pytest.mark.parametrize("frames", [6_000, 65_536])
def test_the_cut_changes_nothing(frames: int) -> None:
    path = clip("loop_tabla.flac")
    with Decoder(path) as decoder:
        measurement = AudioMeasurement(block(b""))
        while len(samples := decoder.read(frames)):
            measurement.process(pb.AudioBlock(f32le=samples.tobytes()).SerializeToString())
        assert measurement.frames == decoder.position
    assert measurement.finish() == measure_file(path)


@pytest.mark.parametrize(
    "first",
    [
        b"\xff\xff not a message",
        block(rate=0),
        block(rate=7_999),
        block(rate=384_001),
        block(channels=0),
        block(channels=9),
        block(SILENCE[:-1]),
        block(SILENCE[:-4]),
    ],
)
def test_what_is_no_audio_is_refused(first: bytes) -> None:
    with pytest.raises(DecodeError):
        AudioMeasurement(first)


@pytest.mark.parametrize("next_one", [block(rate=48_000), block(channels=1), block(SILENCE[:-4]), b"\xff"])
def test_a_block_unlike_the_first_is_refused(next_one: bytes) -> None:
    measurement = AudioMeasurement(block())
    with pytest.raises(DecodeError):
        measurement.process(next_one)


def test_audio_without_end_is_refused() -> None:
    second = block(np.zeros(8_000, np.float32).tobytes(), 8_000, 1)
    measurement = AudioMeasurement(second, longest_s=3)
    measurement.process(second)
    measurement.process(second)
    with pytest.raises(DecodeError, match="more than"):
        measurement.process(second)


def test_too_little_is_not_enough() -> None:
    with pytest.raises(NotEnoughAudio):
        AudioMeasurement(block()).finish()
