"""What is said to every client: how a scan goes, and that the library has changed.

News are of the moment: where a client has not taken the last of a kind yet, the next takes its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonearm.protocol.messages import envelope

_PROGRESS: Final = ("current", "total", "percentage", "current_file")
_REPORT: Final = (
    *("files_processed", "files_added", "files_updated", "files_skipped", "files_missing", "files_failed"),
    *("failures", "duration"),
)


@dataclass(frozen=True, slots=True)
class News:
    """One message; ``kind`` is its type."""

    kind: str
    text: str


def news_of_scan(status: Mapping[str, Any]) -> list[News]:
    """What a scan's status means for those who watch.

    Args:
        status: ``state`` = ``running`` (with ``phase, current, total, percentage, current_file``),
            ``complete`` (with the report), ``failed`` or ``stopped``.
    """
    state = status["state"]
    if state != "complete":
        phase = status["phase"] if state == "running" else state
        data = {name: status[name] for name in _PROGRESS if name in status}
        return [_news("scan_progress", {**data, "phase": phase})]
    news = [_news("scan_complete", {name: status[name] for name in _REPORT})]
    changed = status["files_added"] + status["files_updated"] + status["files_missing"]
    if changed:
        news.append(_news("library_updated", {"reason": "scan", "count": changed}))
    return news


def _news(kind: str, data: Mapping[str, Any]) -> News:
    return News(kind, envelope(kind, data))
