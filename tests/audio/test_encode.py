"""Written files are judged by libsndfile and FFmpeg, and tags by tinytag."""

import stat
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import tinytag
from audio_files import Samples, by_libsndfile
from music import DEMO

from tonearm.audio.decode import Decoder, inspect
from tonearm.audio.encode import Encoder
from tonearm.audio.extras import Extras, read_extras
from tonearm.audio.formats import BitDepth, encoding_for
from tonearm.model.audio import AudioFormat
from tonearm.model.errors import EncodeError

NOTHING = Extras({}, None)
COVERED = DEMO / "Kevin_MacLeod_-_Vibe_Ace.ogg"


def tabla() -> Samples:
    sound, _ = soundfile.read(DEMO / "loop_tabla.flac", dtype="float32", frames=200_003)
    return np.asarray(sound)


def write(
    path: Path,
    sound: Samples,
    rate: int = 44_100,
    depth: str = "24",
    extras: Extras = NOTHING,
    step: int = 10_007,
    dithered: bool = False,
) -> Path:
    layout = {1: "mono", 2: "stereo", 6: "5.1(side)"}[sound.shape[1]]
    encoding = encoding_for(path, BitDepth(depth))
    encoder = Encoder(path, encoding, AudioFormat(rate, sound.shape[1]), layout, extras, dithered=dithered)
    for start in range(0, len(sound), step):
        encoder.write(sound[start : start + step])
    assert encoder.frames == len(sound)
    encoder.close()
    return path


@pytest.mark.parametrize(
    ("name", "depth", "subtype", "bits"),
    [
        ("a.flac", "16", "PCM_16", 16),
        ("a.flac", "24", "PCM_24", 24),
        ("a.wav", "16", "PCM_16", 16),
        ("a.wav", "24", "PCM_24", 24),
    ],
)
def test_integers_are_rounded_and_clipped(
    tmp_path: Path, name: str, depth: str, subtype: str, bits: int
) -> None:
    scale = 2 ** (bits - 1)
    sound = np.random.default_rng(0).uniform(-1.1, 1.1, (50_001, 2)).astype(np.float32)
    path = write(tmp_path / name, sound, depth=depth)
    assert soundfile.info(path).subtype == subtype
    read, _ = soundfile.read(path, dtype="float64")
    expected = np.clip(np.rint(sound.astype(np.float64) * scale), -scale, scale - 1) / scale
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("name", ["a.flac", "a.wav"])
def test_dither_keeps_what_lies_below_a_sixteenth_bit(tmp_path: Path, name: str) -> None:
    quiet = np.repeat(0.3 / 32768 * np.sin(np.arange(100_000) / 7.0)[:, None], 2, axis=1).astype(np.float32)
    plain, dithered = (
        soundfile.read(write(tmp_path / name, quiet, depth="16", dithered=choice))[0][:, 0]
        for choice in (False, True)
    )
    assert not plain.any()
    assert np.dot(dithered, quiet[:, 0]) / np.dot(quiet[:, 0], quiet[:, 0]) == pytest.approx(1.0, abs=0.05)
    again = soundfile.read(write(tmp_path / name, quiet, depth="16", dithered=True, step=333))[0]
    np.testing.assert_array_equal(again[:, 0], dithered)


def test_float_wav_is_bit_exact_above_full_scale_too(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 1, (50_001, 6)).astype(np.float32)
    read, _ = soundfile.read(write(tmp_path / "a.wav", sound, depth="32f"), dtype="float32")
    np.testing.assert_array_equal(read, sound)


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.opus"])
@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 192_000])
def test_lossy_files_keep_length_place_and_level(tmp_path: Path, name: str, rate: int) -> None:
    sound = tabla()
    path = write(tmp_path / name, sound, rate)
    with Decoder(path) as decoder:
        read = decoder.read(1 << 30)
        out = decoder.info.format.rate
    assert len(read) == pytest.approx(len(sound) * out / rate, abs=1)
    if out == rate:
        error = np.sqrt(np.mean((read - sound) ** 2) / np.mean(sound**2))
        assert error < 0.1, "an offset of one frame alone would give more than that"
    else:
        assert np.sqrt(np.mean(read**2)) == pytest.approx(np.sqrt(np.mean(sound**2)), rel=0.05)


@pytest.mark.parametrize("name", ["a.flac", "a.opus", "a.m4a"])
def test_surround_keeps_its_channels(tmp_path: Path, name: str) -> None:
    tones = np.arange(48_000)[:, None] * np.array([200, 300, 400, 60, 500, 600]) / 48_000
    sound = (0.3 * np.sin(2 * np.pi * tones)).astype(np.float32)
    with Decoder(write(tmp_path / name, sound, 48_000)) as decoder:
        read = decoder.read(1 << 30)
    assert read.shape == sound.shape
    likeness = np.corrcoef(read[4_000:].T, sound[4_000:].T)[:6, 6:]
    np.testing.assert_allclose(likeness, np.eye(6), atol=0.05)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.opus", "a.m4a"])
def test_tags_and_cover_are_copied(tmp_path: Path, name: str) -> None:
    extras = read_extras(COVERED)
    assert extras.cover is not None
    path = write(tmp_path / name, tabla()[:20_000], extras=extras)
    tags, expected = (tinytag.TinyTag.get(file, image=True) for file in (path, COVERED))
    assert (tags.title, tags.artist, tags.album) == (expected.title, expected.artist, expected.album)
    assert tags.title == "Vibe Ace"
    assert expected.images.any is not None
    assert tags.images.any is not None
    assert tags.images.any.data == expected.images.any.data


def test_a_wav_carries_its_title(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tabla()[:2_000], extras=Extras({"title": "Für Elise"}, None))
    with av.open(path) as container:
        assert container.metadata["title"] == "Für Elise"


def test_what_is_said_of_the_samples_is_not_copied(tmp_path: Path) -> None:
    source = write(
        tmp_path / "a.flac",
        tabla()[:2_000],
        extras=Extras({"title": "x", "REPLAYGAIN_TRACK_GAIN": "-7.1 dB", "R128_TRACK_GAIN": "5"}, None),
    )
    assert set(read_extras(source).tags) == {"title"}


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_text("the earlier one")
    encoder = Encoder(
        path, encoding_for(path, BitDepth.INT24), AudioFormat(44_100, 2), "stereo", NOTHING, dithered=False
    )
    encoder.write(tabla())
    assert path.read_text() == "the earlier one"
    encoder.close()
    assert inspect(path).frames == 200_003
    assert [file.name for file in tmp_path.iterdir()] == ["a.flac"]


def test_a_file_gets_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    path = write(tmp_path / "a.wav", tabla()[:100])
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_an_aborted_file_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    encoder = Encoder(
        path, encoding_for(path, BitDepth.INT24), AudioFormat(44_100, 2), "stereo", NOTHING, dithered=False
    )
    encoder.write(tabla())
    encoder.abort()
    assert list(tmp_path.iterdir()) == []


def test_errors_are_typed(tmp_path: Path) -> None:
    with pytest.raises(EncodeError):
        write(tmp_path / "nowhere" / "a.flac", tabla()[:100])
    with pytest.raises(ValueError, match="FLAC"):
        encoding_for(Path("a.flac"), BitDepth.FLOAT32)
    with pytest.raises(ValueError, match=r"\.xyz"):
        encoding_for(Path("a.xyz"), BitDepth.INT24)


@pytest.mark.parametrize("name", ["a.flac", "a.wav", "a.mp3", "a.opus", "a.m4a"])
def test_a_full_disc_is_an_error_and_leaves_nothing(name: str) -> None:
    # /dev/full cannot hold a temporary name; a tiny limit on file size fails the same way.
    import resource
    import signal
    import tempfile

    loud = np.random.default_rng(0).uniform(-1, 1, (2_000_000, 2)).astype(np.float32)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    with tempfile.TemporaryDirectory() as folder:
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
            path = Path(folder) / name
            encoder = Encoder(
                path,
                encoding_for(path, BitDepth.INT24),
                AudioFormat(44_100, 2),
                "stereo",
                NOTHING,
                dithered=False,
            )
            with pytest.raises(EncodeError):
                for start in range(0, len(loud), 100_000):
                    encoder.write(loud[start : start + 100_000])
                encoder.close()
            encoder.abort()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        assert list(Path(folder).iterdir()) == []


def test_extras_of_a_plain_file_are_empty(tmp_path: Path) -> None:
    assert read_extras(by_libsndfile(tmp_path / "a.wav", tabla()[:100], 44_100)) == NOTHING
