"""One scan at a time, and its end is told, whatever the end is."""

from pathlib import Path

import pytest
from server import wait_until
from structlog.testing import capture_logs

from tonearm.model.errors import LibraryUnavailable
from tonearm.scanning.jobs import ScanJobs
from tonearm.scanning.scanner import Scanner


class BrokenTracks:
    """A store that fails at the first question."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def known(self, root):
        raise self._error

    def store(self, files):
        raise self._error

    mark_missing = mark_present = store


@pytest.mark.parametrize(
    ("error", "level"), [(LibraryUnavailable("locked"), "warning"), (OverflowError("a defect"), "error")]
)
def test_a_scan_that_breaks_off_is_told_and_another_may_begin(tmp_path: Path, error, level) -> None:
    scanner = Scanner([tmp_path], BrokenTracks(error), read=lambda path: pytest.fail(str(path)))
    told: list[str] = []
    jobs = ScanJobs(
        scanner, lambda: pytest.fail("nothing was scanned"), lambda new: told.append(new["state"])
    )
    with capture_logs() as logs:
        jobs.start(())
        wait_until(jobs.failed, timeout_s=5)
        assert [log["log_level"] for log in logs] == [level]
        jobs.start(())
        wait_until(jobs.failed, timeout_s=5)
        jobs.stop()
    assert told[-1] == "failed"
