"""A scan's status in the words of the protocol."""

import json
from typing import Any

import pytest

from tonearm.protocol.news import News, news_of_scan

REPORT: dict[str, Any] = {
    "files_processed": 10,
    "files_added": 3,
    "files_updated": 2,
    "files_skipped": 4,
    "files_missing": 1,
    "files_failed": 1,
    "failures": [{"file": "a.mp3", "code": "DECODE_ERROR", "message": "No."}],
    "duration": 1.5,
}


def said(news: News) -> tuple[str, dict[str, Any]]:
    message = json.loads(news.text)
    assert message["type"] == news.kind
    return message["type"], message["data"]


def test_progress_is_passed_on():
    status = {
        "state": "running",
        "phase": "reading",
        "current": 3,
        "total": 10,
        "percentage": 30.0,
        "current_file": "a.mp3",
    }
    (news,) = news_of_scan(status)
    del status["state"]
    assert said(news) == ("scan_progress", status)


def test_an_end_is_told_with_its_report_and_what_it_changed():
    complete, updated = news_of_scan({"state": "complete", **REPORT})
    assert said(complete) == ("scan_complete", REPORT)
    assert said(updated) == ("library_updated", {"reason": "scan", "count": 6})


def test_a_scan_that_changed_nothing_is_no_news_of_the_library():
    nothing = {"files_added": 0, "files_updated": 0, "files_missing": 0}
    assert [news.kind for news in news_of_scan({"state": "complete", **REPORT, **nothing})] == [
        "scan_complete"
    ]


@pytest.mark.parametrize("state", ["failed", "stopped"])
def test_a_scan_that_did_not_get_to_its_end_is_over_too(state):
    (news,) = news_of_scan({"state": state, "code": "LIBRARY_UNAVAILABLE", "detail": "Not now."})
    assert said(news) == ("scan_progress", {"phase": state})
