"""A server as a process of its own, and what it takes of the machine."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

_READY_WITHIN_S: Final = 300.0
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)")
_DEMO: Final = Path(__file__).parents[1] / "demo"


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of a process and all below it; memory and open handles of the process itself.

    ``own`` is the memory that no file stands behind.
    """

    cpu_s: float
    own: int
    rss: int
    pss: int
    handles: int


@dataclass(frozen=True, slots=True)
class Track:
    """A track of the library, as far as a listener has to know it."""

    number: int
    seconds: float
    title: str
    status: str
    """``pending``, ``complete``, or why there is no fingerprint."""


def music() -> Path:
    """The folder that is played."""
    return Path(os.environ.get("TONEARM_TEST_MUSIC") or _DEMO)


def percentiles(seconds: Sequence[float], *ranks: int) -> str:
    """Milliseconds, with a stroke between them."""
    return " / ".join(f"{1e3 * np.percentile(seconds, rank):.0f}" for rank in ranks) if seconds else "-"


@contextmanager
def serving(folder: Path, *roots: Path, **settings: str) -> Iterator[tuple[int, int]]:
    """Run ``tonearm serve`` with its data in ``folder`` until the block ends: its process, its port."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TONEARM_")}
    environment = kept | {
        "TONEARM_LIMITS__STREAMS_TOTAL": "5000",
        "TONEARM_LIMITS__STREAMS_PER_CLIENT": "5000",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    log = (folder / "serve.log").open("w+", encoding="utf-8")
    command = [sys.executable, "-m", "tonearm", "serve", *map(str, roots), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data-dir", str(folder / "data")],
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        # As a service has it: some systems share out the cores by session.
        start_new_session=True,
    )
    try:
        yield process.pid, _port(process, folder / "serve.log")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()


def _port(process: "subprocess.Popen[str]", log: Path) -> int:
    while process.poll() is None:
        match = _ADDRESS.search(log.read_text(encoding="utf-8"))
        if match:
            return int(match.group(1))
        time.sleep(0.1)
    raise SystemExit(f"the server did not start:\n{log.read_text(encoding='utf-8')}")


def ask(port: int, path: str, body: Any = None) -> Any:
    """What the server answers to a GET, or to a POST of ``body`` as JSON.

    Raises:
        RuntimeError: it refuses.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    if body is None:
        connection.request("GET", path)
    else:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.load(response)
    connection.close()
    # /api/ready says 503 until it is.
    if response.status >= 400 and path != "/api/ready":
        raise RuntimeError(f"{path}: {answer}")
    return answer


def tracks(port: int) -> list[Track]:
    """Wait until everything is compiled and scanned; the tracks of music."""
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        scanned = ask(port, "/api/library/scan/status")["state"] == "complete"
        if scanned and ask(port, "/api/ready")["ready"]:
            break
        time.sleep(0.2)
    rows = ask(port, "/api/library/tracks?limit=500")["tracks"]
    return [Track(row["id"], row["duration"], row["title"], row["fingerprint_status"]) for row in rows]


class Health:
    """Asks the server whether it is alive, again and again, in a thread."""

    def __init__(self, port: int, period_s: float = 0.1) -> None:
        self._port, self._period_s = port, period_s
        self._taken: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Health":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def taken(self) -> list[float]:
        """Seconds that each answer took, since this was last called."""
        taken, self._taken = self._taken, []
        return taken

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._over.wait(self._period_s):
            asked = time.perf_counter()
            connection.request("GET", "/api/health")
            connection.getresponse().read()
            self._taken.append(time.perf_counter() - asked)
        connection.close()


def usage(process: int) -> Usage:
    """What a process has used so far, and holds now."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    handles = sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())
    own, rss, pss = (
        1024 * _kilobytes(name, text)
        for name, text in (("RssAnon", status), ("VmRSS", status), ("Pss", rollup))
    )
    return Usage(_cpu_s(process), own, rss, pss, handles)


def _kilobytes(name: str, text: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    assert match is not None, name
    return int(match.group(1))


def _cpu_s(process: int) -> float:
    """Of the process and its children, those that have ended included."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
    return own + sum(_cpu_s(int(child)) for child in children)
