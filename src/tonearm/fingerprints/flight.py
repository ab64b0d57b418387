"""One measurement under way, shared by all who wait for it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tonearm.model.measures import Analysis
from tonearm.model.probe import Probe


class Flight:
    """Begins as background work or as a play; a play that joins background work makes it one.

    Attributes:
        analysis: the measurement, stored once it is done.
        probe: what comes before it, if anything does.
        probe_first: whether somebody wants a probe.
    """

    def __init__(self, *, background: bool, probe_first: bool) -> None:
        self.probe: asyncio.Future[Probe] = asyncio.get_running_loop().create_future()
        self.probe_first = probe_first
        self._urgent = asyncio.Event()
        if not background:
            self._urgent.set()

    def take_off(self, work: Callable[["Flight"], Coroutine[Any, Any, Analysis]]) -> None:
        """Begin; once."""
        self.analysis = asyncio.create_task(work(self))

    @property
    def background(self) -> bool:
        """Whether no play waits for it."""
        return not self._urgent.is_set()

    def hurry(self, *, probe_first: bool) -> None:
        """A play waits for it from now on."""
        if self.background:
            self.probe_first = probe_first
            self._urgent.set()

    def tell(self, probe: Probe) -> None:
        """Give those who wait a first impression."""
        if not self.probe.done():
            self.probe.set_result(probe)

    async def unless_urgent(self, call: Coroutine[Any, Any, Analysis]) -> Analysis | None:
        """The outcome of background work; None if a play came before its end, which ends it."""
        working = asyncio.create_task(call)
        urgent = asyncio.create_task(self._urgent.wait())
        try:
            await asyncio.wait({working, urgent}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            urgent.cancel()
