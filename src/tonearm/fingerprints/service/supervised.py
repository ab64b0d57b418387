"""The client of a server that this program keeps running: a server that is just starting is not down."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from tonearm.fingerprints.service.client import FingerprintClient
from tonearm.fingerprints.service.supervisor import FingerprintServerProcess
from tonearm.model.measures import Analysis
from tonearm.model.probe import Probe
from tonearm.model.track import Track


class SupervisedService:
    """Measures through ``client``, once ``process`` listens; a server that has died is down at once."""

    def __init__(self, process: FingerprintServerProcess, client: FingerprintClient) -> None:
        self._process = process
        self._client = client

    async def measure_stream(
        self, track: Track, *, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        """As ``FingerprintClient.measure_stream``; waits while the server starts."""
        await self._process.settled()
        stages = self._client.measure_stream(track, background=background, probe_first=probe_first)
        async with aclosing(stages):
            async for stage in stages:
                yield stage

    async def healthy(self) -> bool:
        """As ``FingerprintClient.healthy``; a server that starts does not serve yet."""
        return await self._client.healthy()
