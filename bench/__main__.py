"""``python -m bench [SECTION ...] [--runs N]``: measure, print, and write ``docs/bench.md``.

Without a section all but the growth and the page are measured and the document is written; it keeps its
other sections. With some, they are only printed, or with ``--write`` put in the place of the ones of the
same heading in the document.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import document, library, lookup, machine, metering, scanning, small_files, sound, streaming
from bench.measure import Measured, absent, measure
from bench.sections import SECTIONS
from tonearm.rendering.measure import measure_file

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "bench.md"
_FEWEST_RUNS: Final = 5
_STREAMING: Final = "streaming"
_LIBRARY: Final = "library"
_PAGE: Final = "page"
_CLICK: Final = "click"
_GROWTH: Final = "growth"
_ALL: Final = (*SECTIONS, _STREAMING)
_WRITERS: Final = {
    "fingerprint": document.fingerprints,
    "metering": metering.table_of,
    "decoding": document.decoders,
    "mastering": document.chains,
    "lookup": document.lookups,
    "scan": scanning.table_of,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        choices=[[], *_ALL, _LIBRARY, _GROWTH, _PAGE, _CLICK],
        help="default: all but the last three",
    )
    parser.add_argument("--runs", type=int, default=_FEWEST_RUNS, help="of each contender")
    parser.add_argument("--tracks", type=int, default=library.TRACKS, help="of the large library")
    parser.add_argument("--files", type=int, default=scanning.FILES, help="of the scan")
    parser.add_argument("--database-url", help="of an empty database for the large library")
    parser.add_argument("--postgres", action="store_true", help="a Postgres of its own for the large library")
    parser.add_argument("--write", action="store_true", help="put the sections into the document")
    arguments = parser.parse_args()
    chosen = arguments.sections or [*_ALL, _LIBRARY]
    with tempfile.TemporaryDirectory(prefix="tonearm-bench-") as folder:
        text = _report(chosen, arguments, Path(folder))
        if _LIBRARY in chosen:
            text += _library(Path(folder), arguments)
        if _GROWTH in chosen:
            from bench import growth

            text += growth.measure(Path(folder))
    if _PAGE in chosen:
        # It drives a browser, with what the tests have for that: nobody else needs it.
        from bench import page

        text += page.measure(arguments.tracks)
    if _CLICK in chosen:
        from bench import click

        text += click.measure()
    print(text)
    old = DOCUMENT.read_text(encoding="utf-8")
    if not arguments.sections:
        text = document.kept(old, text)
    elif arguments.write:
        text = document.replaced(old, text)
    if arguments.write or not arguments.sections:
        DOCUMENT.write_text(text.rstrip() + "\n", encoding="utf-8")


def _library(folder: Path, arguments: argparse.Namespace) -> str:
    if not arguments.postgres:
        return library.measure(folder, arguments.database_url, arguments.tracks)
    # Of the tests, and in their environment.
    from postgres import postgres_server

    with postgres_server() as server, server.database() as name:
        return library.measure(folder, server.url(name), arguments.tracks)


def _report(chosen: Sequence[str], arguments: argparse.Namespace, folder: Path) -> str:
    taken, runs = [section for section in chosen if section in SECTIONS], arguments.runs
    origin = _prepare(folder, chosen, arguments.files) if taken else "none"
    loads = [machine.load()]
    measured: list[Measured] = []
    parts: list[str] = []
    for section in taken:
        found = measure(section, SECTIONS[section], folder, runs)
        loads.append(machine.load())
        measured += found
        parts.append(_WRITERS[section]({each.contender.name: each for each in found}))
        parts.append(document.absences(absent(SECTIONS[section])))
    if _STREAMING in chosen:
        parts.append(streaming.measure(folder))
    if not taken:
        return "\n\n".join(parts)
    head = document.head(machine.description(bound=True), origin, machine.revision(), runs, loads)
    return "\n\n".join(part for part in (head, *parts, document.versions(measured)) if part)


def _prepare(folder: Path, chosen: Sequence[str], files: int) -> str:
    """Lay out the folder that ``bench.one`` reads; where the sound comes from, in words."""
    taken = sound.source()
    whole, start = folder / "whole", folder / "start"
    for part, samples in (
        (whole, taken.samples),
        (start, taken.samples[: sound.WARM_UP_S * sound.FORMAT.rate]),
    ):
        part.mkdir()
        sound.write(samples, part, sound.KINDS)
    if "scan" in chosen:
        small_files.make(start / scanning.MUSIC, scanning.WARM_UP_FILES)
        small_files.make(whole / scanning.MUSIC, files)
    if "lookup" in chosen:
        analysis = measure_file(start / "sound.wav")
        lookup.fill(start, lookup.WARM_UP_TRACKS, analysis)
        lookup.fill(whole, lookup.TRACKS, analysis)
    return taken.origin


if __name__ == "__main__":
    main()
