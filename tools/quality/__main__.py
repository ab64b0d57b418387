"""``python -m quality MUSIC``: run every check, say how far it is, write the page."""

import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Final

from quality.criteria import Finding, hold
from quality.document import document
from quality.jobs import jobs
from quality.material import music_files
from tonearm.audio.decode import inspect

DESTINATION: Final = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
PROCESSES: Final = 2
INTERRUPTED: Final = 130


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def found_by(folder: Path, number: int) -> list[Finding]:
    """All findings of one job; a worker makes the list of jobs for itself."""
    return list(jobs(folder)[number][1]())


def outside(findings: list[Finding]) -> str:
    """The checks of these findings that do not hold."""
    names = sorted({finding.check for finding in findings})
    broken = [name for name in names if not hold(name, [f for f in findings if f.check == name])]
    return f"; OUTSIDE: {', '.join(broken)}" if broken else ""


def run(folder: Path, names: list[str], chosen: list[int]) -> Iterator[Finding]:
    """Run the chosen jobs in processes of their own; an interrupt ends them all."""
    start_default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(PROCESSES, initializer=start_default) as pool:
        running = {pool.submit(found_by, folder, number): names[number] for number in chosen}
        try:
            for done, future in enumerate(as_completed(running), start=1):
                findings = future.result()
                say(f"{done}/{len(running)} {running[future]}: {len(findings)} cases{outside(findings)}")
                yield from findings
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def main() -> None:
    if len(sys.argv) not in {2, 3}:
        raise SystemExit("usage: python -m quality MUSIC_DIR [JOBS WHOSE NAME CONTAINS]")
    folder, wanted = Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) == 3 else ""
    names = [name for name, _ in jobs(folder)]
    chosen = [number for number, name in enumerate(names) if wanted in name]
    try:
        findings = list(run(folder, names, chosen))
    except KeyboardInterrupt:
        say("interrupted; nothing was written")
        raise SystemExit(INTERRUPTED) from None
    tracks = list(music_files(folder))
    minutes = sum(inspect(path).duration_s for path in tracks) / 60
    page = document(findings, len(tracks), minutes)
    if wanted:
        sys.stdout.write(page)
    else:
        DESTINATION.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
