"""The web player while its servers fail: what it lets out is recorded and measured."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import FLAGS, chromium
from liars import free_port
from music import clip
from page_sound import longest_hole, null_db, opened, place_of, reaches, recorded, say, streamed
from playwright.sync_api import Browser, sync_playwright
from server import serving, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.xdist_group("page")]

RATE = 44_100


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "loop_tabla.flac").write_bytes(clip("loop_tabla.flac").read_bytes())
    return folder


def test_a_server_that_comes_back_goes_on_where_it_was(music: Path, browser: Browser, tmp_path: Path) -> None:
    at = ("--port", str(free_port()))
    with serving(tmp_path, music, at, TONEARM_STREAMING__LEAD_S="3") as first:
        wait_until(lambda: first.tracks()[0]["fingerprint_status"] == "complete")
        with opened(browser, first.url) as page:
            wanted = streamed(first, "loop_tabla")
            say(page, "player.play(tracks)", "loop_tabla")
            reaches(page, "m.position > 1")
            first.process.kill()
            first.process.wait()
            reaches(page, "s.state === 'reconnecting'")
            reached = page.evaluate(
                "() => { const m = window.tonearm.player.moment(); return m.position + m.buffered; }"
            )
            with serving(tmp_path, music, at, TONEARM_STREAMING__LEAD_S="3"):
                reaches(page, f"s.connected && s.state === 'playing' && m.position > {reached} + 1.5")
                found = recorded(page)
    # Whether it ran dry or not, what is heard are the track's own samples, each once and in their order.
    loud = np.abs(found).max(axis=1) > 0
    joined = found[loud] if longest_hole(found) > RATE // 10 else found
    begin = place_of(joined[:RATE], wanted)
    tail = joined[-RATE // 2 :]
    at_end = place_of(tail, wanted)
    assert null_db(tail, wanted[at_end : at_end + len(tail)]) < -60.0
    assert at_end == pytest.approx(begin + len(joined) - len(tail), abs=RATE // 20)


def test_without_its_fingerprint_server_it_says_standard(
    music: Path, browser: Browser, tmp_path: Path
) -> None:
    nobody = ("--fingerprint-server", f"127.0.0.1:{free_port()}")
    with serving(tmp_path, music, nobody) as alone, opened(browser, alone.url) as page:
        say(page, "player.play(tracks)", "loop_tabla")
        reaches(
            page, "s.state === 'playing' && s.masteringState === 'standard' && s.plan?.state === 'standard'"
        )
        assert page.evaluate("() => window.tonearm.player.snapshot.progress.status") == "failed"
        page.wait_for_timeout(500)
        assert np.sqrt(np.mean(recorded(page) ** 2)) > 1e-3
