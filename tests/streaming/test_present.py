"""A file that was replaced since the scan is played as what it is now."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scanned import scanned

from tonearm.audio.signature import file_signature
from tonearm.model.audio import AudioFormat
from tonearm.model.errors import DecodeError, FileMissing
from tonearm.model.track import Track
from tonearm.streaming.present import PresentTracks

NOW = datetime(2024, 1, 1, tzinfo=UTC)


class OneTrack:
    """A library that goes by what the scan saw."""

    def __init__(self, path: Path) -> None:
        file = replace(scanned(path), signature=file_signature(path))
        self.track = Track(1, path, file.signature, file.info, file.tags, created_at=NOW, updated_at=NOW)

    def get(self, track_id: int) -> Track:
        return self.track


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros((1_000, 2)), 44_100)
    return path


def test_an_unchanged_file_is_as_the_library_knows_it(path: Path) -> None:
    library = OneTrack(path)
    assert PresentTracks(library).get(1) is library.track


def test_another_file_in_its_place_has_its_own_signature_and_format(path: Path) -> None:
    library = OneTrack(path)
    soundfile.write(path, np.zeros((3_000, 1)), 96_000)
    track = PresentTracks(library).get(1)
    assert track.signature == file_signature(path) != library.track.signature
    assert (track.info.format, track.info.frames) == (AudioFormat(96_000, 1), 3_000)
    assert track.tags == library.track.tags


def test_a_file_that_has_gone_is_missing(path: Path) -> None:
    tracks = PresentTracks(OneTrack(path))
    path.unlink()
    with pytest.raises(FileMissing):
        tracks.get(1)


def test_what_took_its_place_is_not_waited_for(path: Path) -> None:
    tracks = PresentTracks(OneTrack(path))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileMissing):
        tracks.get(1)
    path.unlink()
    path.write_text("no sound at all")
    with pytest.raises(DecodeError):
        tracks.get(1)
