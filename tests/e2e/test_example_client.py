"""The client that is written from the protocol's page alone, as a process, against the real program."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from music import DEMO, clip
from server import RunningServer, serving, wait_until

from tonearm.rendering.offline import master_file

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("example_client")]

CLIENT = Path(__file__).parents[2] / "examples" / "play.py"
TITLE = "loop_tabla"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serving(
        tmp_path_factory.mktemp("server"), DEMO, TONEARM_FINGERPRINTS__BACKGROUND="false"
    ) as running:
        measured = f"{running.url}/api/tracks/{running.track_id(TITLE)}/fingerprint"
        wait_until(lambda: httpx.get(measured).status_code == 200)
        yield running


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    path = tmp_path_factory.mktemp("offline") / "master.wav"
    master_file(clip(f"{TITLE}.flac"), path, bit_depth="32f", passes=1)
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def run(
    server: RunningServer, track_id: int, path: Path, transport: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(CLIENT), server.address, str(track_id), str(path), transport]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("transport", ["base64", "binary"])
def test_what_it_plays_is_the_offline_master(
    server: RunningServer, offline: np.ndarray, transport: str, tmp_path: Path
) -> None:
    done = run(server, server.track_id(TITLE), tmp_path / "played.wav", transport)
    assert done.returncode == 0, done.stderr
    first, plan, *reasons, last = done.stdout.splitlines()
    assert first.endswith("on fingerprint")
    assert plan == "plan: fingerprint, adaptive at 1.0"
    assert any(line.startswith("  target_lufs: ") for line in reasons)
    assert last == "completed"
    played, rate = soundfile.read(tmp_path / "played.wav", dtype="float32", always_2d=True)
    assert rate == soundfile.info(clip(f"{TITLE}.flac")).samplerate
    np.testing.assert_array_equal(played, offline)


def test_it_says_what_the_server_cannot_play(server: RunningServer, tmp_path: Path) -> None:
    done = run(server, 10**6, tmp_path / "nothing.wav", "binary")
    assert done.returncode == 1
    assert done.stderr.startswith("TRACK_NOT_FOUND: ")


def test_it_is_short_and_knows_nothing_of_the_server() -> None:
    text = CLIENT.read_text()
    assert len(text.splitlines()) < 60
    imported = {
        line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))
    }
    assert imported <= {*sys.stdlib_module_names, "websockets"}
