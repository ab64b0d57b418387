"""From the click to the first sound, over a real socket."""

import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from bench.player import Player
from bench.server import Track, ask, percentiles, tracks
from bench.table import table

_ROUNDS: Final = 3
_PAUSE_S: Final = 0.2
_SEEKS_WITHIN: Final = 0.8
"""Of the track: near its end there would be nothing left to wait for."""

_NEVER, _STORED, _SEEK = "never analysed", "fingerprint stored", "seek"


def measure(port: int, known: Sequence[Track]) -> str:
    """Play every track of a server that has measured none, then again and seek; in Markdown.

    All of them are measured afterwards. Those with too little in them to be measured do not count.
    """
    taken: defaultdict[str, list[tuple[float, str, str]]] = defaultdict(list)
    chance = random.Random(1)
    with Player.of(port) as player:
        for track in known:
            seconds, state = player.first_frame("play_enhanced", track_id=track.number)
            taken[_NEVER].append((seconds, state, track.title))
            # One click at a time: the next finds the machine at rest.
            while ask(port, f"/api/library/tracks/{track.number}")["fingerprint_status"] == "pending":
                time.sleep(0.1)
            player.stop()
        mastered = [track for track in tracks(port) if track.status == "complete"]
        for track in mastered * _ROUNDS:
            # A connection may say 20 things a second; these are three.
            time.sleep(_PAUSE_S)
            seconds, state = player.first_frame("play_enhanced", track_id=track.number)
            taken[_STORED].append((seconds, state, track.title))
            position = chance.uniform(0.0, _SEEKS_WITHIN * track.seconds)
            seconds, state = player.first_frame("seek", track_id=track.number, position=position)
            taken[_SEEK].append((seconds, state, track.title))
            player.stop()
    taken[_NEVER] = [play for play in taken[_NEVER] if play[1] != "none"]
    rows = [_row(name, plays) for name, plays in taken.items()]
    sys.stderr.write(f"first frame: {rows}\n")
    return "\n\n".join(
        (
            "### First frame",
            "Milliseconds from what the client says (`play_enhanced`, `seek`) to its first frame of the new"
            f" stream, over the binary transport, one listener. Each of the {len(mastered)} tracks once"
            f" before it was ever measured, then {_ROUNDS} times with its fingerprint stored, each followed"
            " by a seek to any place in it.",
            table(("play", "times", "p50 / p95, ms", "slowest", "on what it rests"), rows),
        )
    )


def _row(name: str, plays: Sequence[tuple[float, str, str]]) -> tuple[str, ...]:
    states = Counter(state for _, state, _ in plays)
    slowest, _, title = max(plays)
    return (
        *(name, str(len(plays)), percentiles([seconds for seconds, _, _ in plays], 50, 95)),
        f"{1e3 * slowest:.0f} ({title})",
        ", ".join(f"{state} {count}" for state, count in states.most_common()),
    )
