"""Whether the server answers while it plays, scans and measures at once."""

import json
import os
import sys
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from bench.carried import listeners, orderable
from bench.listeners import Order
from bench.server import Health, Track, ask, percentiles
from bench.table import table

STREAMS: Final = 20
_COUNT_S: Final = 20.0
_PERIOD_S: Final = 0.02
_FILES: Final = 1000
_RATE: Final = 8000


def measure(port: int, known: Sequence[Track], folder: Path) -> str:
    """On a server that is measuring its library for the first time; in Markdown."""
    order = Order(STREAMS, STREAMS, 0.0, _COUNT_S, orderable(known))
    before = ask(port, "/api/library/fingerprints/status")["pending_tracks"]
    with listeners(port) as crowd, _scanning(port, folder) as scans, Health(port, _PERIOD_S) as health:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        crowd.stdin.write(json.dumps(asdict(order)) + "\n")
        crowd.stdin.flush()
        told = json.loads(crowd.stdout.readline())
        taken, scanned = health.taken(), len(scans)
    after = ask(port, "/api/library/fingerprints/status")["pending_tracks"]
    underruns = sum(told[part]["underruns"] for part in ("coming", "counted"))
    row = (str(len(taken)), percentiles(taken, 50, 99), f"{1e3 * max(taken):.0f}", str(underruns))
    sys.stderr.write(f"busy: {row}\n")
    return "\n\n".join(
        (
            f"### `/api/health` with {STREAMS} streams, a scan and a cold analysis",
            f"{STREAMS} listeners begin within a second and play in real time, the library is measured for"
            f" the first time (when it began, {before} tracks were not; at its end {after}, with those that"
            f" had come), and a folder of {_FILES} other files is scanned, changed and scanned again"
            f" ({scanned} scans were begun): for {_COUNT_S:g} s, asked every {1e3 * _PERIOD_S:g} ms.",
            table(("answers", "p50 / p99, ms", "slowest, ms", "underruns"), [row]),
        )
    )


@contextmanager
def _scanning(port: int, folder: Path) -> Iterator[list[float]]:
    """Scan a folder of small files for as long as the block lasts; when each scan was begun."""
    files = _write(folder)
    begun: list[float] = []
    over = threading.Event()

    def scan() -> None:
        while not over.is_set():
            if ask(port, "/api/library/scan/status")["state"] in {"complete", "failed"}:
                for file in files:
                    os.utime(file)
                ask(port, "/api/library/scan", {"directories": [str(folder)]})
                begun.append(time.monotonic())
            over.wait(0.2)

    thread = threading.Thread(target=scan, daemon=True)
    thread.start()
    try:
        yield begun
    finally:
        over.set()
        thread.join(60)


def _write(folder: Path) -> list[Path]:
    """Different sounds of 3 s, so that none is taken for another."""
    noise = np.random.default_rng(1)
    files = []
    for number in range(_FILES):
        path = folder / f"{number:04}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(noise.integers(-8000, 8000, 3 * _RATE, np.int16).tobytes())
        files.append(path)
    return files
