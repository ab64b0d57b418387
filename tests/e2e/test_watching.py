"""Music that comes and goes while the server runs."""

import itertools
import shutil
from pathlib import Path

import pytest
from music import clip
from server import RunningServer, serving, wait_until

pytestmark = [pytest.mark.e2e]


def titles(server: RunningServer) -> list[str]:
    return sorted(track["title"] for track in server.tracks())


def test_a_file_that_is_copied_in_appears_and_one_that_is_deleted_goes(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    stays = shutil.copy(clip("drum_roll.flac"), music / "stays.flac")
    with serving(tmp_path, music) as server:
        assert len(titles(server)) == 1
        new = music / "new album" / "choir.flac"
        new.parent.mkdir()

        attempts = itertools.count()

        def appears() -> bool:
            # What is written before the watch has begun is for the next scan of everything.
            if next(attempts) % 40 == 0:
                shutil.copy(clip("ambi_choir.flac"), new)
            return len(server.tracks()) == 2

        wait_until(appears)
        new.unlink()
        wait_until(lambda: len(server.tracks()) == 1)
        assert Path(stays).exists()
        server.process.terminate()
        assert server.process.wait(10) == 0
