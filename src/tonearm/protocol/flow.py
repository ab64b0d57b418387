"""What the client says about its own playing: paused, buffer full.

Without I/O: whoever waits for a change registers a callable and is called on the caller's thread.
"""

from collections.abc import Callable


class Flow:
    """The state of one stream, as its client tells it.

    A stream that begins while the listener has paused (a seek) is sent up to its lead, so that it
    sounds at once when the listener goes on; a pause during a stream holds it.

    Attributes:
        paused: the listener has paused, so nothing is being played.
        full: the client's buffer is full.
        flow_controlled: the client has sent a ``buffer_full`` on this connection, so it will say
            when to stop.
    """

    def __init__(self, flow_controlled: bool, paused: bool) -> None:
        self.paused = paused
        self.full = False
        self.flow_controlled = flow_controlled
        self._stopped = False
        self._watchers: list[Callable[[], None]] = []

    @property
    def held(self) -> bool:
        """Nothing may be sent for now."""
        return self._stopped or self.full

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` after every change."""
        self._watchers.append(changed)

    def unwatch(self, changed: Callable[[], None]) -> None:
        """Call it no more."""
        self._watchers.remove(changed)

    def set_paused(self, paused: bool) -> None:
        self.paused = self._stopped = paused
        self._tell()

    def set_full(self, full: bool) -> None:
        self.full = full
        self.flow_controlled = self.flow_controlled or full
        self._tell()

    def _tell(self) -> None:
        for changed in self._watchers:
            changed()
