"""What comes out of the page: recorded behind its last node, on the sound's own thread, frame by frame."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import numpy as np
from level_truth import Samples
from playwright.sync_api import Browser, Page
from scipy.signal import correlate
from server import RunningServer, play

_RECORDER: Final = """
registerProcessor("recorder", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(2 * 8192);
    this.at = 0;
    this.port.onmessage = () => { this.flush(); this.port.postMessage("done"); };
  }
  flush() {
    this.port.postMessage(this.block.slice(0, 2 * this.at));
    this.at = 0;
  }
  process([input]) {
    for (let n = 0; n < 128; n++) {
      this.block[2 * this.at] = input.length ? input[0][n] : 0;
      this.block[2 * this.at + 1] = input.length ? input[1][n] : 0;
      this.at++;
    }
    if (this.at === 8192) this.flush();
    return true;
  }
});
"""

_START: Final = """
async (code) => {
  const { context, output } = window.tonearm;
  const module = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  await context.audioWorklet.addModule(module);
  const node = new AudioWorkletNode(context, "recorder", { channelCount: 2, channelCountMode: "explicit" });
  const taken = [];
  let done = () => undefined;
  node.port.onmessage = ({ data }) => (data === "done" ? done() : taken.push(data));
  output.connect(node);
  node.connect(context.destination);
  window.recorded = async () => {
    await new Promise((resolve) => { done = resolve; node.port.postMessage("flush"); });
    let text = "";
    for (const block of taken) {
      const bytes = new Uint8Array(block.buffer);
      for (let n = 0; n < bytes.length; n += 32768)
        text += String.fromCharCode(...bytes.subarray(n, n + 32768));
    }
    return btoa(text);
  };
}
"""

_PROBE: Final = """
registerProcessor("probe", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.quiet = 0;
    this.armed = false;
    this.port.onmessage = () => { this.armed = true; this.quiet = 0; };
  }
  process([input]) {
    if (!this.armed) return true;
    const silent = !input.length || input[0].every((value) => value === 0);
    // What sounded before has to fall silent first.
    if (silent) this.quiet++;
    else if (this.quiet > 1) {
      this.armed = false;
      this.port.postMessage(currentFrame);
    }
    return true;
  }
});
"""

_WATCH: Final = """
async (code) => {
  const { context, output } = window.tonearm;
  const module = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  await context.audioWorklet.addModule(module);
  const node = new AudioWorkletNode(context, "probe");
  output.connect(node);
  node.connect(context.destination);
  window.soundBegins = () => new Promise((resolve) => {
    node.port.onmessage = ({ data }) => {
      const now = performance.now(), { contextTime, performanceTime } = context.getOutputTimestamp();
      resolve([now, performanceTime + (data / context.sampleRate - contextTime) * 1e3]);
    };
    node.port.postMessage("arm");
  });
}
"""

# What <audio> elements let out, where a page has no worklets: whole blocks of it, as they come.
_RECORD_ELEMENTS: Final = """
() => {
  const context = new AudioContext({ sampleRate: RATE });
  const taken = [];
  const recorder = context.createScriptProcessor(4096, 2, 2);
  recorder.onaudioprocess = ({ inputBuffer }) => {
    const [left, right] = [inputBuffer.getChannelData(0), inputBuffer.getChannelData(1)];
    const both = new Float32Array(2 * inputBuffer.length);
    for (let n = 0; n < left.length; n++) [both[2 * n], both[2 * n + 1]] = [left[n], right[n]];
    taken.push(both);
  };
  for (const element of window.tonearm.elements) context.createMediaElementSource(element).connect(recorder);
  recorder.connect(context.destination);
  window.recorded = () => {
    let text = "";
    for (const block of taken) text += String.fromCharCode(...new Uint8Array(block.buffer));
    return btoa(text);
  };
}
"""

_AT_RATE: Final = """
{ const Real = window.AudioContext;
  window.AudioContext = class extends Real { constructor(how) { super({ ...how, sampleRate: RATE }); } }; }
"""


def with_output_at(page: Page, rate: int) -> None:
    """Before the page is opened: what its AudioContext runs at, as if that were the device's own rate."""
    page.add_init_script(_AT_RATE.replace("RATE", str(rate)))


def record(page: Page) -> None:
    """From here on. The page's policy allows no modules but the server's, so it has to be bypassed."""
    page.wait_for_function("() => window.tonearm && window.tonearm.context.state === 'running'")
    page.evaluate(_START, _RECORDER)


def record_silence_ends(page: Page) -> None:
    """Afterwards `soundBegins()` resolves to when silence ends next: noticed in the page, and heard, ms."""
    page.wait_for_function("() => window.tonearm && window.tonearm.context.state === 'running'")
    page.evaluate(_WATCH, _PROBE)


def recorded(page: Page) -> Samples:
    """What came out so far, ``[frames, 2]``, from its first sound to its last."""
    samples = np.frombuffer(base64.b64decode(page.evaluate("() => window.recorded()")), dtype="<f4").reshape(
        -1, 2
    )
    return sounding(samples)


def sounding(samples: Samples) -> Samples:
    """Without the digital silence at both ends."""
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > 0)
    assert len(loud), "there is nothing but silence"
    return samples[loud[0] : loud[-1] + 1]


def stereo(samples: Samples) -> Samples:
    """``[frames, 2]``: one channel is heard from both sides."""
    return samples if samples.shape[1] == 2 else np.repeat(samples, 2, axis=1)


def place_of(excerpt: Samples, whole: Samples) -> int:
    """The frame of ``whole`` from which on it differs the least from ``excerpt``, in the mean square."""
    there, here = (np.asarray(samples.sum(axis=1), dtype=np.float64) for samples in (whole, excerpt))
    energy = np.concatenate(([0.0], np.cumsum(there**2)))
    energies = energy[len(here) :] - energy[: len(energy) - len(here)]
    return int(np.argmin(energies - 2.0 * correlate(there, here, mode="valid", method="fft")))


def null_db(found: Samples, wanted: Samples) -> float:
    """The level of the difference relative to that of what is wanted, dB."""
    assert found.shape == wanted.shape
    difference: Any = np.sqrt(np.mean((found - wanted) ** 2)) / np.sqrt(np.mean(wanted**2))
    return float(20 * np.log10(difference + 1e-12))


def longest_hole(samples: Samples) -> int:
    """The longest run of digital silence, frames."""
    silent = np.abs(samples).max(axis=1) == 0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], silent.astype(np.int8), [0]))))
    return int(max((edges[1::2] - edges[::2]), default=0))


def steepest(samples: Samples) -> float:
    """The largest change of the slope from one frame to the next: a click is one that music does not have."""
    return float(np.abs(np.diff(samples, n=2, axis=0)).max(initial=0.0))


@contextmanager
def opened(browser: Browser, url: str, rate: int = 44_100, *, by_element: bool = False) -> Iterator[Page]:
    """The page of a listener without preferences, its output at this rate and recorded from the beginning.

    Its errors fail the test.
    """
    port = url.rsplit(":", 1)[1]
    httpx.put(f"http://127.0.0.1:{port}/api/settings", json={}).raise_for_status()
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    with_output_at(page, rate)
    with page.expect_response("**/api/settings"):
        page.goto(url)
    if by_element:
        page.evaluate(_RECORD_ELEMENTS.replace("RATE", str(rate)))
    else:
        record(page)
    page.evaluate(
        """async () => {
          const { tracks } = await (await fetch("/api/library/tracks?limit=100")).json();
          window.named = (...titles) => titles.map((title) => tracks.find((track) => track.title === title));
        }"""
    )
    yield page
    context.close()
    assert not problems


def reaches(page: Page, condition: str) -> None:
    """Waits until it is so of the snapshot `s` and the moment `m`, as long as a loaded machine may need."""
    page.wait_for_function(
        f"""() => {{
          const {{ player }} = window.tonearm, s = player.snapshot, m = player.moment();
          return {condition};
        }}""",
        timeout=60_000,
    )


def say(page: Page, what: str, *titles: str) -> None:
    """Calls a method of the player; `tracks` are those with these titles."""
    page.evaluate(
        f"(titles) => {{ const {{ player }} = window.tonearm, tracks = window.named(...titles); {what}; }}",
        list(titles),
    )


def streamed(server: RunningServer, title: str, kind: str = "play_enhanced", **data: Any) -> Samples:
    """A track as the socket plays it, in two channels."""
    sound = {"preset": "adaptive", **data} if kind == "play_enhanced" else data
    return stereo(play(server, kind, track_id=server.track_id(title), **sound).samples)
