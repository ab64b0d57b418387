"""The fingerprint server is dead, deaf or lying: music plays at once, and the listener is told."""

import math
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from liars import answering, free_port, hanging, plausible
from music import DEMO, clip
from server import Played, environment, play, serving, wait_until
from truth import decoded, true_peak_dbtp

pytestmark = [pytest.mark.e2e]
START_WAIT_S = 1.0


@contextmanager
def real_fingerprint_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``tonearm fingerprint-server`` by itself, up when the block starts."""
    command = [sys.executable, "-m", "tonearm", "fingerprint-server", "--listen", f"127.0.0.1:{port}"]
    home = folder / "fingerprint-home"
    home.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [*command, "--root", str(DEMO), "--workers", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.PIPE,
        env=environment(home),
    )
    try:
        wait_until(lambda: _listens(port))
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _killed(stack: ExitStack, folder: Path) -> str:
    port = free_port()
    process = stack.enter_context(real_fingerprint_server(folder, port))
    process.send_signal(signal.SIGKILL)
    process.wait()
    return f"127.0.0.1:{port}"


def _refusing(stack: ExitStack, folder: Path) -> str:
    return f"127.0.0.1:{free_port()}"


def _hung(stack: ExitStack, folder: Path) -> str:
    return stack.enter_context(hanging())


def _answering_24_numbers(stack: ExitStack, folder: Path) -> str:
    fingerprint = plausible()
    fingerprint.ClearField("chroma_energy")
    return stack.enter_context(answering(fingerprint))


def _answering_a_nan(stack: ExitStack, folder: Path) -> str:
    fingerprint = plausible()
    fingerprint.tempo_bpm = math.nan
    return stack.enter_context(answering(fingerprint))


def assert_music_in_standard_mastering(played: Played, name: str) -> None:
    source, _ = decoded(str(clip(name)))
    assert played.progress[0] == "analyzing"
    assert played.progress[-1] == "failed"
    assert "complete" not in played.progress
    assert played.start["mastering_state"] == "standard"
    plans = played.data("mastering_plan")
    assert plans
    assert {plan["state"] for plan in plans} == {"standard"}
    assert played.end["reason"] == "completed"
    assert played.samples.shape == source.shape
    assert np.isfinite(played.samples).all()
    assert float(np.sqrt(np.mean(played.samples**2))) > 1e-3, "silence is not music"
    assert true_peak_dbtp(played.samples) <= -1.0 + 0.02


@pytest.mark.parametrize("fault", [_killed, _refusing, _hung, _answering_24_numbers, _answering_a_nan])
def test_music_plays_in_standard_mastering_and_says_so(fault, tmp_path: Path) -> None:
    with ExitStack() as stack:
        address = fault(stack, tmp_path)
        server = stack.enter_context(
            serving(
                tmp_path,
                DEMO,
                ["--fingerprint-server", address],
                TONEARM_FINGERPRINTS__BACKGROUND="false",
                TONEARM_STREAMING__LEAD_S="600",
                TONEARM_STREAMING__START_WAIT_S=str(START_WAIT_S),
            )
        )
        track_id = server.track_id("loop_tabla")
        began = time.monotonic()
        played = play(server, track_id=track_id)
        assert_music_in_standard_mastering(played, "loop_tabla.flac")
        assert time.monotonic() - began < START_WAIT_S + 15
        assert "Streaming with standard adaptive mastering" in server.log()
        assert "Adaptive mastering will use fingerprint-optimized parameters" not in server.log()
        with pytest.raises(httpx.HTTPStatusError) as missing:
            server.get(f"/api/tracks/{track_id}/fingerprint")
        assert missing.value.response.status_code == 404
        again = play(server, track_id=track_id)
        assert_music_in_standard_mastering(again, "loop_tabla.flac")


def test_when_the_fingerprint_server_comes_back_the_next_play_uses_it(tmp_path: Path) -> None:
    port = free_port()
    with serving(
        tmp_path,
        DEMO,
        ["--fingerprint-server", f"127.0.0.1:{port}"],
        TONEARM_FINGERPRINTS__BACKGROUND="false",
        TONEARM_STREAMING__LEAD_S="600",
        TONEARM_STREAMING__START_WAIT_S="60",
    ) as server:
        track_id = server.track_id("loop_tabla")
        assert play(server, track_id=track_id).start["mastering_state"] == "standard"
        assert server.get("/api/health")["status"] == "healthy"
        assert httpx.get(server.url + "/api/ready").status_code == 503
        with real_fingerprint_server(tmp_path, port):
            wait_until(lambda: httpx.get(server.url + "/api/ready").status_code == 200)
            played = play(server, track_id=track_id)
            assert played.progress[-1] == "complete"
            assert played.data("mastering_plan")[-1]["state"] == "fingerprint"


def test_the_supervised_fingerprint_server_is_started_again_after_a_kill(tmp_path: Path) -> None:
    with serving(
        tmp_path,
        DEMO,
        TONEARM_FINGERPRINTS__BACKGROUND="false",
        TONEARM_STREAMING__LEAD_S="600",
        TONEARM_STREAMING__START_WAIT_S="60",
    ) as server:
        wait_until(lambda: httpx.get(server.url + "/api/ready").status_code == 200)
        (child,) = _children(server.process.pid, "fingerprints.service.server")
        subprocess.run(["kill", "-9", str(child)], check=True)
        wait_until(lambda: httpx.get(server.url + "/api/ready").status_code == 503, timeout_s=5)
        wait_until(lambda: httpx.get(server.url + "/api/ready").status_code == 200)
        played = play(server, track_id=server.track_id("loop_tabla"))
        assert played.data("mastering_plan")[-1]["state"] == "fingerprint"


def _children(pid: int, word: str) -> list[int]:
    """Process ids below ``pid`` whose command line holds ``word``."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
            command = (status.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid and word in command:
            found.append(int(status.parent.name))
    return found
