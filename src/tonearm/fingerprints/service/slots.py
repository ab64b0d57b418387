"""Whose turn it is: plays before background work, and one place that only plays may have."""

import asyncio
from collections import deque
from enum import Enum

from tonearm.model.errors import FingerprintServerBusy


class Work(Enum):
    """What a measurement is for."""

    PLAY = "play"
    BACKGROUND = "background"


class Slots:
    """How many may work at a time, and in which order the others wait.

    Plays may take every slot but those that background work has at the moment; background work may
    take all but one. With one worker background work has a slot beside it, so that a play never waits
    for a background measurement to end.

    Args:
        workers: slots for plays, >= 1.
        queue: most of either kind that wait; one more is refused.
    """

    def __init__(self, workers: int, queue: int) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self.total = max(2, workers)
        self._most = {Work.PLAY: workers, Work.BACKGROUND: max(1, workers - 1)}
        self._queue = queue
        self._taken = dict.fromkeys(Work, 0)
        self._lines: dict[Work, deque[asyncio.Future[None]]] = {work: deque() for work in Work}

    async def take(self, work: Work) -> None:
        """Wait for a slot; each kind in the order of asking.

        Raises:
            FingerprintServerBusy: too many of this kind are waiting already.
        """
        line = self._lines[work]
        if self._free(work):
            self._taken[work] += 1
            return
        if len(line) >= self._queue:
            raise FingerprintServerBusy(f"{len(line)} requests of kind {work.value} are waiting already")
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                # The slot came in the same moment as the cancel.
                self.release(work)
            elif place in line:
                line.remove(place)
            raise

    def release(self, work: Work) -> None:
        """Give a slot back, to the play that has waited longest, else to background work."""
        self._taken[work] -= 1
        for kind in (Work.PLAY, Work.BACKGROUND):
            line = self._lines[kind]
            while line and (line[0].cancelled() or self._free(kind)):
                place = line.popleft()
                if not place.cancelled():
                    self._taken[kind] += 1
                    place.set_result(None)

    def _free(self, work: Work) -> bool:
        return self._taken[work] < self._most[work] and sum(self._taken.values()) < self.total
