"""What the web player lets out, recorded in the page and measured: the plays, the seams and the faults."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import FLAGS, chromium
from level_truth import Samples
from music import clip
from page_sound import (
    longest_hole,
    null_db,
    opened,
    place_of,
    reaches,
    recorded,
    say,
    steepest,
    stereo,
    streamed,
)
from playwright.sync_api import Browser, sync_playwright
from scipy.signal import resample_poly
from server import RunningServer, receive_stream, serving, wait_until
from truth import decoded, lufs

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.xdist_group("page")]

RATE = 44_100
INSECURE_NAME = "tonearm.test"
"""Where a browser gives a page no worklets: over http, and not from the machine itself."""

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
    # A lead as long as the tracks: what is compared with need not be waited for.
    folder, named = tmp_path_factory.mktemp("server"), ("--allow-host", INSECURE_NAME)
    with serving(folder, music, named, TONEARM_STREAMING__LEAD_S="30") as running:
        wait_until(lambda: all(track["fingerprint_status"] == "complete" for track in running.tracks()))
        yield running


@pytest.fixture(scope="module")
def browser(server: RunningServer) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        here = f"--host-resolver-rules=MAP {INSECURE_NAME} 127.0.0.1"
        yield playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, here])


def test_a_play_comes_out_bit_for_bit(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(page, "player.play(tracks)", "ambi_piano")
        reaches(page, "s.state === 'playing' && s.masteringState === 'fingerprint' && s.plan !== null")
        assert page.evaluate("() => window.tonearm.player.snapshot.plan.track_id") == server.track_id(
            "ambi_piano"
        )
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
        whole = resample_poly(whole.astype(np.float64), 160, 147, axis=0, window=("kaiser", 14.0)).astype(
            np.float32
        )
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
            connection.send(json.dumps({"type": "play_enhanced", "data": {"preset": "adaptive", **data}}))
            parts.append(stereo(receive_stream(connection).samples))
    whole = np.concatenate(parts)
    begin = place_of(found[:RATE], whole)
    np.testing.assert_array_equal(found, whole[begin : begin + len(found)])
    assert begin + len(found) > CUT + RATE // 2


def test_the_switch_is_heard_at_the_same_place_and_as_loud(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(page, "player.setMastering({ levelMatch: true }); player.play(tracks)", "Starfall")
        reaches(page, "m.position > 4")
        say(page, "player.setMastering({ enabled: false })")
        reaches(page, "s.masteringState === 'none' && m.position > 8.5")
        say(page, "player.setMastering({ enabled: true, preset: 'warm' })")
        reaches(page, "s.masteringState === 'fingerprint' && s.plan.preset === 'warm' && m.position > 10")
        found = recorded(page)
    mastered = streamed(server, "Starfall", level_match=True)
    original = streamed(server, "Starfall", kind="play_normal", level_match=True)
    warm = streamed(server, "Starfall", level_match=True, preset="warm")
    begin = place_of(found[:RATE], mastered)
    sounds = [sound[begin : begin + len(found)] for sound in (mastered, original, warm)]
    heard = _which(found, sounds)
    assert heard == [0, 1, 2]
    # What is heard of both is as loud as each other: over the same three seconds of the music.
    levels = [lufs(sound[5 * RATE : 8 * RATE], RATE) for sound in (found, mastered)]
    assert levels[0] == pytest.approx(levels[1], abs=0.5)
    assert longest_hole(found) < RATE / 1000
    assert steepest(found) <= 1.05 * max(steepest(sound) for sound in sounds)


def _which(found: Samples, sounds: list[Samples]) -> list[int]:
    """Which of some sounds of the same music is heard, in hundredths of a second: each change once, and next
    to nothing that is none of them."""
    step = RATE // 100
    likeness = np.array(
        [
            [null_db(found[n : n + step], sound[n : n + step]) for sound in sounds]
            for n in range(0, len(found) - step, step)
        ]
    )
    known = likeness.min(axis=1) < -60.0
    assert np.count_nonzero(~known) <= 3 * (len(sounds) - 1), likeness[~known]
    nearest = likeness[known].argmin(axis=1)
    return [
        int(nearest[0]),
        *(int(nearest[n]) for n in range(1, len(nearest)) if nearest[n] != nearest[n - 1]),
    ]


def test_a_seek_lands_on_its_frame_without_a_click(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(page, "player.play(tracks)", "Starfall")
        reaches(page, "m.position > 1")
        say(page, "player.seek(12.3)")
        reaches(page, "m.position > 13.5 && s.state === 'playing'")
        found = recorded(page)
    whole = streamed(server, "Starfall")
    tail = found[-RATE:]
    begin = place_of(tail, whole)
    assert null_db(tail, whole[begin : begin + len(tail)]) < -60.0
    heard_since = found[-(begin + RATE - round(12.3 * RATE)) :]
    steady = heard_since[RATE // 20 :]
    first = round(12.3 * RATE) + RATE // 20
    assert null_db(steady, whole[first : first + len(steady)]) < -60.0
    assert steepest(found) <= 1.05 * steepest(whole)


def test_of_many_clicks_only_the_last_is_heard(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(
            page,
            "for (let n = 0; n < 10; n++) player.play(tracks, n % 3); player.play(tracks, 3)",
            *("Starfall", "half 1", "loop_tabla", "ambi_piano"),
        )
        reaches(page, "s.state === 'paused'")
        assert page.evaluate("() => window.tonearm.player.snapshot.track.title") == "ambi_piano"
        found = recorded(page)
    wanted = streamed(server, "ambi_piano")
    begin = place_of(found[:RATE], wanted)
    np.testing.assert_array_equal(found, wanted[begin : begin + len(found)])


def test_pause_holds_the_very_sample(server: RunningServer, browser: Browser) -> None:
    with opened(browser, server.url) as page:
        say(page, "player.play(tracks)", "loop_tabla")
        reaches(page, "m.position > 1")
        say(page, "player.pause()")
        reaches(page, "s.state === 'paused'")
        page.wait_for_timeout(300)
        held = page.evaluate("() => window.tonearm.player.moment().position")
        page.wait_for_timeout(300)
        assert page.evaluate("() => window.tonearm.player.moment().position") == held
        say(page, "player.resume()")
        reaches(page, f"m.position > {held} + 1")
        found = recorded(page)
    whole = streamed(server, "loop_tabla")
    assert longest_hole(found) > RATE // 2
    for part in (found[: RATE // 2], found[-RATE // 2 :]):
        begin = place_of(part, whole)
        np.testing.assert_array_equal(part, whole[begin : begin + len(part)])
    assert steepest(found) <= 1.05 * steepest(whole)


def test_on_plain_http_an_element_plays_and_says_so(server: RunningServer, browser: Browser) -> None:
    port = server.address.rsplit(":", 1)[1]
    with opened(browser, f"http://{INSECURE_NAME}:{port}", by_element=True) as page:
        assert not page.evaluate("() => window.isSecureContext")
        snapshot = page.evaluate("() => window.tonearm.player.snapshot")
        assert snapshot["way"] == "element"
        assert "https" in snapshot["wayReason"]
        say(page, "player.setMastering({ levelMatch: true }); player.play(tracks, 0, 1)", "half 1", "half 2")
        reaches(page, "s.state === 'playing' && s.masteringState === 'fingerprint' && s.plan !== null")
        reaches(page, "s.index === 1 && m.position > 0.7")
        say(page, "player.setMastering({ enabled: false })")
        reaches(page, "s.masteringState === 'none' && m.position > 2")
        say(page, "player.seek(1)")
        reaches(page, "s.state === 'playing' && m.position > 1.3 && m.position < 2")
        found = recorded(page)
    first, second = (streamed(server, title, level_match=True) for title in ("half 1", "half 2"))
    original = streamed(server, "half 2", kind="play_normal", level_match=True)
    # The recorder of such a page may lose whole blocks on a loaded machine, so they are looked at one by one.
    heard = [_nearest(block, (first, second, original)) for block in _blocks(found)]
    assert {which for which, null in heard if null < -40.0} == {0, 1, 2}, heard
    assert np.mean([null < -40.0 for _, null in heard]) > 0.7, heard


def _blocks(found: Samples) -> list[Samples]:
    """Every third of the recorder's blocks, where there is sound in it."""
    blocks = np.split(found[: len(found) // 4096 * 4096], len(found) // 4096)
    return [block for block in blocks[::3] if np.sqrt(np.mean(block**2)) > 1e-3]


def _nearest(block: Samples, sounds: tuple[Samples, ...]) -> tuple[int, float]:
    """In which of some sounds it is found, and how much of it is not that, dB."""
    nulls = []
    for sound in sounds:
        place = place_of(block, sound)
        nulls.append(null_db(block, sound[place : place + len(block)]))
    return int(np.argmin(nulls)), min(nulls)
