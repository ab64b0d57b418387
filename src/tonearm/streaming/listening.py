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
        self._health: asyncio.Future[bool] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The service is looked after to the end, whoever leaves.
        if self._health is not None:
            self._health.cancel()
        self._analysis.cancel()
        await asyncio.gather(self._analysis, return_exceptions=True)

    async def within(self, seconds: float) -> bool:
        """Wait at most so long for the first that comes of a probe and the analysis; whether one did.

        When the wait is over without either, the service's health is looked into meanwhile.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._first_stage.wait()
        except TimeoutError:
            self._health = self._fingerprints.look_after()
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
        return not health.cancelled() and not health.result()

    def tell(self, pacer: Pacer) -> None:
        """Let news end the waits of ``pacer``; a late first impression is none worth a hurry."""
        self._analysis.add_done_callback(lambda _: pacer.nudge())
        if self._health is not None:
            self._health.add_done_callback(lambda _: pacer.nudge())
