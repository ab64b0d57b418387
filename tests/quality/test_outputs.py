"""The identity of socket, HTTP and file, by a real server."""

from pathlib import Path

import numpy as np
import pytest
from music import DEMO, clip
from quality.outputs import by_the_plan, gathered, one_of_each, three_outputs
from verdicts import assert_inside, assert_refused


@pytest.mark.e2e
def test_socket_http_and_file_are_the_same_samples(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    files = gathered([clip("drum_roll.flac")], clip("loop_tabla.flac"), tmp_path / "music", [])
    findings = list(three_outputs(files, tmp_path))
    assert {finding.material for finding in findings} == {
        "socket, binary",
        "socket, base64",
        "HTTP, wav",
        "HTTP, flac",
    }
    assert_inside(findings)


def test_another_sample_another_plan_and_a_lost_frame_are_refused() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (1_000, 2)).astype(np.float32)
    other = x.copy()
    other[500, 1] = np.nextafter(other[500, 1], np.float32(1))
    assert_inside([by_the_plan("fingerprint", x, x, "", "")])
    assert_refused(
        by_the_plan(state, found, x, "", "")
        for state, found in (
            ("fingerprint", other),
            ("fingerprint", x[:-1]),
            ("provisional", x),
            ("refused: 503", x),
        )
    )


def test_one_of_each_kind_is_played() -> None:
    found = {path.name for path in one_of_each(sorted(DEMO.iterdir())[1:])}
    assert {"drum_roll.flac", "loop_tabla.flac", "teeworlds_menu.wv", "Chimes They Fade.ogg"} <= found
    assert "ambi_choir.flac" not in found, "too short to be measured"
