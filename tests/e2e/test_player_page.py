"""The page in a real browser: what a listener finds, does and undoes, with the mouse and with keys alone."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from browser import FLAGS, chromium
from music import DEMO, clip
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from server import RunningServer, serving

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.xdist_group("player-page")]

AXE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS: Final = 30_000
TITLE: Final = "ambi_piano"
VIEWS: Final = (
    "/",
    "/albums",
    "/albums/1",
    "/artists",
    "/artists/1",
    "/genres",
    "/genres/1",
    "/tracks",
    "/tracks/1/similar",
    "/search?q=a",
    "/favorites",
    "/history",
    "/playlists",
    "/playlists/1",
    "/smart",
    "/smart/new?query=lufs",
    "/queue",
    "/now",
    "/nowhere/at-all",
)
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("player-page")
    with serving(folder, DEMO, TONEARM_FINGERPRINTS__BACKGROUND="false") as running:
        yield running


def _troubles(context: BrowserContext) -> list[str]:
    """Errors that the console tells. A refused request is none: the page says it in its own words."""
    troubles: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        refused = re.search(r"status of 4\d\d .*", line.text) and "/api/" in line.location["url"]
        if line.type == "error" and not refused:
            troubles.append(f"{line.text} {line.location['url']}")

    context.on("console", heard)
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    return troubles


@pytest.fixture
def page(browser: Browser, server: RunningServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    troubles = _troubles(context)
    yield context.new_page()
    context.close()
    assert not troubles


def _row(page: Page, title: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=title, exact=True))


def _titles(page: Page) -> list[str]:
    return page.locator("main [data-row] .name").all_inner_texts()


def _play(page: Page, title: str) -> None:
    _row(page, title).get_by_role("button", name=title, exact=True).click()
    page.wait_for_function("(title) => window.tonearm.player.snapshot.track?.title === title", arg=title)


def _heading(page: Page, name: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_browse_from_the_albums_and_come_back(page: Page) -> None:
    page.goto("/albums")
    page.get_by_role("link", name="Jazz Sampler").click()
    _heading(page, "Jazz Sampler")
    expect(page).to_have_title("Jazz Sampler - Tonearm")
    # Who navigates by keyboard goes on from the new view's heading.
    assert page.evaluate("() => document.activeElement.tagName") == "H1"
    page.get_by_role("link", name="Kevin MacLeod").first.click()
    _heading(page, "Kevin MacLeod")
    page.go_back()
    page.go_back()
    _heading(page, "Albums")
    expect(page).to_have_url(re.compile("/albums$"))


def test_a_link_into_the_library_opens_there(page: Page, server: RunningServer) -> None:
    artist = server.get("/api/artists")["artists"][0]
    page.goto(f"/artists/{artist['id']}")
    _heading(page, artist["name"])
    page.goto("/albums/999999")
    expect(page.get_by_role("alert").filter(has_text="album").get_by_role("button")).to_have_text("Try again")


def test_the_scroll_position_comes_back(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 420})
    page.goto("/tracks")
    _row(page, TITLE).wait_for()
    top = page.evaluate(
        "() => { const m = document.querySelector('main'); m.scrollTop = 150; return m.scrollTop; }"
    )
    assert top == 150
    page.get_by_role("link", name="Artists", exact=True).click()
    _heading(page, "Artists")
    page.go_back()
    _heading(page, "Tracks")
    page.wait_for_function("() => document.querySelector('main').scrollTop === 150")


def test_search_as_it_is_typed(page: Page) -> None:
    page.goto("/")
    page.get_by_role("heading", level=1).wait_for()
    page.keyboard.press("/")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("jazz")
    page.get_by_role("link", name="Jazz Sampler").first.wait_for()
    field.fill("tabla")
    expect(page.locator("main [data-row] .name")).to_have_text(["loop_tabla"])
    expect(page).to_have_url(re.compile(r"/search\?q=tabla"))
    field.fill("no such song")
    page.get_by_text("Nothing found").wait_for()


def test_play_next_switch_and_preset(page: Page) -> None:
    page.goto("/tracks")
    _play(page, TITLE)
    titles = _titles(page)
    page.keyboard.press("n")
    after = titles[titles.index(TITLE) + 1]
    page.wait_for_function("(title) => window.tonearm.player.snapshot.track.title === title", arg=after)
    assert page.evaluate("() => window.tonearm.player.snapshot.mastering.enabled") is True
    player = page.get_by_role("region", name="Player")
    expect(player.get_by_role("radio", name="Mastered")).to_be_checked()
    page.keyboard.press("s")
    expect(player.get_by_role("radio", name="Original")).to_be_checked()
    page.keyboard.press("s")
    expect(player.get_by_role("radio", name="Mastered")).to_be_checked()
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Character").select_option("warm")
    page.wait_for_function("() => window.tonearm.player.snapshot.mastering.preset === 'warm'")
    page.wait_for_function("() => fetch('/api/settings').then(a => a.json()).then(s => s.preset === 'warm')")


def test_a_playlist_is_made_filled_ordered_and_brought_back(page: Page, server: RunningServer) -> None:
    page.goto("/playlists")
    page.get_by_label("Name of a new playlist").fill("Evening")
    page.get_by_role("button", name="Create").click()
    _heading(page, "Evening")
    page.get_by_role("link", name="Tracks", exact=True).click()
    for title in ("ambi_choir", TITLE, "loop_tabla"):
        _row(page, title).get_by_role("button", name=f"More for {title}").click()
        page.get_by_role("menuitem", name="Add to playlist").click()
        page.get_by_role("dialog").get_by_role("button", name="Evening").click()
        page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("navigation").get_by_role("link", name="Evening").click()
    names = page.locator("main [data-row] .name")
    expect(names).to_have_text(["ambi_choir", TITLE, "loop_tabla"])
    page.get_by_role("grid").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(names).to_have_text([TITLE, "ambi_choir", "loop_tabla"])
    grips = page.locator("main [data-row] .grip")
    grips.nth(2).drag_to(grips.nth(0), target_position={"x": 8, "y": 2})
    expect(names).to_have_text(["loop_tabla", TITLE, "ambi_choir"])
    playlist = server.get("/api/playlists")["playlists"][0]["id"]
    page.get_by_role("grid").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Delete")
    expect(names).to_have_text([TITLE, "ambi_choir"])
    page.get_by_role("button", name="Undo").click()
    expect(names).to_have_text(["loop_tabla", TITLE, "ambi_choir"])
    entries = server.get(f"/api/playlists/{playlist}/tracks")["entries"]
    assert [entry["track"]["title"] for entry in entries] == ["loop_tabla", TITLE, "ambi_choir"]


def test_a_smart_list_with_a_mistake_and_its_mending(page: Page, server: RunningServer) -> None:
    page.goto("/smart/new")
    page.get_by_label("What shall be in it").fill("duration < 10 and chanels = 2")
    expect(page.locator("mark")).to_have_text("chanels")
    page.get_by_text('There is no field "chanels".').wait_for()
    page.get_by_role("button", name="channels", exact=True).first.click()
    expect(page.locator("mark")).to_have_count(0)
    _row(page, TITLE).wait_for()
    page.get_by_label("Name", exact=True).fill("Short")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_url(re.compile(r"/smart/\d+$"))
    assert [one["query"] for one in server.get("/api/smart-lists")["smart_lists"]] == [
        "duration < 10 and channels = 2"
    ]


def test_favourites_and_the_queue(page: Page) -> None:
    page.goto("/tracks")
    _row(page, TITLE).hover()
    _row(page, TITLE).get_by_role("button", name="Favourite").click()
    page.get_by_role("link", name="Favourites", exact=True).click()
    _play(page, TITLE)
    page.keyboard.press("l")
    page.get_by_text("No favourites yet").wait_for()
    page.get_by_role("link", name="Tracks", exact=True).click()
    _row(page, "loop_tabla").click(button="right")
    page.get_by_role("menuitem", name="Add to queue").click()
    page.keyboard.press("q")
    _heading(page, "Queue")
    names = page.locator("main [data-row] .name")
    expect(names).to_have_text([TITLE, "loop_tabla"])
    page.get_by_role("button", name="Clear").click()
    expect(names).to_have_text([TITLE])
    page.get_by_role("button", name="Undo").click()
    expect(names).to_have_text([TITLE, "loop_tabla"])
    page.get_by_role("button", name="Take out loop_tabla").click()
    page.get_by_role("button", name=f"Take out {TITLE}").click()
    page.get_by_text("Nothing is waiting").wait_for()


def test_with_keys_alone(page: Page) -> None:
    page.goto("/")
    page.get_by_role("heading", level=1).wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    link = page.get_by_role("link", name="Tracks", exact=True)
    for _ in range(10):
        page.keyboard.press("Tab")
        if link.evaluate("(link) => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    _heading(page, "Tracks")
    grid = page.get_by_role("grid")
    _row(page, TITLE).wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        if grid.evaluate("(grid) => grid === document.activeElement"):
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wanted = _titles(page)[2]
    page.keyboard.press("Enter")
    page.wait_for_function("(title) => window.tonearm.player.snapshot.track?.title === title", arg=wanted)
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(grid).to_be_focused()
    page.keyboard.press("m")
    page.wait_for_function("() => window.tonearm.player.snapshot.muted")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Original or mastered")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_a_scan_finds_appears_by_itself(browser: Browser, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    with serving(tmp_path, music, TONEARM_FINGERPRINTS__BACKGROUND="false") as own:
        context = browser.new_context(base_url=own.url)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto("/tracks")
        page.get_by_text("No music yet").wait_for()
        page.wait_for_function("() => window.tonearm.player.snapshot.connected")
        shutil.copy(clip("ambi_piano.flac"), music)
        httpx.post(f"{own.url}/api/library/scan", json={"directories": []}).raise_for_status()
        _row(page, TITLE).wait_for()
        context.close()


# What differs between the schemes is their colours.
@pytest.mark.parametrize(("scheme", "rules"), [("dark", {}), ("light", {"runOnly": ["color-contrast"]})])
def test_nothing_hinders_anybody(browser: Browser, server: RunningServer, scheme: Any, rules: Any) -> None:
    _fill(server)
    context = browser.new_context(
        base_url=server.url, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
    )
    context.set_default_timeout(PATIENCE_MS)
    troubles = _troubles(context)
    page = context.new_page()
    page.goto("/tracks")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    _play(page, TITLE)
    found = {path: _violations(page, rules, path) for path in VIEWS}
    page.keyboard.press("?")
    found["keys"] = _violations(page, rules)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings").click()
    found["settings"] = _violations(page, rules)
    context.close()
    assert {path: said for path, said in found.items() if said} == {}
    assert not troubles


@pytest.mark.parametrize(
    "path", ["/", "/albums/1", "/tracks", "/playlists/1", "/smart/new?query=lufs", "/now"]
)
def test_a_small_phone_shows_all_of_it(browser: Browser, server: RunningServer, path: str) -> None:
    _fill(server)
    context = browser.new_context(base_url=server.url, **PHONE)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(path)
    page.get_by_role("heading", level=1).first.wait_for(state="attached")
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    wide = page.evaluate(
        "() => { const m = document.querySelector('main');"
        " return [document.documentElement.scrollWidth - innerWidth, m.scrollWidth - m.clientWidth]; }"
    )
    context.close()
    assert wide == [0, 0]


def _fill(server: RunningServer) -> None:
    """See to it that every view has something to show."""
    if not server.get("/api/playlists")["playlists"]:
        with httpx.Client(base_url=server.url) as http:
            playlist = http.post("/api/playlists", json={"name": "Evening"}).raise_for_status().json()["id"]
            http.post(f"/api/playlists/{playlist}/tracks", json={"track_ids": [1, 2]}).raise_for_status()
    httpx.post(f"{server.url}/api/tracks/1/favorite").raise_for_status()


def _violations(page: Page, rules: Any, path: str | None = None) -> list[str]:
    """What axe finds at ``path``, reached as by a link: the music plays on."""
    if path is not None:
        page.evaluate(
            "(path) => { const link = Object.assign(document.createElement('a'), { href: path });"
            " document.body.append(link); link.click(); link.remove(); }",
            path,
        )
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    page.get_by_role("heading", level=1).first.wait_for(state="attached")
    said = page.evaluate(
        "(rules) => axe.run({ resultTypes: ['violations'], ...rules }).then(({ violations }) =>"
        " violations.flatMap(({ id, nodes }) =>"
        " nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`)))",
        rules,
    )
    return [line[:400] for line in said]
