"""Scans that are killed: ``python killed_scans.py MUSIC DATABASE KILLS SEED``, a report as JSON on stdout.

This process loads the program once and is the parent of those that scan, each of which is killed at a
random moment of the time that a whole scan takes. After each the library is opened and read by another.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from tonearm.library.database import open_library
from tonearm.scanning.reading import read_file
from tonearm.scanning.scanner import Scanner

MOST_TRIES = 10


def scan(music: Path, url: str) -> dict[str, int]:
    library = open_library(url)
    *_, last = Scanner([music], library.tracks, read_file).scan()
    library.close()
    assert last.report is not None
    return {name: getattr(last.report, name) for name in ("added", "updated", "skipped", "failed", "missing")}


def rows(url: str) -> dict[str, Any]:
    """All that the library says of each track, by its title, apart from numbers and times."""
    library = open_library(url)
    page = library.tracks.page(limit=500, offset=0).rows
    found = {
        summary.title: {
            "path": str(summary.track.path),
            "signature": str(summary.track.signature),
            "info": str(summary.track.info),
            "tags": str(summary.track.tags),
            "album": library.albums.get(summary.track.album_id or 0),
            "found": [row.title for row in library.tracks.page(500, 0, search=summary.title).rows],
        }
        for summary in page
    }
    for album in found.values():
        # Its number is what the order of the scans made of it.
        kept = album["album"]
        album["album"] = None if kept is None else (kept.title, kept.artist, kept.track_count)
    artists = library.artists.page(limit=500, offset=0).rows
    found["by artist"] = {
        artist.name: sorted(row.title for row in library.tracks.of_artist(artist.id, 500, 0).rows)
        for artist in artists
    }
    library.close()
    return found


def is_whole(url: str) -> None:
    """Raises where a row of what was stored is not all there."""
    library = open_library(url)
    shown = library.tracks.page(limit=500, offset=0)
    artists = library.artists.page(limit=500, offset=0).rows
    linked = {row.track.id for artist in artists for row in library.tracks.of_artist(artist.id, 500, 0).rows}
    assert linked == {row.track.id for row in shown.rows}
    for row in shown.rows[:: max(1, len(shown.rows) // 10)]:
        assert row.track.album_id is not None
        assert library.albums.get(row.track.album_id) is not None
        assert [found.title for found in library.tracks.page(9, 0, search=row.title).rows] == [row.title]
    library.close()


def child(work: Callable[[], object]) -> int:
    number = os.fork()
    if number == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must never come back into the parent's code
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return number


def ended_well(number: int) -> bool:
    return os.waitpid(number, 0)[1] == 0


def main(music: Path, database: Path, kills: int, seed: int) -> dict[str, Any]:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    chance, url, whole = random.Random(seed), f"sqlite:///{database}", database.with_name("whole.db")
    began = time.monotonic()
    assert ended_well(child(lambda: scan(music, f"sqlite:///{whole}")))
    took_s = time.monotonic() - began
    files = sorted(path for path in music.rglob("*") if path.is_file())
    amid = opened = tried = 0
    while amid < kills and tried < MOST_TRIES * kills:
        tried += 1
        scanning = child(lambda: scan(music, url))
        time.sleep(chance.uniform(0.0, took_s))
        os.kill(scanning, signal.SIGKILL)
        if os.waitpid(scanning, 0)[1] != signal.SIGKILL:
            # The machine is faster now than it was.
            took_s *= 0.8
            continue
        amid += 1
        opened += ended_well(child(lambda: is_whole(url)))
        # Half of what is stored by now has changed when the next scan comes.
        for path in chance.sample(files, len(files) // 2):
            os.utime(path)
    report = scan(music, url)
    whole.unlink()
    scan(music, f"sqlite:///{whole}")
    return {
        "killed amid": amid,
        "opened": opened,
        "report": report,
        "same": rows(url) == rows(f"sqlite:///{whole}"),
        "tracks": len(rows(url)) - 1,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
