"""How long the library takes to find a stored fingerprint among 100,000."""

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.contender import Contender, Findings, Stopwatch
from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.tables import analyses, track_fingerprints, track_measures
from tonearm.model.audio import AudioFormat, AudioInfo
from tonearm.model.measures import Analysis
from tonearm.model.track import FileSignature, ScannedFile, Tags

TRACKS: Final = 100_000
WARM_UP_TRACKS: Final = 1_000
_MEASURED: Final = 1_000
_FILE: Final = "library.db"
LOOKUPS: Final = 20_000
_BATCH: Final = 5_000
_INFO: Final = AudioInfo(AudioFormat(44_100, 2), 240 * 44_100, True, "flac", "flac", 16, 900_000, "stereo")


def fill(folder: Path, tracks: int, analysis: Analysis) -> None:
    """Make a library of so many tracks, in albums of twelve, all measured.

    The first ``_MEASURED`` are stored the way the program stores them, the others copied from these.
    """
    library = _open(folder)
    for start in range(1, tracks + 1, _BATCH):
        library.tracks.store([_scanned(n) for n in range(start, min(start + _BATCH, tracks + 1))])
    for number in range(1, _MEASURED + 1):
        lufs = -30.0 + number / 100.0
        own = replace(analysis, fingerprint=replace(analysis.fingerprint, lufs=lufs))
        library.fingerprints.put(number, _signature(number), own)
    library.close()
    with closing(sqlite3.connect(folder / _FILE)) as connection, connection:
        for offset in range(_MEASURED, tracks, _MEASURED):
            _copy(connection, offset)


def _copy(connection: sqlite3.Connection, offset: int) -> None:
    for table in (analyses, track_fingerprints, track_measures):
        columns = ", ".join(column.name for column in table.columns if column.name != "track_id")
        connection.execute(
            f"INSERT INTO {table.name} (track_id, {columns})"
            f" SELECT track_id + ?, {columns} FROM {table.name} WHERE track_id <= ?",
            (offset, _MEASURED),
        )


def _open(folder: Path) -> RepositoryFactory:
    return open_library(f"sqlite:///{folder / _FILE}")


def _signature(number: int) -> FileSignature:
    number = (number - 1) % _MEASURED + 1
    return FileSignature(30_000_000 + number, 1_700_000_000_000_000_000 + number, f"{number:032x}")


def _scanned(number: int) -> ScannedFile:
    album = number // 12
    tags = Tags(title=f"Track {number}", artists=(f"Artist {album // 4}",), album=f"Album {album}")
    path = Path(f"/music/{album:05}/{number:06}.flac")
    return ScannedFile(path, _signature(number), _INFO, tags)


def _lookup(folder: Path, watch: Stopwatch) -> Findings:
    library = _open(folder)
    tracks = library.tracks.page(1, 0).total
    chosen = random.Random(0)
    numbers = [chosen.randint(1, tracks) for _ in range(LOOKUPS)]
    wall, own = np.empty(LOOKUPS), np.empty(LOOKUPS)
    missed = 0
    with watch("lookups"):
        for index, number in enumerate(numbers):
            signature = _signature(number)
            wall_started, own_started = time.perf_counter(), time.thread_time()
            found = library.fingerprints.get(number, signature)
            own[index] = time.thread_time() - own_started
            wall[index] = time.perf_counter() - wall_started
            missed += found is None
    library.close()
    percentiles = {
        f"{clock} p{rank}, ms": float(np.percentile(values, rank) * 1e3)
        for clock, values in (("CPU", own), ("wall", wall))
        for rank in (50, 99)
    }
    return {"tracks": tracks, "missed": missed, **percentiles}


CONTENDERS: Final = (Contender("Tonearm", "tonearm", "one fingerprint with its measures", _lookup),)
