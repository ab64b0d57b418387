"""The fingerprint server is dead, deaf or lying: music plays at once, and the listener is told."""

import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from fingerprint_server import children
from liars import answering, free_port, plausible
from music import DEMO, clip
from plays import assert_music_in_standard_mastering, begin_and_hold, release
from server import environment, play, serving, wait_until
from truth import decoded

from tonearm.model.errors import FingerprintServerDown

pytestmark = [pytest.mark.e2e]


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


def _answering_24_numbers(stack: ExitStack, folder: Path) -> str:
    fingerprint = plausible()
    fingerprint.ClearField("chroma_energy")
    return stack.enter_context(answering(fingerprint))


def _answering_a_nan(stack: ExitStack, folder: Path) -> str:
    fingerprint = plausible()
    fingerprint.tempo_bpm = math.nan
    return stack.enter_context(answering(fingerprint))


@pytest.mark.parametrize("fault", [_killed, _answering_24_numbers, _answering_a_nan])
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
                # However slow the machine, the answer is heard before the sound begins.
                TONEARM_STREAMING__START_WAIT_S="60",
            )
        )
        track_id = server.track_id("loop_tabla")
        source, _ = decoded(str(clip("loop_tabla.flac")))
        assert_music_in_standard_mastering(play(server, track_id=track_id), source)
        assert "Streaming with standard adaptive mastering" in server.log()
        assert "Adaptive mastering will use fingerprint-optimized parameters" not in server.log()
        with pytest.raises(httpx.HTTPStatusError) as missing:
            server.get(f"/api/tracks/{track_id}/fingerprint")
        assert missing.value.response.status_code == 404
        assert_music_in_standard_mastering(play(server, track_id=track_id), source)


def test_killed_in_the_middle_of_a_measurement(tmp_path: Path) -> None:
    port = free_port()
    with (
        real_fingerprint_server(tmp_path, port) as process,
        serving(
            tmp_path,
            DEMO,
            ["--fingerprint-server", f"127.0.0.1:{port}"],
            TONEARM_FINGERPRINTS__BACKGROUND="false",
            TONEARM_STREAMING__LEAD_S="600",
        ) as server,
        ExitStack() as stack,
    ):
        wait_until(lambda: httpx.get(server.url + "/api/ready").status_code == 200)
        # Workers that stand still keep the measurement in its middle, however fast the machine.
        for worker in children(process.pid):
            os.kill(worker, signal.SIGSTOP)
            stack.callback(_end, worker)
        connection = stack.enter_context(server.socket())
        played = begin_and_hold(connection, "play_enhanced", track_id=server.track_id("Vibe Ace"))
        assert played.progress == ["analyzing", "analyzing"]
        process.kill()
        wait_until(lambda: "Fingerprint server gave none" in server.log())
        release(connection, played)
        source, _ = decoded(str(clip("Kevin_MacLeod_-_Vibe_Ace.ogg")))
        assert_music_in_standard_mastering(played, source)
        said = played.data("fingerprint_progress")[-1]["message"]
        assert said.startswith(FingerprintServerDown.sentence)
        # What the next one hears is decided anew.
        again = play(server, track_id=server.track_id("loop_tabla"))
        assert (again.progress, again.start["mastering_state"]) == (["analyzing", "failed"], "standard")


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


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


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
