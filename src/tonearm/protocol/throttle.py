"""How many messages a client may send, with the clock handed in.

A token bucket: 20 messages a second, bursts of 40. What is beyond is dropped and said so; the
complaints have a bucket of their own, so that a flood is not answered with a flood.
"""

from enum import Enum
from typing import Final

RATE_PER_S: Final = 20.0
BURST: Final = 40
COMPLAINTS_PER_S: Final = 20.0
COMPLAINTS_BURST: Final = 200
PATIENCE_S: Final = 5.0
CALM_S: Final = 1.0
"""A pause of this length between two dropped messages ends a flood."""


class Verdict(Enum):
    ADMIT = "admit"
    DROP = "drop"
    DROP_IN_SILENCE = "drop in silence"
    CLOSE = "close"


class _Bucket:
    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = 0.0

    def take(self, now: float) -> bool:
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate_per_s)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Throttle:
    """Judges each message of one connection; ``now`` in seconds on any clock that never goes back."""

    def __init__(self) -> None:
        self._messages = _Bucket(RATE_PER_S, BURST)
        self._complaints = _Bucket(COMPLAINTS_PER_S, COMPLAINTS_BURST)
        self._flood_began = 0.0
        self._last_drop = float("-inf")

    def judge(self, now: float) -> Verdict:
        if self._messages.take(now):
            return Verdict.ADMIT
        if now - self._last_drop > CALM_S:
            self._flood_began = now
        self._last_drop = now
        if now - self._flood_began >= PATIENCE_S:
            return Verdict.CLOSE
        return Verdict.DROP if self._complaints.take(now) else Verdict.DROP_IN_SILENCE
