"""Hours of sound at full speed: what the server holds before, when it is warm, and hour after hour."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

from bench.player import Player
from bench.server import Track, Usage, usage
from bench.table import table

LEAD_S: Final = 600
"""The most that may be sent ahead; a track longer than that would be held back."""

_WARM_S: Final = 1800.0
"""By then every track has been played by every thread: what is kept for the next one has been made."""

_HOURS: Final = (1, 2, 4, 8)
_REST_S: Final = 1.0
"""The server is asked between two streams, when the last has let go of its file."""


def measure(process: int, port: int, known: Sequence[Track]) -> str:
    """Play track after track until hours have come, after half an hour that warms up; in Markdown."""
    playable = cycle([track for track in known if track.status == "complete" and track.seconds <= LEAD_S])
    began = time.perf_counter()
    with Player.of(port) as player:
        held = {"before the first play": usage(process)}
        names = _handles(process)
        plays = _plays(player, playable)
        heard_s = 0.0
        marks = {"after half an hour": _WARM_S} | {f"{n} h later": _WARM_S + 3600.0 * n for n in _HOURS}
        for name, mark_s in marks.items():
            while heard_s < mark_s:
                heard_s += next(plays)
            time.sleep(_REST_S)
            held[name] = usage(process)
        added = _handles(process) - names
    speed = heard_s / (time.perf_counter() - began)
    rows = [_row(name, each) for name, each in held.items()]
    sys.stderr.write(f"hour: {rows}, {added}, {speed:.0f} x real time\n")
    hours = list(held.values())[1:]
    growth_mb = (hours[-1].own - hours[0].own) / 1e6 / _HOURS[-1]
    spread_mb = (max(each.own for each in hours) - min(each.own for each in hours)) / 1e6
    return "\n\n".join(
        (
            "### Hours at full speed",
            f"One listener, binary transport, `streaming.lead_s` = {LEAD_S}, track after track to its end:"
            f" {speed:.0f} x real time. Memory and handles of the server's process, asked when a track has"
            " ended. Its own memory is what no file stands behind (RssAnon); RSS and PSS hold pages of"
            " programs besides, and PSS moves as other processes that share them come and go.",
            table(("when", "own, MB", "RSS, MB", "PSS, MB", "open handles"), rows),
            f"From the half hour on, {growth_mb:+.2f} MB an hour; the rows from there lie within"
            f" {spread_mb:.1f} MB. Handles that the first play added: {_said(added)}.",
        )
    )


def _plays(player: Player, playable: Iterator[Track]) -> Iterator[float]:
    """Seconds that each play lasted."""
    for track in playable:
        player.say("play_enhanced", track_id=track.number)
        yield player.until("audio_stream_end")["duration"]


def _row(name: str, held: Usage) -> tuple[str, ...]:
    memory = (f"{size / 1e6:.1f}" for size in (held.own, held.rss, held.pss))
    return name, *memory, str(held.handles)


def _handles(process: int) -> Counter[str]:
    """What the open handles are of, by name."""
    names: Counter[str] = Counter()
    for handle in Path(f"/proc/{process}/fd").iterdir():
        try:
            names[handle.readlink().name.split(":")[0]] += 1
        except FileNotFoundError:
            # Closed since it was listed.
            continue
    return names


def _said(added: Counter[str]) -> str:
    return ", ".join(f"{count} of `{name}`" for name, count in sorted(added.items())) or "none"
