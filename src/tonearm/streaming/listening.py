"""A fingerprint that is not there yet: the measurement that a play waits for, or goes on without."""

import asyncio
from types import TracebackType
from typing import Self

from tonearm.model.measures import Analysis
from tonearm.model.track import Track
from tonearm.streaming.pacing import Pacer
from tonearm.streaming.ports import Fingerprints


class Listening:
    """One play's wait for one measurement.

    An asynchronous context: leaving it ends the wait, not the measurement, which others may share.
    """

    def __init__(self, fingerprints: Fingerprints, track: Track) -> None:
        self._fingerprints = fingerprints
        self._analysis = asyncio.create_task(fingerprints.generate(track))
        self._health: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for task in (self._analysis, self._health) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def within(self, seconds: float) -> bool:
        """Wait at most so long; whether ``result`` can be asked now.

        When the wait is over without a result, the service's health is looked into meanwhile.
        """
        done, _ = await asyncio.wait({self._analysis}, timeout=seconds)
        if done:
            return True
        self._health = asyncio.create_task(self._look_after())
        return False

    async def _look_after(self) -> bool:
        """Ask the service whether it works; if not, nobody else should be made to wait for it."""
        healthy = await self._fingerprints.check_health()
        if not healthy:
            self._fingerprints.report_slow()
        return healthy

    @property
    def done(self) -> bool:
        return self._analysis.done()

    def result(self) -> Analysis:
        """What was measured; raises what measuring raised."""
        return self._analysis.result()

    def take_bad_health(self) -> bool:
        """Whether the service has turned out not to serve; says so once."""
        health = self._health
        if health is None or not health.done():
            return False
        self._health = None
        return not health.result()

    def tell(self, pacer: Pacer) -> None:
        """Let news end the waits of ``pacer``."""
        for task in (self._analysis, self._health):
            if task is not None:
                task.add_done_callback(lambda _: pacer.nudge())
