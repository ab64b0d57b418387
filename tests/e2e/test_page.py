"""The page in a real browser: a click plays, and what comes out of it is what was streamed."""

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from browser import FLAGS, chromium
from music import DEMO, clip
from playwright.sync_api import Page, sync_playwright
from server import RunningServer, play, serving, wait_until
from truth import lufs

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.xdist_group("page")]
TITLE = "ambi_piano"

RECORD = """
() => {
  const { context, output } = window.tonearm;
  const taken = [];
  const recorder = context.createScriptProcessor(4096, 2, 2);
  recorder.onaudioprocess = (event) => {
    const left = event.inputBuffer.getChannelData(0), right = event.inputBuffer.getChannelData(1);
    const both = new Float32Array(left.length * 2);
    for (let n = 0; n < left.length; n++) { both[2 * n] = left[n]; both[2 * n + 1] = right[n]; }
    taken.push(both);
  };
  output.connect(recorder);
  recorder.connect(context.destination);
  window.recorded = () => {
    const all = new Uint8Array(taken.length * 4096 * 8);
    taken.forEach((part, index) => all.set(new Uint8Array(part.buffer), index * 4096 * 8));
    let text = "";
    for (let n = 0; n < all.length; n += 32768) text += String.fromCharCode(...all.subarray(n, n + 32768));
    return btoa(text);
  };
}
"""


@pytest.fixture(scope="module")
def browsable() -> None:
    if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="module")
def server(browsable: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("page")
    with serving(
        folder, DEMO, TONEARM_FINGERPRINTS__BACKGROUND="false", TONEARM_STREAMING__START_WAIT_S="60"
    ) as running:
        yield running


@pytest.fixture
def page(server: RunningServer, tmp_path: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        opened = browser.new_page()
        problems: list[str] = []
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        opened.goto(server.url)
        yield opened
        browser.close()
        assert not problems


def _recorded(page: Page) -> np.ndarray[Any, np.dtype[np.float32]]:
    samples = np.frombuffer(base64.b64decode(page.evaluate("() => window.recorded()")), dtype="<f4").reshape(
        -1, 2
    )
    heard = np.flatnonzero(np.abs(samples).max(axis=1) > 0)
    assert len(heard), "the page's output is silent"
    return samples[heard[0] : heard[-1] + 1]


def _state(page: Page, state: str) -> None:
    page.wait_for_function(
        "(state) => document.getElementById('decision').dataset.state === state", arg=state
    )


def test_a_click_plays_what_was_streamed(server: RunningServer, page: Page) -> None:
    track_id = server.track_id(TITLE)
    play(server, track_id=track_id)
    wait_until(
        lambda: server.get("/api/library/fingerprints/status")["pending_tracks"] < len(server.tracks())
    )
    page.get_by_role("button", name=TITLE).first.click()
    page.wait_for_function("() => window.tonearm && window.tonearm.output")
    page.evaluate(RECORD)
    _state(page, "fingerprint")
    page.wait_for_timeout(4500)
    heard = _recorded(page)
    played = play(server, track_id=track_id)
    rate = played.start["sample_rate"]
    assert page.evaluate("() => window.tonearm.context.sampleRate") == rate
    assert lufs(heard, rate) == pytest.approx(lufs(played.samples, rate), abs=0.5)


def test_the_switch_the_class_and_the_reason(server: RunningServer, page: Page) -> None:
    page.get_by_role("button", name="Starfall").first.click()
    _state(page, "fingerprint")
    plan = server.get(f"/api/tracks/{server.track_id('Starfall')}/plan")
    assert plan["lwrp"]["class"] == "restore"
    assert page.locator("#decision").get_attribute("data-policy") == "restore"
    assert page.locator("#reason").inner_text() == plan["lwrp"]["reason"]
    page.get_by_role("switch", name="Mastering").click()
    _state(page, "none")
    page.get_by_role("switch", name="Mastering").click()
    _state(page, "fingerprint")


def test_search_narrows_the_list_and_says_when_nothing_is_left(server: RunningServer, page: Page) -> None:
    page.get_by_role("button", name=TITLE).first.wait_for()
    assert page.locator("#tracks li").count() == len(server.tracks())
    page.get_by_label("Search the library").fill("tabla")
    page.wait_for_function("() => document.querySelectorAll('#tracks li').length === 1")
    page.get_by_label("Search the library").fill("no such song")
    page.get_by_text("No track matches.").wait_for()


def test_what_a_scan_finds_appears_by_itself(browsable: None, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    shutil.copy(clip("ambi_piano.flac"), music)
    with (
        serving(tmp_path, music, TONEARM_FINGERPRINTS__BACKGROUND="false") as own,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        opened = browser.new_page()
        opened.goto(own.url)
        opened.wait_for_function("() => document.querySelectorAll('#tracks li').length === 1")
        # By then the page has asked all it asks of itself.
        opened.wait_for_load_state("networkidle")
        shutil.copy(clip("drum_roll.flac"), music)
        httpx.post(f"{own.url}/api/library/scan", json={"directories": []}).raise_for_status()
        opened.wait_for_function("() => document.querySelectorAll('#tracks li').length === 2")
        browser.close()
