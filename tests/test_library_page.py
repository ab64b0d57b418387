"""The page on Tonearm as a library, run as it stands."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from music import REPOSITORY, clip
from truth import decoded, true_peak_dbtp

import tonearm

PAGE = REPOSITORY / "docs" / "library.md"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the page's blocks leave behind, run as one script beside a ``song.flac``."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "song.flac").write_bytes(clip("loop_tabla.flac").read_bytes())
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 7
    script = folder / "page.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return {**runpy.run_path(str(script)), "folder": folder}


def test_the_chain_of_the_page_masters_the_song(ran: dict[str, object]) -> None:
    source, _ = decoded(str(clip("loop_tabla.flac")))
    mastered, second = ran["mastered"], ran["second"]
    assert isinstance(mastered, np.ndarray)
    assert isinstance(second, np.ndarray)
    assert mastered.shape == source.shape
    assert true_peak_dbtp(mastered) <= -1.0 + 0.02
    assert len(second) + len(np.asarray(ran["first"])) == len(source)


def test_the_files_of_the_page_are_written(ran: dict[str, object]) -> None:
    folder = ran["folder"]
    assert isinstance(folder, Path)
    for name in ("song mastered.wav", "album/song.flac"):
        assert true_peak_dbtp(decoded(str(folder / name))[0]) <= -1.0 + 0.02


def test_every_public_name_is_there_and_documented() -> None:
    for name in tonearm.__all__:
        assert getattr(tonearm, name).__doc__, name
