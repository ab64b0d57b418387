"""From the click to the sound in a real browser: the page's own button, and what leaves the page.

A probe behind the page's last node notes the first frame that is not silent, on the sound's own thread; the
context's output time stamps say when that frame leaves for the loudspeaker. The clock starts with the call
that the click makes. The tracks are measured before: fingerprints are stored. Those that begin with digital
silence are left out: it is in the music, and nobody's delay.

Run as ``python -m bench click``, or as ``python -m bench.click URL`` of a server that runs already.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import av
import httpx
import numpy as np
from browser import FLAGS, chromium
from page_sound import record_silence_ends
from playwright.sync_api import Page, sync_playwright
from server import serving, wait_until

from bench import machine
from bench.server import music, percentiles
from bench.table import table

_ROUNDS: Final = 40
_PAUSE_MS: Final = 300
_SILENT_MS: Final = 5.0
_TRACKS: Final = 'async () => (await (await fetch("/api/library/tracks?limit=500")).json()).tracks'
# Told when what is heard changes, by the output's time stamps, on an animation frame.
_CHANGES: Final = """
() => {
  const { player } = window.tonearm;
  window.soundChanges = () => new Promise((resolve) => {
    const before = player.snapshot.masteringState;
    const look = () => {
      if (player.snapshot.masteringState === before) return requestAnimationFrame(look);
      resolve([null, performance.now()]);
    };
    look();
  });
}
"""
_CLICK: Final = """
async ([kind, tracks, n]) => {
  const { player } = window.tonearm;
  const sound = kind === "switch" ? window.soundChanges() : window.soundBegins();
  const asked = performance.now();
  if (kind === "play") player.play([tracks[n % tracks.length]]);
  else if (kind === "switch") player.setMastering({ enabled: !player.snapshot.mastering.enabled });
  else player.seek(player.snapshot.duration * ((n * 0.618) % 0.8));
  const began = await Promise.race([sound, new Promise((resolve) => setTimeout(resolve, 3000, null))]);
  return began && began.map((at) => at && at - asked);
}
"""


def measure() -> str:
    """Plays and seeks on the music that is there, in Markdown."""
    with tempfile.TemporaryDirectory(prefix="tonearm-click-") as name, serving(Path(name), music()) as server:
        wait_until(lambda: all(track["fingerprint_status"] != "pending" for track in server.tracks()), 600)
        return measure_at(server.url)


def measure_at(url: str) -> str:
    """The same of a server that runs already."""
    load = machine.load()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_context(bypass_csp=True).new_page()
        page.goto(url)
        record_silence_ends(page)
        page.evaluate(_CHANGES)
        known = [track for track in page.evaluate(_TRACKS) if track["fingerprint_status"] == "complete"]
        tracks = [track for track in known if _silence_ms(f"{url}/api/tracks/{track['id']}") <= _SILENT_MS]
        rows = [_row(page, kind, tracks) for kind in ("play", "seek", "switch")]
        rate, late_ms = page.evaluate(
            "() => [tonearm.context.sampleRate, 1e3 * tonearm.context.outputLatency]"
        )
        browser.close()
    sys.stderr.write(f"click: {rows}\n")
    return "\n\n".join(
        (
            "## From the click to the sound",
            f"`make bench-click`: the page in Chromium on the same machine, {rate} Hz, an output that says"
            f" it is {late_ms:.0f} ms late; {_ROUNDS} times each, over {len(tracks)} tracks that are measured"
            f" and whose sound begins within {_SILENT_MS:.0f} ms. The switch is the one between"
            f" original and mastered. In the minute before, {load:.1f} processes wanted a core.",
            table(("click", "times", "in the page, p50 / p95, ms", "out of the page, p50 / p95, ms"), rows),
        )
    )


def _silence_ms(track: str) -> float:
    """How much digital silence a track begins with."""
    file = httpx.get(f"{track}/audio", params={"format": "raw"}, timeout=60).raise_for_status().content
    silent = 0
    with av.open(io.BytesIO(file)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()
            loud = np.flatnonzero((samples != 0).any(axis=0))
            channels = 1 if frame.format.is_planar else len(frame.layout.channels)
            silent += int(loud[0]) // channels if len(loud) else frame.samples
            if len(loud):
                return 1e3 * silent / frame.sample_rate
    return float("inf")


def _row(page: Page, kind: str, tracks: list[dict[str, Any]]) -> tuple[str, ...]:
    taken = []
    for n in range(_ROUNDS):
        if kind != "play" and n == 0:
            longest = max(tracks, key=lambda track: track["duration"])
            page.evaluate(_CLICK, ["play", [longest], 0])
            page.wait_for_timeout(1_000)
        # One click at a time: the next finds the machine at rest.
        page.wait_for_timeout(_PAUSE_MS)
        taken.append(page.evaluate(_CLICK, [kind, tracks, n]))
    # A seek that is answered while what sounded before still fades out leaves no silence to end.
    taken = [each for each in taken if each is not None]
    columns = ([each[side] / 1e3 for each in taken if each[side] is not None] for side in (0, 1))
    return kind, str(len(taken)), *(percentiles(column, 50, 95) for column in columns)


if __name__ == "__main__":
    print(measure_at(sys.argv[1]) if len(sys.argv) > 1 else measure())
