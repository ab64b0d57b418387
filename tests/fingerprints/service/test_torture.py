"""Files as they should not be, asked for over a real socket: an answer that can be true or a typed error,
and the next request is answered each time."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from audio_files import by_ffmpeg
from fingerprint_server import RunningFingerprintServer, fingerprint_server
from music import clip

from tonearm.fingerprints.service.messages import from_reply

OK = grpc.StatusCode.OK
NOT_AUDIO = grpc.StatusCode.INVALID_ARGUMENT
TOO_LITTLE = grpc.StatusCode.FAILED_PRECONDITION
CODES = {OK: "", NOT_AUDIO: "DECODE_ERROR", TOO_LITTLE: "NOT_ENOUGH_AUDIO"}
NOISE = np.random.default_rng(11).uniform(-0.4, 0.4, (200_000, 8)).astype(np.float32)

Maker = Callable[[Path], None]


def sound(rate: int, channels: int = 2, seconds: float = 1.0) -> Maker:
    frames = max(1, round(seconds * rate))
    samples = np.resize(NOISE, (frames, 8))[:, :channels]
    return lambda path: soundfile.write(path, samples, rate, subtype="FLOAT", format="WAV")


def damaged(value: float, share: float) -> Maker:
    """Noise of which this share is that value."""
    samples = NOISE[:88_200, :2].copy()
    samples[np.random.default_rng(3).random(samples.shape) < share] = value
    return lambda path: soundfile.write(path, samples, 44_100, subtype="FLOAT", format="WAV")


def flat(value: float, frames: int = 88_200) -> Maker:
    return lambda path: soundfile.write(path, np.full((frames, 2), value), 44_100, subtype="FLOAT")


def cut(name: str, size: int) -> Maker:
    return lambda path: path.write_bytes(clip(name).read_bytes()[:size])


def half_of_vorbis(path: Path) -> None:
    soundfile.write(path, NOISE[:, :2], 44_100, subtype="VORBIS")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def text(words: str) -> Maker:
    return lambda path: path.write_text(words)


def header(offset: int, layout: str, value: int) -> Maker:
    """A WAV file whose header lies: ``value`` at ``offset``."""

    def make(path: Path) -> None:
        soundfile.write(path, NOISE[:44_100, :2], 44_100, subtype="PCM_16")
        content = bytearray(path.read_bytes())
        struct.pack_into(layout, content, offset, value)
        path.write_bytes(content)

    return make


def surround(path: Path) -> None:
    by_ffmpeg(path, NOISE[:96_000, :6], 48_000, "flac", "s16")


CASES: dict[str, tuple[Maker, set[grpc.StatusCode]]] = {
    "empty.flac": (lambda path: path.touch(), {NOT_AUDIO}),
    "empty.mp3": (lambda path: path.touch(), {NOT_AUDIO}),
    "no_samples.wav": (flat(0.0, frames=0), {NOT_AUDIO, TOO_LITTLE}),
    "one_sample.wav": (sound(44_100, seconds=0), {TOO_LITTLE}),
    "8k.wav": (sound(8_000), {OK}),
    "11025.wav": (sound(11_025), {OK}),
    "22050.wav": (sound(22_050), {OK}),
    "96k.wav": (sound(96_000), {OK}),
    "192k.wav": (sound(192_000), {OK}),
    "384k.wav": (sound(384_000), {OK}),
    "7999.wav": (sound(7_999), {NOT_AUDIO}),
    "768k.wav": (sound(768_000, seconds=0.1), {NOT_AUDIO}),
    "mono.wav": (sound(44_100, 1), {OK}),
    "5.1.flac": (surround, {OK}),
    "7.1.wav": (sound(48_000, 8), {OK}),
    "nan.wav": (damaged(np.nan, 0.01), {OK}),
    "infinite.wav": (damaged(np.inf, 0.01), {OK}),
    "only_nan.wav": (flat(np.nan), {TOO_LITTLE}),
    "only_infinite.wav": (flat(np.inf), {TOO_LITTLE}),
    "huge.wav": (flat(1e30), {TOO_LITTLE, NOT_AUDIO}),
    "loud.wav": (damaged(900.0, 0.5), {NOT_AUDIO}),
    "denormal.wav": (flat(1e-40), {TOO_LITTLE}),
    "constant.wav": (flat(0.5), {TOO_LITTLE, OK}),
    "silence.wav": (flat(0.0), {TOO_LITTLE}),
    "truncated.flac": (cut("drum_roll.flac", 30_000), {NOT_AUDIO}),
    "only_a_header.flac": (cut("drum_roll.flac", 60), {NOT_AUDIO}),
    "truncated.ogg": (half_of_vorbis, {NOT_AUDIO}),
    "lies_about_its_length.wav": (header(40, "<I", 0x7FFFFFF0), {NOT_AUDIO, OK}),
    "lies_about_no_rate.wav": (header(24, "<I", 0), {NOT_AUDIO}),
    "lies_about_a_rate.wav": (header(24, "<I", 0xFFFFFFFF), {NOT_AUDIO}),
    "lies_about_no_channels.wav": (header(22, "<H", 0), {NOT_AUDIO}),
    "lies_about_channels.wav": (header(22, "<H", 65_535), {NOT_AUDIO}),
    "lies_about_bits.wav": (header(34, "<H", 4_096), {NOT_AUDIO, TOO_LITTLE, OK}),
    "lies_about_alignment.wav": (header(32, "<H", 0), {NOT_AUDIO, TOO_LITTLE, OK}),
    "text.mp3": (text("This is a letter, and no music at all. " * 500), {NOT_AUDIO}),
    "playlist.mp3": (text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n" * 20), {NOT_AUDIO}),
    "concat.mp3": (text("ffconcat version 1.0\nfile /etc/passwd\n"), {NOT_AUDIO}),
    "random.mp3": (lambda path: path.write_bytes(np.random.default_rng(2).bytes(100_000)), {NOT_AUDIO}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("torture")
    for name, (make, _) in CASES.items():
        make(made / name)
    (made / "good.flac").write_bytes(clip("drum_roll.flac").read_bytes())
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[RunningFingerprintServer]:
    with fingerprint_server(folder, "--workers", "1") as running:
        yield running


@pytest.fixture(scope="module")
def workers(server: RunningFingerprintServer) -> list[int]:
    return server.workers()


@pytest.mark.parametrize("probe_first", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_it_ends_well_or_in_a_typed_error(
    server: RunningFingerprintServer, workers: list[int], folder: Path, name: str, probe_first: bool
) -> None:
    answer = server.measure(folder / name, probe_first=probe_first)
    assert answer.status in CASES[name][1], (answer.status, answer.details)
    assert answer.code == CODES[answer.status]
    if answer.status is OK:
        # Reading it checks that all of it is finite and in its range.
        assert from_reply(answer.replies[-1]).measures.frames > 0
    assert server.measure(folder / "good.flac").status is OK
    assert server.workers() == workers, "no worker died of it"
