"""What the page costs: its JavaScript, its first paint, its frames while a long list scrolls.

Run as ``python -m bench page --tracks N``. A frame takes what lies between two calls of
``requestAnimationFrame``: 16.7 ms where nothing is late. The list moves by rows as a wheel moves it, and by
leaps as a dragged scrollbar does; the best of some passes is told, since this machine has other work too.
"""

import gzip
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from browser import FLAGS, chromium
from playwright.sync_api import Page, sync_playwright
from server import RunningServer, serving

from bench import large, machine
from bench.table import table

STATIC: Final = Path(__file__).parents[1] / "src" / "tonearm" / "static"
LATE_MS: Final = 32.0
_PASSES: Final = 3
_FRAMES: Final = 240
_PAINT: Final = """
() => new Promise((resolve) => new PerformanceObserver((list, observer) => {
  const first = list.getEntriesByName("first-contentful-paint")[0];
  if (first) { observer.disconnect(); resolve(first.startTime); }
}).observe({ type: "paint", buffered: true }))
"""
_SCROLL: Final = """
([frames, step]) => new Promise((resolve) => {
  const main = document.querySelector("main");
  const end = main.scrollHeight - main.clientHeight;
  const times = [];
  let before = 0;
  main.scrollTop = 0;
  const frame = (now) => {
    if (before) times.push(now - before);
    before = now;
    if (times.length >= frames) return resolve(times);
    main.scrollTop = step === 0 ? ((times.length * 0.618034) % 1) * end : main.scrollTop + step;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})
"""
_WAYS: Final = (("a wheel, 120 px a frame", 120), ("a fling, 1,500 px a frame", 1_500), ("leaps anywhere", 0))


def measure(count: int) -> str:
    """Of a library of ``count`` tracks, in Markdown."""
    load = machine.load()
    with tempfile.TemporaryDirectory(prefix="tonearm-page-") as name:
        folder = Path(name)
        music = folder / "music"
        music.mkdir()
        (folder / "data").mkdir()
        large.fill(f"sqlite:///{folder / 'data' / 'library.db'}", count)
        sys.stderr.write(f"made {count} tracks\n")
        with (
            serving(folder, music, TONEARM_FINGERPRINTS__BACKGROUND="false") as server,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            paint = _first_paint(page, server)
            rows = _frames(page, server, count)
            browser.close()
    frames = table(("scrolled by", "p50, ms", "p95, ms", "slowest, ms", f"over {LATE_MS:.0f} ms"), rows)
    sizes = (
        f"`make bench-page`. JavaScript: {_javascript_kb():.1f} kB gzipped. First contentful paint:"
        f" {paint:.0f} ms. A frame that is not late takes 16.7 ms; {_FRAMES} each, the best of {_PASSES}"
        f" passes. In the minute before, {load:.1f} processes wanted a core."
    )
    return "\n\n".join((f"## The page, with {count:,} tracks", sizes, frames))


def _javascript_kb() -> float:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.rglob("*.js")) / 1000


def _first_paint(page: Page, server: RunningServer) -> float:
    taken = []
    for _ in range(_PASSES):
        page.goto(f"{server.url}/tracks")
        taken.append(page.evaluate(_PAINT))
    return float(np.median(taken))


def _frames(page: Page, server: RunningServer, count: int) -> list[tuple[str, ...]]:
    page.goto(f"{server.url}/tracks")
    page.wait_for_function(
        "(rows) => document.querySelector('[role=grid]')?.ariaRowCount === String(rows)", arg=count + 1
    )
    page.wait_for_timeout(1_000)
    rows = []
    for name, step in _WAYS:
        passes = [np.array(page.evaluate(_SCROLL, [_FRAMES, step])) for _ in range(_PASSES)]
        best = min(passes, key=lambda times: float(np.percentile(times, 95)))
        p50, p95, slowest = (f"{np.percentile(best, rank):.1f}" for rank in (50, 95, 100))
        rows.append((name, p50, p95, slowest, f"{np.mean(best > LATE_MS):.1%}"))
    return rows
