"""The one scan that may run at a time: begun by a request, told to whoever asks."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import structlog

from tonearm.model.errors import ScanInProgress, TonearmError
from tonearm.scanning.report import ScanProgress, ScanReport
from tonearm.scanning.scanner import Scanner

log = structlog.get_logger()
MAX_FAILURES_TOLD = 100


class ScanJobs:
    """Runs scans one after another in a thread of its own.

    Args:
        after_scan: called in that thread when a scan has ended.
        on_status: called with every new status, one after another.
    """

    def __init__(
        self,
        scanner: Scanner,
        after_scan: Callable[[], object],
        on_status: Callable[[Mapping[str, Any]], object],
    ) -> None:
        self._scanner = scanner
        self._after_scan = after_scan
        self._on_status = on_status
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scan")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._status: dict[str, Any] = {"state": "idle"}

    def start(self, directories: Sequence[Path]) -> None:
        """Begin a scan and return; none given means every root.

        Raises:
            ScanInProgress: one is running.
            OutsideLibrary: a directory does not lie below the roots.
        """
        steps = self._scanner.scan(directories)
        with self._lock:
            if self._status["state"] == "running":
                raise ScanInProgress("wanted to start a scan while one is running")
            self._status = {
                "state": "running",
                "phase": "counting",
                "current": 0,
                "total": 0,
                "percentage": 0.0,
            }
        self._thread.submit(self._run, steps).add_done_callback(self._ended)

    def status(self) -> dict[str, Any]:
        """How far the scan is, or how the last one ended. Names of files, never paths."""
        with self._lock:
            return dict(self._status)

    def failed(self) -> bool:
        """Whether the last scan could not be carried out."""
        return bool(self.status()["state"] == "failed")

    def stop(self) -> None:
        """End a running scan at its next file and wait for it; what was read is stored."""
        self._stop.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _run(self, steps: Generator[ScanProgress, None, ScanReport]) -> None:
        try:
            with closing(steps):
                for step in steps:
                    if step.report is not None:
                        self._finish(step.report)
                    elif self._stop.is_set():
                        self._set({"state": "stopped"})
                        return
                    else:
                        self._set(_progress(step))
        except TonearmError as error:
            log.warning("Scan failed", code=error.code, cause=str(error))
            self._set({"state": "failed", "code": error.code, "detail": error.sentence})

    def _ended(self, run: Future[None]) -> None:
        """A scan that crashed is told and over, so that another one can be started."""
        if not run.cancelled() and (error := run.exception()) is not None:
            log.error("Scan crashed", exc_info=error)
            self._set({"state": "failed", "code": TonearmError.code, "detail": "Something went wrong."})

    def _finish(self, report: ScanReport) -> None:
        self._set({"state": "complete", **describe_report(report)})
        self._after_scan()

    def _set(self, status: dict[str, Any]) -> None:
        with self._lock:
            self._status = status
        self._on_status(status)


def _progress(step: ScanProgress) -> dict[str, Any]:
    return {
        "state": "running",
        "phase": step.phase,
        "current": step.current,
        "total": step.total,
        "percentage": 100.0 * step.current / step.total if step.total else 0.0,
        "current_file": step.current_file,
    }


def describe_report(report: ScanReport) -> dict[str, Any]:
    """How a scan ended, for JSON; names of files, never paths."""
    return {
        "files_processed": report.files_processed,
        "files_added": report.added,
        "files_updated": report.updated,
        "files_moved": report.moved,
        "files_skipped": report.skipped,
        "files_missing": report.missing,
        "files_failed": report.failed,
        "failures": [
            {"file": failure.name, "code": failure.code, "message": failure.sentence}
            for failure in report.failures[:MAX_FAILURES_TOLD]
        ],
        "duration": report.duration_s,
    }
