"""How soon a large library answers: pages, searches, neighbours."""

import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from bench import large, machine
from bench.table import table
from tonearm.library.browse_repository import ALBUM_ORDERS
from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.track_repository import TRACK_ORDERS

TRACKS: Final = 500_000
PAGE: Final = 50
_CALLS: Final = 200
_FEW_CALLS: Final = 60
_FEWER_CALLS: Final = 20
_QUERIES: Final = (
    'lufs > -9 and tempo_bpm between 120 and 130 and genre = "Techno"',
    'genre = "Jazz" and year > 1990 order by year desc',
    'artist contains "kal" and not favorite',
    "added > 30 days ago",
    'title contains "kalo"',
    "lufs > -14 order by lufs desc",
    "duration > 500 order by title",
)

Call = Callable[[random.Random], object]


def measure(folder: Path, url: str | None, count: int) -> str:
    """Make a library of ``count`` tracks at ``url``, or in SQLite in ``folder``, and ask it; in Markdown."""
    place, load = url or f"sqlite:///{folder / 'library.db'}", machine.load()
    started = time.perf_counter()
    large.fill(place, count)
    sys.stderr.write(f"made {count} tracks in {time.perf_counter() - started:.0f} s\n")
    library = open_library(place)
    before = _memory_mb()
    rows = [_timed(name, call, calls) for name, call, calls in _questions(library, count)]
    rows += _lists(library)
    first, later = _neighbours(library, count)
    rows += [first, later]
    library.close()
    kind = place.split(":", maxsplit=1)[0]
    return "\n\n".join(
        (
            f"## A library of {count:,} tracks in {kind}",
            f"Each question is put to the repositories in one thread, with pages of {PAGE}; the first of a"
            " kind, which counts the list, is among them. Searches take words from tracks of the library."
            f" In the minute before it was made, {load:.1f} processes wanted a core.",
            table(("question", "times", "p50, ms", "p95, ms", "p99, ms", "slowest, ms"), rows),
            f"Memory: {before:.0f} MB before, {_memory_mb():.0f} MB at most, with {count:,} fingerprints"
            " held; the library was made by the same process.",
        )
    )


def p95_ms(library: RepositoryFactory, count: int, names: Sequence[str]) -> dict[str, float]:
    """How long these questions take, and that for similar tracks, at the 95th percentile, ms."""
    asked = {name: (call, calls) for name, call, calls in _questions(library, count)}
    found = {name: float(_timed(name, *asked[name])[3]) for name in names}
    _, later = _neighbours(library, count)
    return {**found, "similar tracks": float(later[3])}


def _questions(library: RepositoryFactory, count: int) -> list[tuple[str, Call, int]]:
    pages: list[tuple[str, Call, int]] = [
        (f"tracks by {order}, anywhere", _anywhere(library, order, count), _CALLS) for order in TRACK_ORDERS
    ]
    texts = [
        f"{row.title} {row.track.tags.album} {row.artist}".lower().split()
        for row in library.tracks.page(500, count // 2, order_by="duration").rows
    ]
    kinds: dict[str, Callable[[list[str], random.Random], str]] = {
        "a word": lambda words, chosen: chosen.choice(words),
        "two words": lambda words, chosen: " ".join(chosen.sample(words, 2)),
        "a beginning of three letters": lambda words, chosen: chosen.choice(words)[:3],
        "a beginning of two letters": lambda words, chosen: chosen.choice(words)[:2],
        "one letter": lambda words, chosen: chosen.choice(words)[:1],
    }
    for name, pick in kinds.items():
        pages.append((f"search for {name}", _search(library, texts, pick), _CALLS))
    count_of_albums = count // large.PER_ALBUM
    for order in ALBUM_ORDERS:
        call = _album_page(library, order, count_of_albums)
        pages.append((f"albums by {order}, anywhere", call, _FEW_CALLS))
    artists = count_of_albums // large.ALBUMS_PER_ARTIST
    pages.append(
        (
            "artists, anywhere",
            lambda chosen: library.artists.page(PAGE, chosen.randrange(artists)),
            _FEW_CALLS,
        )
    )
    pages.append(("genres", lambda _: library.genres.page(PAGE, 0), _FEW_CALLS))
    pages.append(
        (
            "tracks of a genre, start",
            lambda chosen: library.tracks.of_genre(chosen.randint(1, 50), PAGE, 0),
            _FEW_CALLS,
        )
    )
    pages.append(
        (
            "tracks of an artist",
            lambda chosen: library.tracks.of_artist(chosen.randint(1, artists), PAGE, 0),
            _FEW_CALLS,
        )
    )
    return pages


def _anywhere(library: RepositoryFactory, order: str, count: int) -> Call:
    return lambda chosen: library.tracks.page(PAGE, chosen.randrange(count), order_by=order)


def _album_page(library: RepositoryFactory, order: str, count: int) -> Call:
    return lambda chosen: library.albums.page(PAGE, chosen.randrange(count), order_by=order)


def _search(
    library: RepositoryFactory, texts: list[list[str]], pick: Callable[[list[str], random.Random], str]
) -> Call:
    def call(chosen: random.Random) -> object:
        words = [word for word in chosen.choice(texts) if len(word) > 1]
        return library.tracks.page(PAGE, 0, search=pick([*words, *words], chosen))

    return call


def _lists(library: RepositoryFactory) -> list[tuple[str, ...]]:
    now = datetime.now(UTC)
    rows = [_timed("totals of the library, anew", lambda _: library.tracks.stats(), 1)]
    rows.append(_timed("how many are measured", lambda _: library.fingerprints.counts(), _FEW_CALLS))
    for query in _QUERIES:

        def ask(_: random.Random, query: str = query) -> object:
            return library.smart_lists.tracks(query, now, PAGE, 0)

        rows.append(_timed(f"smart list: `{query}`", ask, _FEWER_CALLS))
    return rows


def _neighbours(library: RepositoryFactory, count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    first = _timed(
        "neighbours, first: all fingerprints are read", lambda _: library.similarity.similar(1, 10), 1
    )
    later = _timed(
        "neighbours, later",
        lambda chosen: library.similarity.similar(chosen.randint(1, count), 10),
        _FEW_CALLS,
    )
    return first, later


def _timed(name: str, call: Call, times: int) -> tuple[str, ...]:
    chosen = random.Random(5)
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call(chosen)
        taken.append(1e3 * (time.perf_counter() - started))
    row = (name, str(times), *(f"{np.percentile(taken, rank):.1f}" for rank in (50, 95, 99, 100)))
    sys.stderr.write(f"{row}\n")
    return row


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
