"""A file's analysis is that of its samples."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from music import clip
from sounds import analysed, noise

from tonearm.model.errors import DecodeError, FileMissing, NotEnoughAudio
from tonearm.rendering.measure import measure_file


def test_a_lossless_file_measures_as_its_samples():
    path = clip("ambi_piano.flac")
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert measure_file(path) == analysed(samples, rate)


def test_progress_ends_at_the_last_frame():
    told: list[int] = []
    analysis = measure_file(clip("drum_roll.flac"), told.append)
    assert told == sorted(told)
    assert told[-1] == analysis.measures.frames


def test_what_the_listener_raises_ends_the_work():
    def stop(_frames: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        measure_file(clip("drum_roll.flac"), stop)


def test_a_file_that_is_cut_off_is_not_measured(tmp_path: Path):
    whole = clip("drum_roll.flac").read_bytes()
    path = tmp_path / "cut.flac"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DecodeError):
        measure_file(path)


def test_what_is_no_audio_or_not_there_or_silent_says_so(tmp_path: Path):
    text = tmp_path / "text.wav"
    text.write_text("not audio")
    with pytest.raises(DecodeError):
        measure_file(text)
    with pytest.raises(FileMissing):
        measure_file(tmp_path / "absent.wav")
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros((44_100, 2)), 44_100)
    with pytest.raises(NotEnoughAudio):
        measure_file(silent)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_reach_the_meters(tmp_path: Path, channels: int):
    x = np.repeat(noise(1.0)[:, :1], channels, axis=1)
    path = tmp_path / "noise.wav"
    soundfile.write(path, x, 44_100, subtype="FLOAT")
    assert measure_file(path).fingerprint.lufs == pytest.approx(analysed(x, 44_100).fingerprint.lufs)
