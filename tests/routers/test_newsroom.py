"""How much of a scan everyone is told."""

from tonearm.protocol.news import News
from tonearm.routers.newsroom import ScanNews


def running(current: int) -> dict[str, object]:
    return {"state": "running", "phase": "reading", "current": current, "total": 9_999, "percentage": 1.0}


def test_steps_are_told_four_times_a_second_and_ends_always():
    told: list[News] = []
    now = 100.0
    news = ScanNews(told.append, lambda: now)
    for number in range(10_000):
        news.hear(running(number))
        now += 0.001
    assert 38 <= len(told) <= 41
    news.hear({"state": "failed"})
    news.hear(running(0))
    assert [one.kind for one in told[-2:]] == ["scan_progress"] * 2
    assert '"failed"' in told[-2].text
    assert '"current":0' in told[-1].text
