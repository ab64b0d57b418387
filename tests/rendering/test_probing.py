"""Probing files: where the windows lie, when it stops, how near it comes, what it refuses."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import by_ffmpeg, by_libsndfile
from music import DEMO, clip
from truth import decoded, lufs, true_peak_dbtp

from tonearm.audio.excerpts import Excerpts
from tonearm.model.errors import DecodeError, FileMissing, NotEnoughAudio
from tonearm.rendering.probing import LEAST_WINDOWS, WINDOWS, probe_file

RATE = 44_100


def still() -> float:
    """A clock on which no time passes."""
    return 0.0


def ticking(step: float = 1.0) -> "Iterator[float]":
    now = 0.0
    while True:
        yield now
        now += step


def staircase(folder: Path, seconds: int = 160) -> Path:
    """Noise whose level rises by 0.1 dB a second, so that a level tells the time."""
    rng = np.random.default_rng(1)
    gains = np.repeat(10 ** (np.arange(seconds) * 0.1 / 20), 8_000)[:, None]
    sound = (0.02 * gains * rng.standard_normal((seconds * 8_000, 1))).astype(np.float32)
    return by_libsndfile(folder / "stairs.wav", sound, 8_000, "FLOAT")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Forty seconds of tabla, now louder, now softer, in 16-bit FLAC."""
    folder = tmp_path_factory.mktemp("song")
    tabla, _ = soundfile.read(DEMO / "loop_tabla.flac", dtype="float32", always_2d=True)
    # Lengths that are no multiple of each other, or the windows would always meet the same beats.
    parts = ((2.0, 9.1), (2.8, 10.3), (1.6, 7.7), (3.0, 6.9), (2.0, 8.3))
    sound = np.concatenate([np.float32(gain) * tabla[: round(s * RATE)] for gain, s in parts])
    return by_libsndfile(folder / "song.flac", sound, RATE, "PCM_16"), sound


def test_sixteen_windows_where_there_is_time(tmp_path: Path):
    probe = probe_file(staircase(tmp_path), still)
    assert (probe.windows, probe.seconds) == (WINDOWS, 32.0)
    sound, rate = decoded(str(tmp_path / "stairs.wav"))
    assert probe.lufs == pytest.approx(lufs(sound, rate), abs=0.3)


def test_four_windows_where_there_is_none(tmp_path: Path):
    clock = ticking()
    probe = probe_file(staircase(tmp_path), lambda: next(clock), budget_s=0.0)
    assert probe.windows == LEAST_WINDOWS
    # The middles of the four quarters, each 8 s earlier: 5, 85, 45 and 125 s.
    sound, rate = decoded(str(tmp_path / "stairs.wav"))
    middles = [sound[(second - 1) * rate : (second + 1) * rate] for second in (5, 85, 45, 125)]
    assert probe.lufs == pytest.approx(lufs(np.concatenate(middles), rate), abs=0.15)


@pytest.mark.parametrize("windows", [4, 5, 9, 16])
def test_no_window_is_begun_after_the_time_is_over(tmp_path: Path, windows: int):
    # One look at the clock sets the deadline, then one before every window after the fourth.
    clock = ticking()
    budget_s = windows - LEAST_WINDOWS + 0.5
    assert probe_file(staircase(tmp_path), lambda: next(clock), budget_s).windows == windows


@pytest.mark.parametrize("seconds", [0.4, 1.57, 7.9])
def test_a_short_track_is_measured_whole(tmp_path: Path, seconds: float):
    rng = np.random.default_rng(2)
    sound = (0.1 * rng.standard_normal((round(seconds * RATE), 2))).astype(np.float32)
    clock = ticking()
    probe = probe_file(by_libsndfile(tmp_path / "short.wav", sound, RATE, "FLOAT"), lambda: next(clock), 0.0)
    assert probe.windows == 1
    assert probe.seconds == pytest.approx(seconds, abs=1 / RATE)
    assert probe.lufs == pytest.approx(lufs(sound, RATE), abs=0.03)
    assert probe.true_peak_dbtp == pytest.approx(true_peak_dbtp(sound), abs=0.01)


def test_windows_never_overlap(tmp_path: Path):
    sound = 0.1 * np.random.default_rng(3).standard_normal((11 * 8_000, 1)).astype(np.float32)
    probe = probe_file(by_libsndfile(tmp_path / "short.wav", sound, 8_000, "FLOAT"), still)
    assert (probe.windows, probe.seconds) == (5, 10.0)


def test_the_peak_is_never_higher_than_the_tracks(song: tuple[Path, np.ndarray]):
    path, sound = song
    probe = probe_file(path, still)
    assert probe.true_peak_dbtp <= true_peak_dbtp(sound) + 0.01
    assert probe.lufs == pytest.approx(lufs(sound, RATE), abs=1.0)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "sample_format"),
    [
        ("song.mp3", "libmp3lame", 44_100, "fltp"),
        ("song.opus", "libopus", 48_000, "flt"),
        ("song.m4a", "aac", 44_100, "fltp"),
        ("song.aac", "aac", 44_100, "fltp"),
        ("song.wv", "wavpack", 44_100, "s16p"),
        ("song.mka", "flac", 44_100, "s16"),
    ],
)
def test_every_kind_of_file_can_be_probed(
    tmp_path: Path, song: tuple[Path, np.ndarray], name: str, codec: str, rate: int, sample_format: str
):
    _, sound = song
    probe = probe_file(by_ffmpeg(tmp_path / name, sound, rate, codec, sample_format), still)
    assert probe.windows == WINDOWS
    assert probe.seconds == pytest.approx(32.0, abs=0.5)  # the length of raw AAC is guessed
    assert probe.lufs == pytest.approx(lufs(sound, rate), abs=1.0)


@pytest.mark.parametrize("kind", ["vorbis", "flac", "wav"])
def test_an_excerpt_lies_within_a_second_of_its_place(tmp_path: Path, kind: str):
    # Every second another frequency.
    seconds = np.arange(60 * RATE) // RATE
    sound = (0.3 * np.sin(2 * np.pi * (200 + 100 * seconds) * np.arange(60 * RATE) / RATE))[:, None]
    path = tmp_path / ("tones.ogg" if kind == "vorbis" else f"tones.{kind}")
    with soundfile.SoundFile(path, "w", RATE, 1, "VORBIS" if kind == "vorbis" else "PCM_16") as file:
        for part in np.split(sound, 60):  # libsndfile's Vorbis encoder crashes on a minute at once
            file.write(part)
    with Excerpts(path) as excerpts:
        for second in (30, 3, 58, 0, 17):
            excerpt = excerpts.read(second * RATE, RATE // 2)
            assert excerpt.shape == (RATE // 2, 1)
            spectrum = np.abs(np.fft.rfft(excerpt[: RATE // 10, 0]))
            found = (np.argmax(spectrum) * 10 - 200) / 100
            assert abs(found - second) <= 1.1


def test_what_cannot_be_probed(tmp_path: Path):
    text = tmp_path / "shopping.mp3"
    text.write_text("milk, bread, eggs\n" * 100)
    with pytest.raises(DecodeError):
        probe_file(text)
    with pytest.raises(FileMissing):
        probe_file(tmp_path / "nothing.flac")
    for name, seconds in (("short", 0.3), ("silent", 40.0)):
        silence = np.zeros((round(seconds * 8_000), 1), np.float32)
        with pytest.raises(NotEnoughAudio):
            probe_file(by_libsndfile(tmp_path / f"{name}.wav", silence, 8_000, "PCM_16"))


def test_a_damaged_stretch_costs_no_more_than_its_windows(tmp_path: Path, song: tuple[Path, np.ndarray]):
    _, sound = song
    whole = by_ffmpeg(tmp_path / "song.mp3", sound, RATE, "libmp3lame")
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = bytes(len(data) // 20)
    damaged = tmp_path / "damaged.mp3"
    damaged.write_bytes(data)
    assert probe_file(damaged, still).lufs == pytest.approx(probe_file(whole, still).lufs, abs=1.0)


def test_a_probe_of_a_file_that_was_cut_off_is_of_what_is_there(
    tmp_path: Path, song: tuple[Path, np.ndarray]
):
    path, _ = song
    cut = tmp_path / "cut.flac"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    probe = probe_file(cut, still)
    assert 4 <= probe.windows <= WINDOWS
    assert probe.seconds < 32.0


def test_probing_a_clip_costs_no_second_look(song: tuple[Path, np.ndarray]):
    assert probe_file(clip("loop_tabla.flac"), still) == probe_file(clip("loop_tabla.flac"), still)
