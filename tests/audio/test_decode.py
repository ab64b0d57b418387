import gc
import os
import random
import weakref
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import ALL, EXACT, LOSSY, Files, Samples, by_ffmpeg, by_libsndfile
from hypothesis import given, settings
from hypothesis import strategies as st
from music import DEMO

from tonearm.audio.decode import Decoder, inspect
from tonearm.model.errors import DecodeError, FileMissing

MUSIC = Path(os.environ["TONEARM_TEST_MUSIC"]) if "TONEARM_TEST_MUSIC" in os.environ else None
READ_BY_LIBSNDFILE = [
    kind for kind in (*EXACT, *LOSSY, "mp3-bare") if kind not in {"alac", "wavpack", "tta", "aac"}
]


def whole(path: Path, start: int = 0) -> Samples:
    with Decoder(path, start) as decoder:
        parts = []
        while len(block := decoder.read(50_000)):
            parts.append(block)
    return np.concatenate(parts)


def lag(decoded: Samples, source: Samples) -> int:
    """Frames by which one second of ``decoded`` comes late against ``source``."""
    at = 2 * 44_100
    a, b = (sound[at : at + 44_100, 0].astype(np.float64) for sound in (decoded, source))
    spectrum = np.fft.rfft(a, 1 << 17) * np.conj(np.fft.rfft(b, 1 << 17))
    best = int(np.argmax(np.fft.irfft(spectrum)))
    return best if best < 1 << 16 else best - (1 << 17)


def seeks_are_exact(path: Path, positions: int) -> None:
    expected = whole(path)
    draw = random.Random(path.name)
    for start in (1, *(draw.randrange(len(expected)) for _ in range(positions - 2)), len(expected) - 1):
        with Decoder(path, start) as decoder:
            assert decoder.position == start
            block = decoder.read(4096)
            np.testing.assert_array_equal(block, expected[start : start + 4096], err_msg=f"from {start}")
            assert decoder.position == start + len(block)


@pytest.mark.parametrize("kind", [*EXACT, *LOSSY])
def test_delay_and_padding_are_removed(made: Files, kind: str) -> None:
    file = made(kind)
    info = inspect(file.path)
    assert (info.frames, info.frames_exact) == (len(file.source), True)
    assert (info.format.rate, info.format.channels) == (file.rate, 2)
    decoded = whole(file.path)
    assert decoded.dtype == np.float32
    assert decoded.shape == file.source.shape
    assert lag(decoded, file.source) == 0


@pytest.mark.parametrize("kind", list(ALL))
def test_a_seek_yields_the_slice_of_the_whole(made: Files, kind: str) -> None:
    seeks_are_exact(made(kind).path, 20)


def test_where_to_start_may_be_told_by_what_the_container_says(made: Files) -> None:
    path = made("flac-16").path
    with Decoder(path, lambda info: info.frames - 1000) as decoder:
        assert decoder.position == decoder.info.frames - 1000
        np.testing.assert_array_equal(decoder.read(4000), whole(path)[-1000:])
    with pytest.raises(ValueError, match="start_frame"):
        Decoder(path, lambda info: -1)


@pytest.mark.parametrize("kind", READ_BY_LIBSNDFILE)
def test_agrees_with_libsndfile(made: Files, kind: str) -> None:
    path = made(kind).path
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(whole(path), expected, rtol=0, atol=0 if kind in EXACT else 5e-6)


def test_a_length_that_only_the_bit_rate_tells_is_an_estimate(made: Files) -> None:
    for kind in ("mp3-bare", "adts", "matroska"):
        info = inspect(made(kind).path)
        assert not info.frames_exact
        assert info.frames == pytest.approx(len(made(kind).source), rel=0.05)


@pytest.mark.parametrize(
    ("kind", "codec", "container", "bit_depth"),
    [
        ("wav-24", "pcm_s24le", "wav", 24),
        ("flac-16", "flac", "flac", 16),
        ("flac-24", "flac", "flac", 24),
        ("alac", "alac", "mp4", 16),
        ("wavpack", "wavpack", "wv", 16),
        ("wav-float", "pcm_f32le", "wav", 32),
        ("mp3-vbr", "mp3", "mp3", None),
        ("opus", "opus", "ogg", None),
        ("aac", "aac", "mp4", None),
    ],
)
def test_the_container_is_told(
    made: Files, kind: str, codec: str, container: str, bit_depth: int | None
) -> None:
    info = inspect(made(kind).path)
    assert (info.codec, info.container, info.bit_depth) == (codec, container, bit_depth)
    assert info.channel_layout == "stereo"
    assert info.bitrate is None or info.bitrate > 32_000


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 30_000), min_size=1, max_size=6))
def test_the_size_of_a_read_changes_nothing(cuts: list[int]) -> None:
    path = DEMO / "drum_roll.flac"
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    with Decoder(path) as decoder:
        position = 0
        for cut in cuts:
            block = decoder.read(cut)
            assert len(block) == min(cut, len(expected) - position)
            np.testing.assert_array_equal(block, expected[position : position + cut])
            position += len(block)


def test_after_the_end_there_is_nothing(made: Files) -> None:
    file = made("vorbis")
    with Decoder(file.path, len(file.source) - 10) as decoder:
        assert decoder.read(0).shape == (0, 2)
        assert decoder.read(4096).shape == (10, 2)
        assert decoder.read(4096).shape == (0, 2)
        assert decoder.read(1).shape == (0, 2)
    with Decoder(file.path, len(file.source) + 44_100) as decoder:
        assert decoder.read(1).shape == (0, 2)


def test_doubles_beyond_float32_are_infinite_and_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "double.wav"
    soundfile.write(path, np.array([[0.5], [1e300], [-1e300]]), 44_100, subtype="DOUBLE")
    assert whole(path)[:, 0].tolist() == [0.5, np.inf, -np.inf]


def test_floats_above_full_scale_are_kept(tmp_path: Path) -> None:
    loud = np.array([[1.5, -3.0], [0.25, 1e-30]], np.float32)
    for subtype in ("FLOAT", "DOUBLE"):
        np.testing.assert_array_equal(
            whole(by_libsndfile(tmp_path / "loud.wav", loud, 48_000, subtype)), loud
        )


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (6, "5.1"), (8, "7.1")])
@pytest.mark.parametrize("rate", [8_000, 384_000])
def test_rates_and_channels_at_the_edges(tmp_path: Path, channels: int, layout: str, rate: int) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (5_000, channels)).astype(np.float32)
    path = by_libsndfile(tmp_path / "edge.wav", sound, rate, "FLOAT")
    info = inspect(path)
    assert (info.format.rate, info.format.channels, info.channel_layout) == (rate, channels, layout)
    np.testing.assert_array_equal(whole(path), sound)


def test_planar_samples_of_eight_channels_stay_in_order(tmp_path: Path) -> None:
    sound = np.repeat(np.linspace(-0.5, 0.5, 30_000, dtype=np.float32)[:, None], 8, axis=1)
    sound *= np.arange(1, 9, dtype=np.float32) / 8
    path = by_ffmpeg(tmp_path / "eight.wv", sound, 48_000, "wavpack", "fltp")
    np.testing.assert_array_equal(whole(path), sound)


def test_aac_with_noise_substitution_keeps_its_place(tmp_path: Path) -> None:
    # Noise asks for it: its decoder's noise differs after a seek, the position must not.
    noise = np.random.default_rng(1).normal(0, 0.1, (6 * 44_100, 2)).astype(np.float32)
    noise[3 * 44_100 : 3 * 44_100 + 2_000] *= 6.0
    path = by_ffmpeg(tmp_path / "pns.m4a", noise, 44_100, "aac", codec_options={"b": "96000"})
    expected = whole(path)
    sought = whole(path, 30_000)
    assert len(sought) == len(expected) - 30_000
    assert lag(sought, expected[30_000:]) == 0


def test_a_file_beside_a_protocol_name_is_only_a_file(tmp_path: Path) -> None:
    path = tmp_path / "concat:a%03d|b?.flac"
    path.write_bytes((DEMO / "ambi_choir.flac").read_bytes())
    assert inspect(path).frames == soundfile.info(DEMO / "ambi_choir.flac").frames


def test_errors_are_typed(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        inspect(tmp_path / "nowhere.flac")
    with pytest.raises(FileMissing):
        Decoder(tmp_path / "nowhere.flac")
    with pytest.raises(ValueError, match="start_frame"):
        Decoder(DEMO / "drum_roll.flac", -1)
    with pytest.raises(DecodeError, match="regular"):
        inspect(tmp_path)


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("frames", [0, 1_000, 1 << 20])
def test_what_is_closed_is_freed_at_once(made: Files, tmp_path: Path, frames: int, damaged: bool) -> None:
    """A player goes through thousands of files: buffers that wait for the collector of garbage add up."""
    data = made("flac-16").path.read_bytes()
    path = tmp_path / "song.flac"
    path.write_bytes(data[: len(data) // 2] if damaged else data)
    gc.collect()
    gc.disable()
    try:
        decoder = Decoder(path, 500)
        gone = weakref.ref(decoder)
        with suppress(DecodeError):
            while frames and len(decoder.read(frames)) == 1 << 20:
                pass
            decoder.read(frames)
        decoder.close()
        del decoder
        assert gone() is None
    finally:
        gc.enable()


def test_reading_a_short_file_over_and_over_leaks_no_descriptors(made: Files) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for start in range(0, 100_000, 5_000):
        with Decoder(made("opus").path, start) as decoder:
            decoder.read(10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    "name", sorted(path.name for path in DEMO.iterdir() if path.suffix in {".ogg", ".wv"})
)
def test_demo_tracks_seek_exactly(name: str) -> None:
    seeks_are_exact(DEMO / name, 12)


@pytest.mark.skipif(MUSIC is None, reason="TONEARM_TEST_MUSIC is not set")
@pytest.mark.parametrize(
    "name",
    ["06_starfall.ogg", "casualties_of_war.ogg", "machine_wars.mp3", "warzone_menu.opus", "vengeful.ogg"],
)
def test_real_music_seeks_exactly(name: str) -> None:
    assert MUSIC is not None
    seeks_are_exact(MUSIC / name, 20)


@pytest.mark.skipif(MUSIC is None, reason="TONEARM_TEST_MUSIC is not set")
def test_every_exact_length_of_the_music_is_the_length_decoded() -> None:
    assert MUSIC is not None
    files = [
        path
        for path in (*MUSIC.iterdir(), *(MUSIC / "fixtures").iterdir())
        if path.suffix in {".ogg", ".flac", ".opus", ".mp3", ".wv", ".wav", ".m4a", ".ape", ".aiff"}
        and path.stat().st_size < 3_000_000
        and path.name != "oldape.ape"
    ]
    assert len(files) > 20
    for path in files:
        info = inspect(path)
        if info.frames_exact:
            assert len(whole(path)) == info.frames, path.name


@pytest.mark.skipif(MUSIC is None, reason="TONEARM_TEST_MUSIC is not set")
@pytest.mark.parametrize(
    "name", ["06_starfall.ogg", "nunc_dimittis.ogg", "warzone_menu.opus", "A New Journey.ogg"]
)
def test_real_music_agrees_with_libsndfile(name: str) -> None:
    assert MUSIC is not None
    expected, _ = soundfile.read(MUSIC / name, dtype="float32", always_2d=True)
    np.testing.assert_allclose(whole(MUSIC / name), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM"])
def test_adpcm_is_found_again_at_any_position(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "adpcm.wav"
    tone = 0.5 * np.sin(np.arange(220_000, dtype=np.float64) / 30.0)
    soundfile.write(path, np.stack([tone, tone[::-1]], axis=1), 44_100, subtype=subtype)
    entire = whole(path)
    for start in (1, 1_000, 99_999, 180_000, 215_000):
        with Decoder(path, start) as decoder:
            np.testing.assert_array_equal(decoder.read(4_096), entire[start : start + 4_096])
