"""``make soak MINUTES=30``: a day in its life, shortened: does anything grow, or go wrong?

A server with its own fingerprint server plays to 20 paced listeners (``bench.listeners``) while its folder is
edited, grows and shrinks and is scanned, tracks that it never saw are measured, and the fingerprint
server is killed now and then. Asked every few seconds: memory and handles of the server, memory of all
below it, how soon it answers. Ctrl-C ends it early, with the table of what there is.

Fails (exit code 1) where memory or handles grew, a listener met an error or an underrun, or the server
counted an error that nobody provoked.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import document, machine
from bench.carried import listeners, orderable
from bench.churn import Churn
from bench.listeners import Order
from bench.server import Health, Track, Usage, ask, music, percentiles, serving, tracks, usage
from bench.table import table

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "bench.md"
STREAMS: Final = 20
_ROUND_S: Final = 10.0
_KILL_EVERY_S: Final = 75.0
_SETTLED: Final = 1 / 3
"""The first part of the run warms up: every track has been played, every cache has its size."""

_GROWTH_MB: Final = 12.0
_GROWTH_HANDLES: Final = 24
_HEALTH_P99_S: Final = 0.05
_COUNTER: Final = re.compile(r'^tonearm_(\w+_errors|fallbacks)_total\{\w+="(\w+)"\} (\S+)', re.MULTILINE)

_PROVOKED: Final = re.compile(r"^(FINGERPRINT_|START_WAIT|CANCELLED)")
"""What a play falls back on while the fingerprint server is dead: asked for here."""


@dataclass(frozen=True, slots=True)
class Round:
    """What was seen at the end of some seconds."""

    at_s: float
    server: Usage
    below_pss: int
    underruns: int
    troubles: int
    plays: int
    health_s: list[float]


@dataclass(slots=True)
class Day:
    """All rounds, and what was counted over them."""

    rounds: list[Round] = field(default_factory=list)
    counted: dict[str, float] = field(default_factory=dict)
    scans: int = 0
    changes: int = 0
    kills: int = 0
    measured: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--write", action="store_true", help="put the section into docs/bench.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tonearm-soak-") as folder:
        day = _lived(Path(folder), 60.0 * arguments.minutes)
    if len(day.rounds) < 3:
        print("too short to say anything")
        return 1
    wrong = faults(day)
    text = _described(day, wrong)
    print(text)
    if arguments.write:
        DOCUMENT.write_text(document.replaced(DOCUMENT.read_text(encoding="utf-8"), text).rstrip() + "\n")
    return 1 if wrong else 0


def _lived(folder: Path, seconds: float) -> Day:
    day = Day()
    steady, changing = folder / "steady", folder / "changing"
    # Copies: the listeners' files stay as they are, and nothing here touches the music itself.
    shutil.copytree(music(), steady)
    changing.mkdir()
    with serving(folder, steady, changing) as (process, port):
        known = [track for track in tracks(port) if track.seconds > 2.0]
        with listeners(port) as crowd, Health(port) as health, Churn(port, changing) as churn:
            try:
                _follow(day, seconds, process, known, crowd, health)
            except KeyboardInterrupt:
                sys.stderr.write("soak: ended early\n")
            day.scans, day.changes = churn.scans, churn.changes
        day.counted = _counted(port)
        day.measured = ask(port, "/api/library/fingerprints/status")["fingerprinted_tracks"]
    return day


def _follow(
    day: Day,
    seconds: float,
    process: int,
    known: Sequence[Track],
    crowd: "subprocess.Popen[str]",
    health: Health,
) -> None:
    order = Order(STREAMS, STREAMS, 0.0, _ROUND_S, orderable(known))
    began = killed = time.monotonic()
    while time.monotonic() - began < seconds:
        told = _ordered(crowd, order)
        parts = [told["coming"], told["counted"]]
        day.rounds.append(
            Round(
                at_s=time.monotonic() - began,
                server=usage(process),
                below_pss=sum(_pss(child) for child in _below(process)),
                underruns=sum(part["underruns"] for part in parts),
                troubles=sum(part[name] for part in parts for name in ("errors", "lost")),
                plays=sum(part["played"] for part in parts),
                health_s=health.taken(),
            )
        )
        sys.stderr.write(f"soak: {_cells(day.rounds[-1:])}\n")
        if time.monotonic() - killed > _KILL_EVERY_S:
            killed = time.monotonic()
            day.kills += _kill_fingerprint_server(process)


def _ordered(crowd: "subprocess.Popen[str]", order: Order) -> dict[str, Any]:
    assert crowd.stdin is not None
    assert crowd.stdout is not None
    crowd.stdin.write(json.dumps(asdict(order)) + "\n")
    crowd.stdin.flush()
    told: dict[str, Any] = json.loads(crowd.stdout.readline())
    return told


def _children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def _below(process: int) -> Iterator[int]:
    for child in _children(process):
        yield child
        yield from _below(child)


def _pss(process: int) -> int:
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since it was listed: spare workers do.
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def _kill_fingerprint_server(process: int) -> int:
    """Kill what the server started, without warning; how many were killed."""
    children = _children(process)
    for child in children:
        os.kill(child, signal.SIGKILL)
    return len(children)


def _counted(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    return {f"{kind} {code}": float(count) for kind, code, count in _COUNTER.findall(text) if float(count)}


def faults(day: Day) -> list[str]:
    """What must not have happened, in words."""
    settled = day.rounds[int(_SETTLED * len(day.rounds)) :]
    half = max(1, len(settled) // 2)
    first, last = settled[:half], settled[-half:]
    grown_mb = (_median([r.server.own for r in last]) - _median([r.server.own for r in first])) / 1e6
    handles = _median([r.server.handles for r in last]) - _median([r.server.handles for r in first])
    late_s = sorted(second for r in settled for second in r.health_s)
    wrong = []
    if grown_mb > _GROWTH_MB:
        wrong.append(f"the server's own memory grew by {grown_mb:.1f} MB")
    if handles > _GROWTH_HANDLES:
        wrong.append(f"{handles:.0f} more handles are open")
    if troubles := sum(r.troubles for r in day.rounds):
        wrong.append(f"listeners met {troubles} errors")
    if gaps := sum(r.underruns for r in day.rounds):
        wrong.append(f"{gaps} underruns")
    if late_s and (p99 := late_s[int(0.99 * (len(late_s) - 1))]) > _HEALTH_P99_S:
        wrong.append(f"`/api/health` took {1e3 * p99:.0f} ms at p99")
    for name, count in day.counted.items():
        if not _PROVOKED.match(name.split()[1]):
            wrong.append(f"{count:.0f} of {name}")
    return wrong


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _described(day: Day, wrong: Sequence[str]) -> str:
    heading = ("until, min", "own, MB", "PSS, MB", "PSS below it, MB", "open handles", "plays begun")
    tenth = max(1, -(-len(day.rounds) // 10))
    groups = [day.rounds[at : at + tenth] for at in range(0, len(day.rounds), tenth)]
    counted = ", ".join(f"{count:.0f} of {name}" for name, count in sorted(day.counted.items())) or "none"
    return "\n\n".join(
        (
            "## A day in its life",
            f"{day.rounds[-1].at_s / 60:.0f} minutes (`make soak`): {STREAMS} listeners who play in real"
            f" time, {day.changes} files added, edited or removed, {day.scans} scans asked for besides those"
            f" that changes bring, the fingerprint server killed {day.kills} times; {day.measured} tracks had"
            f" a fingerprint at the end. Memory and handles of the server (medians of each part of the time),"
            f" and the memory of the fingerprint server and its workers. {machine.description()}.",
            table(
                (*heading, "underruns", "errors", "`/api/health` p50 / p99, ms"), [_cells(g) for g in groups]
            ),
            f"Counted by the server: {counted} (fallbacks are what plays get while the"
            " fingerprint server is dead).",
            "**Nothing grew and nothing went wrong.**" if not wrong else f"**Wrong: {'; '.join(wrong)}.**",
        )
    )


def _cells(rounds: Sequence[Round]) -> tuple[str, ...]:
    return (
        f"{rounds[-1].at_s / 60:.1f}",
        f"{_median([r.server.own for r in rounds]) / 1e6:.1f}",
        f"{_median([r.server.pss for r in rounds]) / 1e6:.1f}",
        f"{_median([r.below_pss for r in rounds]) / 1e6:.1f}",
        f"{_median([r.server.handles for r in rounds]):.0f}",
        str(sum(r.plays for r in rounds)),
        str(sum(r.underruns for r in rounds)),
        str(sum(r.troubles for r in rounds)),
        percentiles([second for r in rounds for second in r.health_s], 50, 99),
    )


if __name__ == "__main__":
    sys.exit(main())
