"""How far a stream may run ahead of the listener.

At most ``lead_s`` seconds of audio beyond what real time says has been played since the stream
started or resumed. A quarter of them comes at once, the others by and by in two seconds more: a client
that soon asks for another sound shall not have to work through all of the old one first, and a
hundred listeners who begin together are served in turn.

A client without flow control gets at most 1,000,000 values ahead on base64: the original clients have a
ring of 1,310,720 values and overwrite what they have not played.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from tonearm.protocol.flow import Flow

UNCONTROLLED_VALUES: Final = 1_000_000
HEAD_START: Final = 0.25
GROWTH: Final = 0.4
"""Parts of the lead: what is made at once, and by how much it may grow in a second from then on."""


class PlayClock:
    """What the listener has played, by real time; times in seconds on a clock that never goes back.

    The listener cannot have played what was not sent: where real time runs past it, it waits.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._sent = 0
        self._played = 0.0
        self._read_at: float | None = None

    def send(self, frames: int, now: float) -> None:
        """``frames`` more have been sent."""
        self.ahead(now)
        self._sent += frames

    def run(self, running: bool, now: float) -> None:
        """The listener plays, or has stopped playing."""
        self.ahead(now)
        self._read_at = now if running else None

    def ahead(self, now: float) -> float:
        """Frames sent that have not been played yet."""
        if self._read_at is not None:
            self._played = min(float(self._sent), self._played + (now - self._read_at) * self._rate)
            self._read_at = now
        return self._sent - self._played


class Pacer:
    """Lets a stream wait for its turn.

    Args:
        flow: what the client says.
        rate, channels: of the stream.
        lead_s: the most that may lie ahead of the listener, seconds.
        capped: whether the cap on values holds until the client is flow controlled.
        clock: seconds that never go back.
        late: called for every frame that comes after real time has overtaken the stream, while the client
            did not hold it.
    """

    def __init__(
        self,
        flow: Flow,
        rate: int,
        channels: int,
        lead_s: float,
        capped: bool,
        clock: Callable[[], float],
        late: Callable[[], None],
    ) -> None:
        self._flow = flow
        self._rate = rate
        self._lead = int(lead_s * rate)
        self._uncontrolled_lead = UNCONTROLLED_VALUES // channels if capped else self._lead
        self._limited_lead = self._lead
        self._clock = clock
        self._late = late
        self._played = PlayClock(rate)
        self._begun_at: float | None = None
        self._was_held = False
        self._nudged = False
        self._changed = asyncio.Event()
        flow.watch(self._flow_changed)

    def close(self) -> None:
        """Hear no more of the client: the two would keep each other, and what lies between, in memory."""
        self._flow.unwatch(self._flow_changed)

    @property
    def lead_s(self) -> float:
        """Seconds that lie ahead of the listener now."""
        return self._played.ahead(self._clock()) / self._rate

    @property
    def margin_s(self) -> float | None:
        """As ``lead_s``; None where that says nothing of what is heard, as the client holds the stream."""
        return None if self._held else self.lead_s

    def sent(self, frames: int) -> None:
        """``frames`` more are on their way; the first of them start the clock."""
        if self._begun_at is not None and not self._was_held and self.margin_s == 0.0:
            self._late()
        # What comes first after the client has held the stream may come late.
        self._was_held = self._held
        self._played.send(frames, self._clock())
        if self._begun_at is None:
            self._begun_at = self._clock()
            self._played.run(not self._flow.paused, self._clock())

    def limit(self, lead_s: float | None) -> None:
        """Let at most ``lead_s`` seconds lie ahead for now; None ends that."""
        self._limited_lead = self._lead if lead_s is None else int(lead_s * self._rate)

    def nudge(self) -> None:
        """End the wait early, or the next one: there is news."""
        self._nudged = True
        self._changed.set()

    async def turn(self, frames: int) -> bool:
        """Wait until ``frames`` more may be made; False if a nudge came before that."""
        while (delay := self._delay_s(frames)) != 0.0:
            if self._nudged:
                self._nudged = False
                return False
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._changed.wait()
        return True

    @property
    def _held(self) -> bool:
        return self._flow.held or self._flow.paused

    def _delay_s(self, frames: int) -> float | None:
        """Seconds until ``frames`` more may be made; None while only the client can tell."""
        if self._flow.held:
            return None
        lead = min(self._lead, self._limited_lead)
        if not self._flow.flow_controlled:
            lead = min(lead, self._uncontrolled_lead)
        now = self._clock()
        wanted = self._played.ahead(now) + frames
        if wanted > lead:
            return None if self._flow.paused else (wanted - lead) / self._rate
        since = 0.0 if self._begun_at is None else now - self._begun_at
        return max(0.0, (wanted / self._lead - HEAD_START) / GROWTH - since)

    def _flow_changed(self) -> None:
        self._was_held = True
        if self._begun_at is not None:
            self._played.run(not self._flow.paused, self._clock())
        self._changed.set()
