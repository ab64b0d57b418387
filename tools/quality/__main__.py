"""``python -m quality MUSIC``: run the checks, say how far they are, write the page or print a part of it."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Final

from quality.choice import Choice
from quality.criteria import Finding, Result, Told, hold
from quality.document import document
from quality.jobs import jobs
from quality.material import music_files
from quality.perceived import RECORD, record
from tonearm.audio.decode import inspect

DESTINATION: Final = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
PROCESSES: Final = 2
INTERRUPTED: Final = 130


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def found_by(folder: Path, number: int) -> list[Result]:
    """All that one job gives; a worker makes the list of jobs for itself."""
    return list(jobs(folder)[number].work())


def outside(results: Sequence[Result]) -> str:
    """The checks of these findings that do not hold."""
    findings = [result for result in results if isinstance(result, Finding)]
    names = sorted({finding.check for finding in findings})
    broken = [name for name in names if not hold(name, [f for f in findings if f.check == name])]
    return f"; OUTSIDE: {', '.join(broken)}" if broken else ""


def run(folder: Path, names: Sequence[str], chosen: Sequence[int]) -> Iterator[Result]:
    """Run the chosen jobs in processes of their own; an interrupt ends them all."""
    start_default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(PROCESSES, initializer=start_default) as pool:
        running = {pool.submit(found_by, folder, number): names[number] for number in chosen}
        try:
            for done, future in enumerate(as_completed(running), start=1):
                results = future.result()
                say(f"{done}/{len(running)} {running[future]}: {len(results)} cases{outside(results)}")
                yield from results
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def main() -> None:
    parser = argparse.ArgumentParser(prog="quality", description=__doc__)
    parser.add_argument("music", type=Path, help="a folder of music")
    parser.add_argument("--only", default="", help="criteria and words, with commas: Q6,Q18,tabla")
    parser.add_argument("--record", action="store_true", help="record what the models of hearing say now")
    asked = parser.parse_args()
    folder = asked.music.resolve()
    every = jobs(folder)
    choice = Choice.of(
        "Q18" if asked.record else asked.only, {number for job in every for number in job.numbers}
    )
    chosen = [at for at, job in enumerate(every) if choice.wants_job(job.name, job.numbers)]
    began = time.monotonic()
    try:
        results = list(run(folder, [job.name for job in every], chosen))
    except KeyboardInterrupt:
        say("interrupted; nothing was written")
        raise SystemExit(INTERRUPTED) from None
    say(f"{(time.monotonic() - began) / 60:.1f} minutes")
    if asked.record:
        record((result for result in results if isinstance(result, Told)), RECORD)
        say(f"recorded: {RECORD.name}")
        return
    tracks = list(music_files(folder))
    minutes = sum(inspect(path).duration_s for path in tracks) / 60
    page = document(choice.of_results(results), len(tracks), minutes, choice.checks())
    if choice.everything:
        DESTINATION.write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)


if __name__ == "__main__":
    main()
