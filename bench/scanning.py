"""What a scan of many small files costs, cold and with nothing changed, beside programs that read tags."""

import resource
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench import machine
from bench.contender import Contender, Findings, Stopwatch
from bench.measure import Measured
from bench.quicker import quicker
from bench.table import table

FILES: Final = 20_000
WARM_UP_FILES: Final = 300
MUSIC: Final = "files"


def _audio(folder: Path) -> Iterator[Path]:
    return (path for path in (folder / MUSIC).rglob("*.*") if path.is_file())


def _scan(folder: Path, watch: Stopwatch, before: int) -> Findings:
    """Scan into a fresh library, ``before`` times without the clock and once with it."""
    from tonearm.library.database import open_library
    from tonearm.logs import configure_logging
    from tonearm.scanning.reading import read_file
    from tonearm.scanning.scanner import Scanner

    configure_logging("warning", "json")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        library = open_library(f"sqlite:///{place}/library.db")
        scanner = Scanner([folder / MUSIC], library.tracks, read_file)
        for _ in range(before):
            list(scanner.scan())
        idle = _memory_mb()
        with watch("scan"):
            *_, last = scanner.scan()
        library.close()
    report = last.report
    assert report is not None
    assert report.failed == 0
    return {"files": report.files_processed, "added": report.added, "MB before": idle, "MB": _memory_mb()}


def _each(read: Callable[[], Callable[[Path], Any]]) -> Callable[[Path, Stopwatch], Findings]:
    def work(folder: Path, watch: Stopwatch) -> Findings:
        one, count = read(), 0
        with watch("scan"):
            for path in _audio(folder):
                one(path)
                count += 1
        return {"files": count}

    return work


def _tinytag() -> Callable[[Path], Any]:
    from tinytag import TinyTag

    return lambda path: TinyTag.get(path, image=True)


def _mutagen() -> Callable[[Path], Any]:
    from mutagen import File

    return File


def _ffmpeg() -> Callable[[Path], Any]:
    import av

    def read(path: Path) -> None:
        av.open(str(path)).close()

    return read


COLD: Final = Contender(
    "Tonearm",
    "tonearm",
    "finds, hashes and reads every file, makes tracks, albums, artists, genres and their index of words",
    lambda folder, watch: _scan(folder, watch, 0),
)
UNCHANGED: Final = Contender(
    "Tonearm, nothing changed",
    "tonearm",
    "finds every file and lays it beside its row",
    lambda folder, watch: _scan(folder, watch, 1),
)
CONTENDERS: Final = (
    COLD,
    UNCHANGED,
    Contender("tinytag", "tinytag", "tags, pictures and length, stores nothing", _each(_tinytag)),
    Contender("mutagen", "mutagen", "tags, pictures and length, stores nothing", _each(_mutagen)),
    Contender("FFmpeg (PyAV)", "av", "opens and closes each file", _each(_ffmpeg)),
)


def table_of(measured: Mapping[str, Measured]) -> str:
    """The scan beside its peers; in Markdown."""
    load = machine.load()
    ours = measured[COLD.name]
    found = ours.findings
    rows = [
        (
            f"**{name}**" if each.contender.package == "tonearm" else f"{name} {each.version}",
            each.contender.does,
            f"{each.findings['files'] / each.cost().median:,.0f}",
            str(each.cost()),
            str(each.cost().over(ours.cost())) if each is not ours else "1",
        )
        for name, each in measured.items()
    ]
    heading = ("program", "does", "files per CPU second", "CPU s", "times Tonearm")
    return "\n\n".join(
        (
            "## Scan",
            f"{found['files']:,.0f} small files (FLAC, MP3, M4A, Vorbis, Opus, WAV of 2 to 4 s, a third of"
            " them with a cover), in the file system's cache; one core, all threads together. In the first"
            " row every file is new. Median of the runs. At their end, on the average of a minute,"
            f" {load:.1f} processes wanted a core.",
            table(heading, rows),
            *filter(None, [quicker(measured, ours)]),
            f"Memory of a cold scan: {found['MB before']:.0f} MB before, {found['MB']:.0f} MB at most.",
        )
    )


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
