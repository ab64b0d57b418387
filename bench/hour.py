"""An hour of sound at full speed: what the server holds at its start, in its middle, and at its end."""

import sys
import time
from collections.abc import Sequence
from itertools import cycle
from typing import Final

from bench.player import Player
from bench.server import Track, Usage, usage
from bench.table import table

LEAD_S: Final = 600
"""The most that may be sent ahead; a track longer than that would be held back."""

_WARM_S: Final = 600.0
_LENGTH_S: Final = 3600.0


def measure(process: int, port: int, known: Sequence[Track]) -> str:
    """Play track after track until an hour more than the first ten minutes has come; in Markdown."""
    playable = cycle([track for track in known if track.status == "complete" and track.seconds <= LEAD_S])
    rows = [_row("before the first play", usage(process))]
    marks = {
        "after 10 minutes: the start": _WARM_S,
        "half an hour later": _WARM_S + _LENGTH_S / 2,
        "an hour later": _WARM_S + _LENGTH_S,
    }
    heard_s, began = 0.0, time.perf_counter()
    with Player.of(port) as player:
        for name, mark_s in marks.items():
            while heard_s < mark_s:
                player.say("play_enhanced", track_id=next(playable).number)
                heard_s += player.until("audio_stream_end")["duration"]
            rows.append(_row(name, usage(process)))
    speed = heard_s / (time.perf_counter() - began)
    sys.stderr.write(f"hour: {rows}, {speed:.0f} x real time\n")
    return "\n\n".join(
        (
            "### An hour at full speed",
            f"One listener, binary transport, `streaming.lead_s` = {LEAD_S}, track after track to its end:"
            f" {speed:.0f} x real time. Memory and handles of the server's process.",
            table(("when", "RSS, MB", "PSS, MB", "open handles"), rows),
        )
    )


def _row(name: str, held: Usage) -> tuple[str, ...]:
    return name, f"{held.rss / 1e6:.1f}", f"{held.pss / 1e6:.1f}", str(held.handles)
