"""How many listeners a real server carries in real time, on the cores of this machine.

The server, the listeners (``bench.listeners``, one process for all) and this process, which asks
``/api/health`` ten times a second meanwhile, share the cores. Listeners are added until there are
underruns.
"""

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.listeners import Order
from bench.table import table

COUNTS: Final = (1, 25, 50, 100, 150, 200, 250, 300, 350, 400, 500, 600)
PER_SECOND: Final = 5.0
SETTLE_S: Final = 10.0
COUNT_S: Final = 30.0
_SHORTEST_S: Final = 60.0
_MEASURED_WITHIN_S: Final = 900.0
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)")
_DEMO: Final = Path(__file__).parents[1] / "demo"


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of a process and all below it, memory of the process itself."""

    cpu_s: float
    rss: int
    pss: int


@dataclass(frozen=True, slots=True)
class Row:
    """What so many listeners came to."""

    listeners: int
    underruns: int
    least_buffer_s: float
    first_frames_s: list[float]
    troubles: int
    server_cores: float
    listener_cores: float
    usage: Usage
    health_s: list[float]


def measure(folder: Path, counts: Sequence[int] = COUNTS) -> str:
    """Run it, and describe it in Markdown."""
    music = Path(os.environ.get("TONEARM_TEST_MUSIC", _DEMO))
    with _server(folder, music) as (process, port):
        tracks = _measured_tracks(port)
        idle = _usage(process.pid)
        rows = []
        with _listeners(port) as crowd, _Health(port) as health:
            for count in counts:
                row = _row(count, tracks, process.pid, crowd, health)
                rows.append(row)
                sys.stderr.write(f"streaming: {_cells(row, idle)}\n")
                if row.underruns or row.troubles:
                    break
    return _described(rows, idle, len(tracks), music.name)


def _row(
    count: int,
    tracks: list[tuple[int, float]],
    server: int,
    crowd: "subprocess.Popen[str]",
    health: "_Health",
) -> Row:
    assert crowd.stdin is not None
    assert crowd.stdout is not None
    order = Order(count, PER_SECOND, SETTLE_S, COUNT_S, tracks)
    crowd.stdin.write(json.dumps(asdict(order)) + "\n")
    crowd.stdin.flush()
    answer: list[str] = []
    reader = threading.Thread(target=lambda: answer.append(crowd.stdout.readline()))  # type: ignore[union-attr]
    reader.start()
    # The time that counts is the last of it; the time to come to so many is not known before.
    marks = [(time.monotonic(), _usage(server), _usage(crowd.pid))]
    while reader.is_alive():
        reader.join(1.0)
        marks.append((time.monotonic(), _usage(server), _usage(crowd.pid)))
    end, after, listening = marks[-1]
    begin, before, listened = next(mark for mark in reversed(marks) if end - mark[0] >= COUNT_S - 2.0)
    told: dict[str, Any] = json.loads(answer[0])
    coming, counted = told["coming"], told["counted"]
    return Row(
        listeners=count,
        underruns=counted["underruns"] + coming["underruns"],
        least_buffer_s=min(counted["least_buffer_s"], coming["least_buffer_s"]),
        first_frames_s=coming["first_frames_s"] + counted["first_frames_s"],
        troubles=sum(part[name] for part in (coming, counted) for name in ("errors", "lost")),
        server_cores=(after.cpu_s - before.cpu_s) / (end - begin),
        listener_cores=(listening.cpu_s - listened.cpu_s) / (end - begin),
        usage=after,
        health_s=health.taken(),
    )


def _described(rows: Sequence[Row], idle: Usage, tracks: int, music: str) -> str:
    good = [row for row in rows if not row.underruns and not row.troubles]
    best = good[-1].listeners if good else 0
    broke = "" if len(good) == len(rows) else f" With {rows[-1].listeners} it broke."
    heading = (
        *("listeners", "underruns", "least buffer, s", "first frame p50 / p95 / p99, ms", "plays begun"),
        *("server, cores", "listeners, cores", "PSS, MB", "PSS a listener, MB", "RSS, MB"),
        "`/api/health` p50 / p99, ms",
    )
    return "\n\n".join(
        (
            "## Listeners at a time",
            f"A server on {os.cpu_count()} cores plays {tracks} tracks of `{music}` with stored"
            " fingerprints, mastered, over the binary transport, as fast as players play: each listener"
            " begins somewhere in a random track, plays in real time, says `buffer_full` at"
            f" 14.8 s and `buffer_ready` at 10 s. {PER_SECOND:g} listeners a second come until there are"
            f" so many; {SETTLE_S:g} s later CPU is counted for {COUNT_S:g} s; underruns, first frames and"
            " health are counted all the time. Nothing is buffered before a player begins, so the second"
            " frame has to come within the 0.25 s of the first. The listeners are one process, on the"
            f" same cores. Before the first of them the server had {idle.pss / 1e6:.0f} MB PSS.",
            f"**{best} listeners without an underrun.**{broke}",
            table(heading, [_cells(row, idle) for row in rows]),
        )
    )


def _cells(row: Row, idle: Usage) -> tuple[str, ...]:
    own = (row.usage.pss - idle.pss) / row.listeners
    return (
        str(row.listeners),
        str(row.underruns) + (f" ({row.troubles} errors)" if row.troubles else ""),
        f"{row.least_buffer_s:.2f}",
        _percentiles(row.first_frames_s, 50, 95, 99),
        str(len(row.first_frames_s)),
        f"{row.server_cores:.2f}",
        f"{row.listener_cores:.2f}",
        f"{row.usage.pss / 1e6:.0f}",
        f"{own / 1e6:.2f}",
        f"{row.usage.rss / 1e6:.0f}",
        _percentiles(row.health_s, 50, 99),
    )


def _percentiles(seconds: Sequence[float], *ranks: int) -> str:
    return " / ".join(f"{1e3 * np.percentile(seconds, rank):.0f}" for rank in ranks) if seconds else "-"


@contextmanager
def _server(folder: Path, music: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TONEARM_")}
    environment = kept | {
        "TONEARM_LIMITS__STREAMS_TOTAL": "5000",
        "TONEARM_LIMITS__STREAMS_PER_CLIENT": "5000",
        "PYTHONUNBUFFERED": "1",
    }
    log = (folder / "serve.log").open("w+", encoding="utf-8")
    command = [sys.executable, "-m", "tonearm", "serve", str(music), "--port", "0"]
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
        yield process, _port(process, folder / "serve.log")
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


def _get(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def _measured_tracks(port: int) -> list[tuple[int, float]]:
    """Wait until everything is compiled and measured; the tracks of music, by number and length."""
    deadline = time.monotonic() + _MEASURED_WITHIN_S
    while time.monotonic() < deadline:
        scanned = _get(port, "/api/library/scan/status")["state"] == "complete"
        status = _get(port, "/api/library/fingerprints/status")
        ready = _get(port, "/api/ready")["ready"]
        if ready and scanned and status["total_tracks"] and not status["pending_tracks"]:
            break
        time.sleep(1.0)
    rows = _get(port, "/api/library/tracks?limit=500")["tracks"]
    known = [(row["id"], row["duration"]) for row in rows if row["fingerprint_status"] == "complete"]
    return [track for track in known if track[1] >= _SHORTEST_S] or known


@contextmanager
def _listeners(port: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.listeners", str(port)]
    crowd = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield crowd
    finally:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        crowd.stdin.close()
        crowd.wait(30)
        crowd.stdout.close()


class _Health:
    """Asks the server whether it is alive, ten times a second, in a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._taken: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "_Health":
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
        while not self._over.wait(0.1):
            asked = time.perf_counter()
            connection.request("GET", "/api/health")
            connection.getresponse().read()
            self._taken.append(time.perf_counter() - asked)
        connection.close()


def _usage(process: int) -> Usage:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    return Usage(_cpu_s(process), _kilobytes("VmRSS", status) * 1024, _kilobytes("Pss", rollup) * 1024)


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
