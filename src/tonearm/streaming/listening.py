"""A fingerprint that is not there yet: the measurement that a play waits for, or goes on without."""

import asyncio
from contextlib import aclosing
from types import TracebackType
from typing import Self

from tonearm.model.errors import FingerprintUnavailable
from tonearm.model.measures import Analysis
from tonearm.model.probe import Probe
from tonearm.model.track import Track
from tonearm.streaming.pacing import Pacer
from tonearm.streaming.ports import Fingerprints


class Listening:
    """One play's wait for one measurement.

    An asynchronous context: leaving it ends the wait, not the measurement, which others may share.

    """

    def __init__(self, fingerprints: Fingerprints, track: Track) -> None:
        self._probe: Probe | None = None
        self._fingerprints = fingerprints
        self._first_stage = asyncio.Event()
        self._analysis = asyncio.create_task(self._listen(track))
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
        """Wait at most so long for the first that comes of a probe and the analysis; whether one did.

        When the wait is over without either, the service's health is looked into meanwhile.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._first_stage.wait()
        except TimeoutError:
            self._health = asyncio.create_task(self._look_after())
            return False
        return True

    async def _listen(self, track: Track) -> Analysis:
        try:
            async with aclosing(self._fingerprints.generate_stages(track)) as stages:
                async for stage in stages:
                    if isinstance(stage, Analysis):
                        return stage
                    self._probe = stage
                    self._first_stage.set()
            raise FingerprintUnavailable(f"track {track.id}: the measurement ended without a result")
        finally:
            self._first_stage.set()

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

    def take_probe(self) -> Probe | None:
        """The first impression, if there is one, nothing better, and it was not taken yet."""
        probe, self._probe = self._probe, None
        return None if self.done else probe

    def take_bad_health(self) -> bool:
        """Whether the service has turned out not to serve; says so once."""
        health = self._health
        if health is None or not health.done():
            return False
        self._health = None
        return not health.result()

    def tell(self, pacer: Pacer) -> None:
        """Let news end the waits of ``pacer``; a late first impression is none worth a hurry."""
        for task in (self._analysis, self._health):
            if task is not None:
                task.add_done_callback(lambda _: pacer.nudge())
