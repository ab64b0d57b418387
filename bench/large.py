"""A library of any size, made of numbers: names spread as unevenly as real ones, genres, fingerprints."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Table, create_engine, func, insert, make_url, select, update

from tonearm.library.database import open_library
from tonearm.library.rows import album_identity, album_position, track_values
from tonearm.library.tables import (
    albums,
    analyses,
    artists,
    genres,
    library_state,
    track_artists,
    track_fingerprints,
    track_genres,
    tracks,
)
from tonearm.library.text import fold, identity
from tonearm.library.words import indexed
from tonearm.model.audio import AudioFormat, AudioInfo
from tonearm.model.fingerprint import ALGORITHM_VERSION, BAND_NAMES, DIMENSION_NAMES, DIMENSIONS
from tonearm.model.track import FileSignature, ScannedFile, Tags

PER_ALBUM: Final = 11
ALBUMS_PER_ARTIST: Final = 3
_BATCH: Final = 10_000
_SYLLABLES: Final = (
    "ka",
    "lo",
    "mi",
    "re",
    "sa",
    "tu",
    "ne",
    "bo",
    "di",
    "fa",
    "ger",
    "han",
    "is",
    "jo",
    "ku",
    "la",
    "mor",
    "nor",
    "ost",
    "pra",
    "qui",
    "ras",
    "sta",
    "tri",
    "um",
    "vel",
    "wun",
    "xi",
    "yor",
    "zan",
)
_GENRES: Final = ("Rock", "Pop", "Jazz", "Techno", "Folk", "Metal", "Ambient", "Classical", "Blues", "Soul")
_BEGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)


class Names:
    """Words of which some are common and most are rare (Zipf), the same on every run."""

    def __init__(self, words: int = 30_000) -> None:
        self._random = random.Random(1)
        self._words = [
            "".join(self._random.choices(_SYLLABLES, k=self._random.randint(1, 4))) for _ in range(words)
        ]
        self._weights = list(accumulate(1 / (rank + 5) ** 0.9 for rank in range(words)))

    def name(self, most: int) -> str:
        chosen = self._random.choices(self._words, cum_weights=self._weights, k=self._random.randint(1, most))
        return " ".join(chosen).title()


@dataclass(frozen=True)
class Album:
    number: int
    title: str
    artist: int
    genre: int
    year: int


def fill(url: str, count: int) -> None:
    """Make a library of ``count`` tracks at ``url``, all with fingerprints and none with measures."""
    open_library(url).close()
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    names = Names()
    people = [names.name(3) for _ in range(max(1, count // (PER_ALBUM * ALBUMS_PER_ARTIST)))]
    kinds = [*_GENRES, *(names.name(2) for _ in range(300))]
    chosen = random.Random(2)
    weights = [1 / (rank + 1) for rank in range(len(kinds))]
    records = [
        Album(number, names.name(4), chosen.randrange(len(people)), genre, chosen.randint(1960, 2025))
        for number, genre in enumerate(chosen.choices(range(len(kinds)), weights, k=-(-count // PER_ALBUM)))
    ]
    with engine.begin() as connection:
        _named(connection, artists, people)
        _named(connection, genres, kinds)
        _insert(connection, albums, (_album(record, people, number) for number, record in enumerate(records)))
    made = _tracks(count, records, people, kinds, names)
    fingerprints = _fingerprints(count)
    while rows := list(islice(made, _BATCH)):
        with engine.begin() as connection:
            _take(connection, rows, records, fingerprints)
    with engine.begin() as connection:
        newest = select(func.max(analyses.c.revision)).scalar_subquery()
        connection.execute(update(library_state).values(fingerprints=newest))
    engine.dispose()


def _named(connection: Connection, table: Table, names: Sequence[str]) -> None:
    rows = (
        {
            "id": number,
            # Two may have got the same name, which no two of a library have.
            "identity": f"{identity(name)} {number}",
            "name": name,
            "sort_name": fold(name),
            "search_text": indexed(name),
        }
        for number, name in enumerate(names, 1)
    )
    _insert(connection, table, rows)


def _album(record: Album, people: Sequence[str], number: int) -> dict[str, Any]:
    artist = people[record.artist]
    return {
        "id": number + 1,
        "identity": album_identity(_file(record, 0, "", artist, "")) + str(number).encode(),
        "title": record.title,
        "sort_title": fold(record.title),
        "search_text": indexed(record.title, artist),
        "sort_artist": fold(artist),
        "sort_year": record.year,
        "added_at": _BEGIN + timedelta(seconds=number),
    }


def _tracks(
    count: int, records: Sequence[Album], people: Sequence[str], kinds: Sequence[str], names: Names
) -> Iterator[dict[str, Any]]:
    for number in range(count):
        record = records[number // PER_ALBUM]
        file = _file(record, number, names.name(5), people[record.artist], kinds[record.genre])
        album_id = record.number + 1
        yield {
            "id": number + 1,
            **track_values(file),
            "album_id": album_id,
            "album_position": album_position(album_id, file.tags),
            "created_at": _BEGIN + timedelta(seconds=number // 500),
            "updated_at": _BEGIN + timedelta(seconds=number // 500),
        }


def _file(record: Album, number: int, title: str, artist: str, genre: str) -> ScannedFile:
    frames = 44_100 * (60 + number * 7919 % 540)
    info = AudioInfo(AudioFormat(44_100, 2), frames, True, "flac", "flac", 16, 900_000, "stereo")
    tags = Tags(
        title=title,
        artists=(artist,),
        album=record.title,
        track_number=number % PER_ALBUM + 1,
        disc_number=1,
        year=record.year,
        genres=(genre,),
    )
    path = Path(f"/music/{artist}/{record.number:06} {record.title}/{number:07} {title}.flac")
    return ScannedFile(path, FileSignature(30_000_000, number, f"{number:032x}"), info, tags)


def _fingerprints(count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers in the ranges of real ones, ``[count, 25]``."""
    dice = np.random.default_rng(3)
    low = np.array([max(each.metadata["low"], -60.0) for each in DIMENSIONS])
    high = np.array([min(each.metadata["high"], 8_000.0) for each in DIMENSIONS])
    values = low + (high - low) * dice.beta(3.0, 6.0, (count, len(DIMENSIONS)))
    values[:, : len(BAND_NAMES)] = 100.0 * dice.dirichlet(np.full(len(BAND_NAMES), 4.0), count)
    return values


def _take(
    connection: Connection,
    rows: Sequence[dict[str, Any]],
    records: Sequence[Album],
    fingerprints: np.ndarray[Any, np.dtype[np.float64]],
) -> None:
    _insert(connection, tracks, iter(rows))
    ids = [row["id"] for row in rows]
    of = {track: records[(track - 1) // PER_ALBUM] for track in ids}
    _insert(
        connection,
        track_artists,
        ({"track_id": track, "position": 0, "artist_id": of[track].artist + 1} for track in ids),
    )
    _insert(connection, track_genres, ({"track_id": track, "genre_id": of[track].genre + 1} for track in ids))
    measured = {"status": "complete", "algorithm_version": ALGORITHM_VERSION, "analysed_at": _BEGIN}
    _insert(
        connection,
        analyses,
        (
            {
                "track_id": row["id"],
                "revision": row["id"],
                **measured,
                **{name: row[name] for name in ("size", "mtime_ns", "content")},
            }
            for row in rows
        ),
    )
    _insert(
        connection,
        track_fingerprints,
        (
            {"track_id": track, **dict(zip(DIMENSION_NAMES, fingerprints[track - 1].tolist(), strict=True))}
            for track in ids
        ),
    )


def _insert(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    while part := list(islice(rows, _BATCH)):
        connection.execute(insert(table), part)
