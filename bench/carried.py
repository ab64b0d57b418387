"""How many listeners a real server carries in real time, on the cores of this machine.

The server, the listeners (``bench.listeners``, one process for all) and this process, which asks
``/api/health`` ten times a second meanwhile, share the cores. Listeners are added until there are
underruns.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.listeners import Order
from bench.server import Health, Track, Usage, music, percentiles, usage
from bench.table import table

COUNTS: Final = (1, 50, 100, 150, 200, 250, 300, 400)
PER_SECOND: Final = 8.0
SETTLE_S: Final = 5.0
COUNT_S: Final = 15.0
_ENOUGH: Final = 25
"""Listeners; with fewer, what each of them takes is lost in what the server gives back or takes meanwhile."""

_SHORTEST_S: Final = 60.0


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


def measure(process: int, port: int, known: Sequence[Track], counts: Sequence[int] = COUNTS) -> str:
    """Add listeners to a server that has measured its tracks; in Markdown."""
    playable = orderable(known)
    idle = usage(process)
    rows: list[Row] = []
    with listeners(port) as crowd, Health(port) as health:
        for count in counts:
            row = _row(count, playable, process, crowd, health)
            rows.append(row)
            sys.stderr.write(f"listeners: {_cells(row, idle)}\n")
            if row.underruns or row.troubles:
                break
    return _described(rows, idle, len(playable))


def _row(
    count: int,
    tracks: list[tuple[int, float]],
    server: int,
    crowd: "subprocess.Popen[str]",
    health: Health,
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
    marks = [(time.monotonic(), usage(server), usage(crowd.pid))]
    while reader.is_alive():
        reader.join(1.0)
        marks.append((time.monotonic(), usage(server), usage(crowd.pid)))
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


def _described(rows: Sequence[Row], idle: Usage, tracks: int) -> str:
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
            "### Listeners at a time",
            f"A server on {os.cpu_count()} cores plays {tracks} tracks of `{music().name}` with stored"
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
        percentiles(row.first_frames_s, 50, 95, 99),
        str(len(row.first_frames_s)),
        f"{row.server_cores:.2f}",
        f"{row.listener_cores:.2f}",
        f"{row.usage.pss / 1e6:.0f}",
        f"{own / 1e6:.2f}" if row.listeners >= _ENOUGH else "",
        f"{row.usage.rss / 1e6:.0f}",
        percentiles(row.health_s, 50, 99),
    )


def orderable(known: Sequence[Track]) -> list[tuple[int, float]]:
    """Tracks as an ``Order`` wants them: those of a minute and more, or all where there are none."""
    all_of_them = [(track.number, track.seconds) for track in known]
    return [track for track in all_of_them if track[1] >= _SHORTEST_S] or all_of_them


@contextmanager
def listeners(port: int) -> Iterator["subprocess.Popen[str]"]:
    """The process of ``bench.listeners``, with no listeners yet."""
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
