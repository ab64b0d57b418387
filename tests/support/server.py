"""The real program as a process, and a plain client that plays from it."""

import base64
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import ClientConnection, connect

READY_S = 90.0
PLAY_S = 120.0
_ADDRESS = re.compile(r"http://(127\.0\.0\.1:\d+)")


@dataclass
class RunningServer:
    """A started ``tonearm serve`` and what it wrote so far."""

    process: subprocess.Popen[str]
    address: str
    data_dir: Path
    output: list[str]

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def get(self, path: str, **params: Any) -> Any:
        answer = httpx.get(self.url + path, params=params, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def get_text(self, path: str) -> str:
        return httpx.get(self.url + path, timeout=20).raise_for_status().text

    def metric(self, name: str, **labels: str) -> float | None:
        """One number of ``/metrics``; None where it is not shown."""
        families = text_string_to_metric_families(self.get_text("/metrics"))
        samples = (sample for family in families for sample in family.samples)
        return next((found.value for found in samples if (found.name, found.labels) == (name, labels)), None)

    def log(self) -> str:
        return "\n".join(self.output)

    def tracks(self) -> list[dict[str, Any]]:
        return self.get("/api/library/tracks", limit=500)["tracks"]

    def track_id(self, title: str) -> int:
        return next(track["id"] for track in self.tracks() if track["title"] == title)

    @contextmanager
    def socket(self, query: str = "") -> Iterator[ClientConnection]:
        with connect(f"ws://{self.address}/ws{query}", max_size=None, compression=None) as connection:
            yield connection


def _pump(process: subprocess.Popen[str], lines: list[str], seen: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        seen.put(line)


def environment(home: Path, **extra: str) -> dict[str, str]:
    """The environment of a user with an empty home; compiled kernels are shared between tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TONEARM_")}
    return {**kept, "HOME": str(home), "XDG_DATA_HOME": str(home / "share"), "PYTHONUNBUFFERED": "1", **extra}


@contextmanager
def serving(
    folder: Path,
    music: Path,
    arguments: Sequence[str] = (),
    *,
    wait_scan: bool = True,
    python: str = sys.executable,
    **extra: str,
) -> Iterator[RunningServer]:
    """Run ``tonearm serve MUSIC`` with its data below ``folder`` until the block ends."""
    home = folder / "home"
    data_dir = folder / "data"
    home.mkdir(parents=True, exist_ok=True)
    command = [
        python,
        "-m",
        "tonearm",
        "serve",
        str(music),
        "--port",
        "0",
        "--data-dir",
        str(data_dir),
    ]
    process = subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(home, **extra),
        cwd=folder,
    )
    lines: list[str] = []
    seen: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_pump, args=(process, lines, seen), daemon=True)
    reader.start()
    try:
        server = RunningServer(process, _wait_for_address(process, lines, seen), data_dir, lines)
        own = {"fingerprint_server"} if "--fingerprint-server" not in arguments else set()
        wait_until(lambda: _works(server, {"database", "kernels"} | own))
        if wait_scan:
            wait_until(lambda: server.get("/api/library/scan/status")["state"] in {"complete", "failed"})
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server did not stop within 10 s\n" + "\n".join(lines)) from None
        finally:
            reader.join(timeout=5)
            assert process.stdout is not None
            process.stdout.close()


def _wait_for_address(process: subprocess.Popen[str], lines: list[str], seen: "queue.Queue[str]") -> str:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            match = _ADDRESS.search(seen.get(timeout=0.2))
        except queue.Empty:
            if process.poll() is not None:
                break
            continue
        if match:
            return match.group(1)
    raise AssertionError("the server did not say where it listens:\n" + "\n".join(lines))


def _works(server: RunningServer, parts: set[str]) -> bool:
    components = httpx.get(server.url + "/api/ready", timeout=20).json()["components"]
    return all(components[part] == "ok" for part in parts)


def wait_until(condition: Any, timeout_s: float = READY_S) -> None:
    """Ask again until the condition holds; fails with the last thing seen."""
    deadline = time.monotonic() + timeout_s
    seen: object = None
    while time.monotonic() < deadline:
        try:
            seen = condition()
        except httpx.HTTPError as error:
            seen = error
        else:
            if seen:
                return
        time.sleep(0.05)
    raise AssertionError(f"still not so after {timeout_s} s: {seen!r}")


@dataclass
class Played:
    """Everything one stream said, and its samples ``[frames, channels]``."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)
    channels: int = 0

    def data(self, kind: str) -> list[dict[str, Any]]:
        return [message["data"] for message in self.messages if message["type"] == kind]

    @property
    def start(self) -> dict[str, Any]:
        (start,) = self.data("audio_stream_start")
        return start

    @property
    def end(self) -> dict[str, Any]:
        (end,) = self.data("audio_stream_end")
        return end

    @property
    def progress(self) -> list[str]:
        return [data["status"] for data in self.data("fingerprint_progress")]

    @property
    def samples(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        values = np.concatenate(self.parts) if self.parts else np.zeros(0, np.float32)
        return values.reshape(-1, self.channels or 1)


def play(
    server: RunningServer, kind: str = "play_enhanced", *, transport: str = "binary", **data: Any
) -> Played:
    """Play one track to its end over a fresh connection."""
    with server.socket() as connection:
        connection.send(json.dumps({"type": kind, "data": {"transport": transport, **data}}))
        return receive_stream(connection)


def receive_stream(connection: ClientConnection, played: Played | None = None) -> Played:
    """Read until the stream's end (or an error without a start)."""
    played = played or Played()
    deadline = time.monotonic() + PLAY_S
    while True:
        raw = connection.recv(timeout=max(0.1, deadline - time.monotonic()))
        assert isinstance(raw, str), "a binary message came without its meta"
        message = json.loads(raw)
        played.messages.append(message)
        kind, data = message["type"], message.get("data", {})
        if kind == "audio_stream_start":
            played.channels = data["channels"]
        elif kind == "audio_chunk":
            played.parts.append(np.frombuffer(base64.b64decode(data["samples"]), dtype="<f4"))
            assert len(played.parts[-1]) == data["sample_count"] * played.channels
        elif kind == "audio_chunk_meta":
            payload = connection.recv(timeout=10)
            assert isinstance(payload, bytes), "no payload after its meta"
            kind = "<i2" if data["sample_format"] == "s16le" else "<f4"
            played.parts.append(np.frombuffer(payload, dtype=kind))
            assert len(played.parts[-1]) == data["sample_count"]
        elif kind == "audio_stream_end" or (kind == "audio_stream_error" and not played.channels):
            return played
