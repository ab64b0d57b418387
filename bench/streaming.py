"""What streaming costs and how soon it begins, on a real server over real sockets.

The server, its listeners and this process, which asks ``/api/health`` meanwhile, share the cores.
"""

import os
from pathlib import Path

from bench import busy, carried, first_frame, hour, machine
from bench.server import music, serving, tracks


def measure(folder: Path) -> str:
    """Run it all, and describe it in Markdown."""
    known, cold, scanned = (folder / name for name in ("known", "cold", "scanned"))
    for each in (known, cold, scanned):
        each.mkdir()
    parts, load = [], machine.load()
    with serving(known, music(), TONEARM_FINGERPRINTS__BACKGROUND="false") as (process, port):
        parts.append(first_frame.measure(port, tracks(port)))
        library = [track for track in tracks(port) if track.status == "complete"]
        parts.append(carried.measure(process, port, library))
    with serving(cold, music(), scanned) as (_, port):
        parts.append(busy.measure(port, tracks(port), scanned))
    with serving(known, music(), TONEARM_STREAMING__LEAD_S=str(hour.LEAD_S)) as (process, port):
        parts.append(hour.measure(process, port, tracks(port)))
    told = (
        f"Server and listeners are processes of their own on the same {os.cpu_count()} cores, bound to none,"
        f" and speak over real sockets. {len(library)} tracks of `{music().name}` that can be measured."
        f" In the minute before, {load:.1f} processes wanted a core, those of this program among them."
    )
    return "\n\n".join(("## Streaming", told, *parts))
