"""From a scan in its thread to the sockets on the loop."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tonearm.protocol.news import News, news_of_scan

EVERY_S: Final = 0.25
"""A scan may look at thousands of files a second; people read four numbers a second."""


class ScanNews:
    """Hears every step of a scan and passes some on: ends always, steps at most every ``EVERY_S``.

    Called in the scan's thread, one step at a time.

    Args:
        tell: passes one piece of news on, from any thread.
        clock: seconds that never go back.
    """

    def __init__(self, tell: Callable[[News], object], clock: Callable[[], float]) -> None:
        self._tell = tell
        self._clock = clock
        self._due = float("-inf")

    def hear(self, status: Mapping[str, Any]) -> None:
        """The scan's status has become this."""
        now = self._clock()
        if status["state"] == "running":
            if now < self._due:
                return
            self._due = now + EVERY_S
        else:
            self._due = now
        for news in news_of_scan(status):
            self._tell(news)
