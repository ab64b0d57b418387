"""The client of a server that this program keeps running: a server that is just starting is not down."""

from tonearm.fingerprints.service.client import FingerprintClient
from tonearm.fingerprints.service.supervisor import FingerprintServerProcess
from tonearm.model.measures import Analysis
from tonearm.model.track import Track


class SupervisedService:
    """Measures through ``client``, once ``process`` listens; a server that has died is down at once."""

    def __init__(self, process: FingerprintServerProcess, client: FingerprintClient) -> None:
        self._process = process
        self._client = client

    async def measure(self, track: Track) -> Analysis:
        """As ``FingerprintClient.measure``; waits while the server starts."""
        await self._process.settled()
        return await self._client.measure(track)

    async def healthy(self) -> bool:
        """As ``FingerprintClient.healthy``; a server that starts does not serve yet."""
        return await self._client.healthy()
