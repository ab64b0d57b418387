"""Bytes that are encoded as they come, read back by libsndfile and FFmpeg."""

import io

import av
import numpy as np
import pytest
import soundfile

from tonearm.audio.streamed import WAV_HEAD_BYTES, StreamKind, stream_encoder, wav_head
from tonearm.model.audio import AudioFormat

FRAMES = 60_011


def sound(rate: int = 44_100, channels: int = 2) -> np.ndarray:
    time = np.arange(FRAMES) / rate
    tones = [0.3 * np.sin(2 * np.pi * (440 + 110 * c) * time) for c in range(channels)]
    rough = np.random.default_rng(0).normal(0, 0.005, (FRAMES, channels))
    return (np.stack(tones, axis=1) + rough).astype(np.float32)


def encoded(
    kind: StreamKind,
    samples: np.ndarray,
    rate: int = 44_100,
    *,
    counted: bool = True,
    sixteen_bits: bool = False,
    step: int = 9_999,
) -> list[bytes]:
    form = AudioFormat(rate, samples.shape[1])
    encoder = stream_encoder(kind, form, len(samples) if counted else None, sixteen_bits=sixteen_bits)
    parts = [encoder.encode(samples[at : at + step]) for at in range(0, len(samples), step)]
    return [*parts, encoder.finish()]


def decoded(parts: list[bytes]) -> np.ndarray:
    """[frames, channels] by FFmpeg."""
    with av.open(io.BytesIO(b"".join(parts))) as container:
        planar = av.AudioResampler("fltp")
        blocks = [part.to_ndarray() for frame in container.decode(audio=0) for part in planar.resample(frame)]
    return np.concatenate(blocks, axis=1).T


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("counted", [True, False])
def test_a_wav_holds_the_very_samples(channels: int, counted: bool) -> None:
    samples = sound(channels=channels)
    data = b"".join(encoded(StreamKind.WAV, samples, counted=counted))
    assert len(data) == WAV_HEAD_BYTES + samples.nbytes
    found, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    assert rate == 44_100
    np.testing.assert_array_equal(found, samples)


@pytest.mark.parametrize("counted", [True, False])
def test_a_flac_holds_24_bits_and_says_its_length_where_it_is_known(counted: bool) -> None:
    samples = sound()
    data = b"".join(encoded(StreamKind.FLAC, samples, counted=counted))
    told = int.from_bytes(data[21:26], "big") & ((1 << 36) - 1)
    assert told == (FRAMES if counted else 0)
    if counted:
        info = soundfile.info(io.BytesIO(data))
        assert (info.frames, info.samplerate, info.channels, info.subtype) == (FRAMES, 44_100, 2, "PCM_24")
    np.testing.assert_array_equal(decoded([data]), np.rint(samples * 2.0**23).astype(np.float32) / 2.0**23)


def test_sixteen_bits_come_back_as_they_were() -> None:
    samples = (np.rint(sound() * 2**15) / 2**15).astype(np.float32)
    parts = encoded(StreamKind.FLAC, samples, sixteen_bits=True)
    found, _ = soundfile.read(io.BytesIO(b"".join(parts)), dtype="float32", always_2d=True)
    assert soundfile.info(io.BytesIO(b"".join(parts))).subtype == "PCM_16"
    np.testing.assert_array_equal(found, samples)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (48_000, 1), (44_100, 2), (96_000, 2)])
def test_opus_is_the_sound_at_48_khz(rate: int, channels: int) -> None:
    found = decoded(encoded(StreamKind.OPUS, sound(rate, channels), rate))
    assert found.shape[1] == channels
    assert len(found) == pytest.approx(FRAMES * 48_000 / rate, abs=1)
    # The tones stand where they were, and as loud.
    assert loudest_hz(found[:, 0], 48_000) == pytest.approx(440, abs=2)
    assert np.std(found) == pytest.approx(np.std(sound(rate, channels)), rel=0.05)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (44_100, 1), (8_000, 2), (96_000, 2)])
def test_mp3_is_the_sound_behind_the_delay_of_its_encoder(rate: int, channels: int) -> None:
    samples = sound(rate, channels)
    found = decoded(encoded(StreamKind.MP3, samples, rate))
    mp3_rate = rate if rate <= 48_000 else 48_000
    expected = FRAMES * mp3_rate / rate
    assert expected <= len(found) <= expected + 4 * 1152
    assert loudest_hz(found[:, 0], mp3_rate) == pytest.approx(440, abs=2)
    if rate == 44_100:
        overlaps = np.correlate(found[:6_000, 0], samples[:2_000, 0], "valid")
        assert int(np.argmax(overlaps)) == 1_105


@pytest.mark.parametrize("kind", list(StreamKind))
def test_bytes_come_early_and_none_are_kept(kind: StreamKind) -> None:
    parts = encoded(kind, sound(), step=11_025)
    assert sum(map(len, parts[:2])) > 2_000, "half a second in, there is nothing to hear"
    assert len(parts[-1]) < 0.35 * sum(map(len, parts))


@pytest.mark.parametrize("kind", list(StreamKind))
def test_a_sound_of_no_frames_is_a_file_of_no_frames(kind: StreamKind) -> None:
    data = b"".join(encoded(kind, np.zeros((0, 2), np.float32)))
    if kind is StreamKind.WAV:
        assert data == wav_head(AudioFormat(44_100, 2), 0)
        assert soundfile.info(io.BytesIO(data)).frames == 0


def test_a_wav_too_long_for_its_head_says_so_by_the_largest_number() -> None:
    head = wav_head(AudioFormat(44_100, 2), 1 << 31)
    assert head[4:8] == head[-4:] == b"\xff\xff\xff\xff"
    assert len(head) == WAV_HEAD_BYTES


def loudest_hz(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))
