"""What a listener has heard of a track, over all the streams that a play was made of.

A seek, or a switch of the mastering in the middle, is a new stream of the same play. The listener cannot
have heard more than was sent, nor more than real time has passed since, pauses left out.
"""

from dataclasses import dataclass
from typing import Final

from tonearm.protocol.flow import Flow
from tonearm.protocol.messages import StreamRequest

LEAST_S: Final = 5.0
"""What was heard for less is a click on the way to something else."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One play that is over.

    Attributes:
        seconds: how much of the track was heard.
        completed: from its start to its end, without a jump.
        ago_s: how long ago it began.
    """

    track_id: int
    seconds: float
    completed: bool
    ago_s: float


class Ear:
    """Follows one connection; all times in seconds on a clock that never goes back."""

    def __init__(self) -> None:
        self._track_id: int | None = None
        self._flow: Flow | None = None
        self._whole = False
        self._begun_at = 0.0
        self._before_s = 0.0
        self._sent_s = 0.0
        self._ran_s = 0.0
        self._running_since: float | None = None

    def begins(self, request: StreamRequest, flow: Flow, now: float) -> Heard | None:
        """A stream was asked for; the play that is over by that, if it is one."""
        goes_on = request.track_id == self._track_id and (request.is_seek or request.start_position > 0.0)
        over = None if goes_on else self.ends(now)
        if goes_on:
            self._before_s += self._stream_s(now)
        else:
            self._begun_at, self._before_s = now, 0.0
        self._track_id, self._flow = request.track_id, flow
        self._whole = not goes_on and request.start_position == 0.0
        self._sent_s = self._ran_s = 0.0
        self._running_since = None
        return over

    def sent(self, seconds: float, now: float) -> None:
        """So much more sound of the stream is on its way; the first of it starts the listener's clock."""
        self.turn(now)
        if not self._sent_s and self._flow is not None and not self._flow.paused:
            self._running_since = now
        self._sent_s += seconds

    def turn(self, now: float) -> None:
        """The listener has paused or gone on, or may have."""
        if not self._sent_s or self._flow is None:
            return
        if self._running_since is not None:
            self._ran_s += now - self._running_since
        # Who has nothing left waits; the time is not made up for.
        self._ran_s = min(self._ran_s, self._sent_s)
        self._running_since = None if self._flow.paused else now

    def completes(self, now: float) -> Heard | None:
        """All of the stream was sent; what lies ahead of the listener counts as heard."""
        self._ran_s, self._running_since = self._sent_s, None
        return self._over(self._whole, now)

    def ends(self, now: float) -> Heard | None:
        """The stream was stopped, replaced, broken off, or its client is gone."""
        self.turn(now)
        self._running_since = None
        return self._over(False, now)

    def _stream_s(self, now: float) -> float:
        self.turn(now)
        return min(self._ran_s, self._sent_s)

    def _over(self, completed: bool, now: float) -> Heard | None:
        track_id, seconds = self._track_id, self._before_s + min(self._ran_s, self._sent_s)
        self._track_id, self._before_s, self._sent_s, self._ran_s = None, 0.0, 0.0, 0.0
        if track_id is None or (seconds < LEAST_S and not completed):
            return None
        return Heard(track_id, seconds, completed, now - self._begun_at)
