"""What the web player lets out, recorded in the page and measured: the plays, the seams and the faults."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from browser import FLAGS, chromium
from level_truth import Samples
from liars import free_port
from music import clip
from page_sound import longest_hole, null_db, place_of, record, recorded, steepest, stereo, with_output_at
from playwright.sync_api import Browser, Page, sync_playwright
from scipy.signal import resample_poly
from server import Played, RunningServer, play, receive_stream, serving, wait_until
from truth import decoded, lufs

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.xdist_group("page")]

RATE = 44_100
CUT = 130_011
"""Where one recording is cut in two: on no border of anything."""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in two halves, and three others."""
    folder = tmp_path_factory.mktemp("music")
    whole, rate = decoded(str(clip("loop_tabla.flac")))
    assert rate == RATE
    soundfile.write(folder / "half 1.flac", whole[:CUT], RATE, "PCM_16")
    soundfile.write(folder / "half 2.flac", whole[CUT : 2 * CUT], RATE, "PCM_16")
    for name in ("loop_tabla.flac", "ambi_piano.flac", "starfall_clip.ogg"):
        (folder / name).write_bytes(clip(name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def server(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """All its tracks are measured."""
    if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("no Chromium on this machine")
    with serving(tmp_path_factory.mktemp("server"), music) as running:
        wait_until(lambda: all(track["fingerprint_status"] == "complete" for track in running.tracks()))
        yield running


@pytest.fixture(scope="module")
def browser(server: RunningServer) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))


@contextmanager
def opened(browser: Browser, url: str, rate: int = RATE) -> Iterator[Page]:
    """The page with its output at this rate, recorded from the beginning, and the tracks at hand by title."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    with_output_at(page, rate)
    page.goto(url)
    record(page)
    page.wait_for_function("() => window.tonearm.player.snapshot.connected")
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


def streamed(server: RunningServer, title: str, **data: Any) -> Samples:
    """A track as the socket plays it, in two channels."""
    return stereo(play(server, track_id=server.track_id(title), **data).samples)


def test_a_play_comes_out_bit_for_bit(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(page, "player.play(tracks)", "ambi_piano")
        reaches(page, "s.state === 'playing' && s.masteringState === 'fingerprint' && s.plan !== null")
        assert page.evaluate("() => window.tonearm.player.snapshot.plan.track_id") == server.track_id("ambi_piano")
        reaches(page, "s.state === 'paused'")
        found = recorded(page)
        assert page.evaluate("() => window.tonearm.player.snapshot.underruns") == 0
    wanted = streamed(server, "ambi_piano")
    begin = place_of(found[:RATE], wanted)
    np.testing.assert_array_equal(found, wanted[begin : begin + len(found)])
    assert len(wanted) - len(found) < 100, "silent frames at the ends apart, all of it"


def test_at_another_rate_nothing_but_the_rate_changes(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url, rate=48_000) as page:
        say(page, "player.play(tracks)", "ambi_piano")
        reaches(page, "s.state === 'paused'")
        found = recorded(page)
    original = streamed(server, "ambi_piano")
    wanted = resample_poly(original.astype(np.float64), 160, 147, axis=0, window=("kaiser", 14.0))
    inner = wanted[4_800:-4_800].astype(np.float32)
    begin = place_of(inner, found)
    assert null_db(found[begin : begin + len(inner)], inner) < -60.0
    assert len(found) == pytest.approx(len(original) * 160 / 147, abs=150)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_two_halves_of_a_recording_are_heard_in_one_piece(
    server: RunningServer, browser: Browser, rate: int
) -> None:
    with opened(browser, server.url, rate) as page:
        say(page, "player.setMastering({ enabled: false }); player.play(tracks, 0, 1.5)", "half 1", "half 2")
        reaches(page, "s.index === 1 && m.position > 1.0")
        assert page.evaluate("() => window.tonearm.player.snapshot.underruns") == 0
        found = recorded(page)
    whole = stereo(decoded(str(clip("loop_tabla.flac")))[0])
    if rate != RATE:
        whole = resample_poly(whole.astype(np.float64), 160, 147, axis=0, window=("kaiser", 14.0)).astype(np.float32)
    # Behind the fade with which a play in the middle of a track begins.
    steady = found[rate // 20 : -rate // 20]
    begin = place_of(steady, whole)
    joint = round(CUT * rate / RATE)
    assert begin < joint - rate // 10
    assert begin + len(steady) > joint + rate // 10
    wanted = whole[begin : begin + len(steady)]
    if rate == RATE:
        np.testing.assert_array_equal(steady, wanted)
    else:
        assert null_db(steady, wanted) < -60.0


def test_mastered_the_second_half_goes_on_from_the_first(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(page, "player.play(tracks)", "half 1", "half 2")
        reaches(page, "s.index === 1 && s.track.title === 'half 2' && m.position > 1.0")
        found = recorded(page)
    first, second = (server.track_id(title) for title in ("half 1", "half 2"))
    with server.socket("?transport=binary") as connection:
        parts = []
        for data in ({"track_id": first}, {"track_id": second, "after_track_id": first}):
            connection.send(json.dumps({"type": "play_enhanced", "data": data}))
            parts.append(stereo(receive_stream(connection).samples))
    whole = np.concatenate(parts)
    begin = place_of(found[:RATE], whole)
    np.testing.assert_array_equal(found, whole[begin : begin + len(found)])
    assert begin + len(found) > CUT + RATE // 2
