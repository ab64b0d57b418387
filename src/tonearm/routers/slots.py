"""How many streams may play at a time, in total and for one client's address."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tonearm.model.errors import ServerBusy


class StreamSlots:
    """Counts the streams that are being made."""

    def __init__(self, total: int, per_client: int) -> None:
        self._total = total
        self._per_client = per_client
        self._held: Counter[str] = Counter()

    @property
    def in_use(self) -> int:
        return self._held.total()

    @contextmanager
    def hold(self, address: str) -> Iterator[None]:
        """One stream's place, given back on leaving.

        Raises:
            ServerBusy: all places are taken, or all of this address.
        """
        if self.in_use >= self._total:
            raise ServerBusy(f"wanted one more stream, {self._total} are playing")
        if self._held[address] >= self._per_client:
            raise ServerBusy(f"wanted one more stream for {address}, it has {self._per_client}")
        self._held[address] += 1
        try:
            yield
        finally:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
