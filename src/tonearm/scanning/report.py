"""What a scan tells while it runs, and at its end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_FAILURES: Final = 1_000
"""So many failures are named; further ones are counted."""


class ScanPhase(StrEnum):
    """``COUNTING`` how much there is, ``READING`` it, ``DONE``."""

    COUNTING = "counting"
    READING = "reading"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ScanFailure:
    """A file or folder that could not be read.

    Attributes:
        name: its name, without the folder that it is in.
        code: for programs.
        sentence: for people.
    """

    name: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a whole scan did.

    Attributes:
        files_processed: audio files looked at: ``added + updated + skipped + failed`` files.
        added, updated: rows written.
        moved: of the updated those that were found at another path.
        skipped: files that have not changed, and were not opened.
        failed: files and folders that could not be read, or were found empty against expectation.
        missing: tracks whose files are gone since the scan before.
        failures: the first thousand of the failed.
        duration_s: how long it took.
    """

    files_processed: int
    added: int
    updated: int
    moved: int
    skipped: int
    failed: int
    missing: int
    failures: tuple[ScanFailure, ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan has come.

    Attributes:
        current: audio files done.
        total: audio files found so far; links may lead to more.
        current_file: name of the file just done, without its folder; empty where there is none.
        phase: what is going on.
        report: at the end, what the whole scan did; None before.
    """

    current: int
    total: int
    current_file: str
    phase: ScanPhase
    report: ScanReport | None = None
