"""Pictures of every view of the player: ``make screenshots MUSIC=DIR OUT=DIR``.

Serves ``MUSIC``, listens to some of it, keeps a playlist, a smart list and favourites, and takes each view on
a desktop and on a phone, dark and light. With ``--keep DIR`` the library is kept there, so that another run
need not listen again.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from browser import FLAGS, chromium
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from server import RunningServer, play, serving

DEVICES: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
QUERY: Final = "lufs > -16 order by plr_db desc"
MISTAKEN: Final = "lufs > -16 and tempo_bmp < 100"
LEAST_S: Final = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for the library, kept for another run")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (
        _folder(arguments.keep) as folder,
        serving(folder, arguments.music.resolve()) as server,
        sync_playwright() as playwright,
    ):
        views = prepare(server)
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for device in DEVICES:
            for scheme in ("dark", "light"):
                with _window(browser, device, scheme) as context:
                    take(context, server.url, views, arguments.out, f"{device}-{scheme}")
        browser.close()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="tonearm-screenshots-") as folder:
        yield Path(folder)


@contextmanager
def _window(browser: Browser, device: str, scheme: str) -> Iterator[BrowserContext]:
    context = browser.new_context(**DEVICES[device], color_scheme=scheme, reduced_motion="reduce")
    try:
        yield context
    finally:
        context.close()


def prepare(server: RunningServer) -> dict[str, str]:
    """Have something in every view; the address of each by its name."""
    with httpx.Client(base_url=server.url, timeout=60) as http:
        tracks = [track for track in server.tracks() if track["duration"] > LEAST_S]
        if not http.get("/api/playlists").json()["playlists"]:
            _collect(http, tracks)
            # A stream runs little ahead of what is heard: short ones are played out sooner.
            for track in sorted(tracks, key=lambda one: one["duration"])[:3]:
                play(server, track_id=track["id"])
        albums = server.get("/api/albums", limit=50)["albums"]
        playlist = http.get("/api/playlists").json()["playlists"][0]["id"]
        smart = http.get("/api/smart-lists").json()["smart_lists"][0]["id"]
        artist = max(server.get("/api/artists", limit=50)["artists"], key=lambda one: one["track_count"])
        genre = max(server.get("/api/genres", limit=50)["genres"], key=lambda one: one["track_count"])
    largest = max(albums, key=lambda album: album["track_count"])
    return {
        "home": "/",
        "albums": "/albums",
        "album": f"/albums/{largest['id']}",
        "artists": "/artists",
        "artist": f"/artists/{artist['id']}",
        "tracks": "/tracks",
        "genres": "/genres",
        "genre": f"/genres/{genre['id']}",
        "search": f"/search?q={artist['name'].split()[0]}",
        "search-empty": "/search",
        "favorites": "/favorites",
        "history": "/history",
        "playlists": "/playlists",
        "playlist": f"/playlists/{playlist}",
        "smart": "/smart",
        "smart-list": f"/smart/{smart}",
        "smart-mistake": f"/smart/new?{httpx.QueryParams(query=MISTAKEN)}",
        "similar": f"/tracks/{tracks[0]['id']}/similar",
        "queue": "/queue",
        "now": "/now",
        "nowhere": "/albums/0",
    }


def _collect(http: httpx.Client, tracks: list[dict[str, Any]]) -> None:
    playlist = http.post("/api/playlists", json={"name": "Sunday, slowly"}).raise_for_status().json()["id"]
    ids = [track["id"] for track in tracks]
    http.post(f"/api/playlists/{playlist}/tracks", json={"track_ids": ids[::2]}).raise_for_status()
    http.post("/api/smart-lists", json={"name": "Room to breathe", "query": QUERY}).raise_for_status()
    for track_id in ids[1::3]:
        http.post(f"/api/tracks/{track_id}/favorite").raise_for_status()


def take(context: BrowserContext, url: str, views: dict[str, str], out: Path, prefix: str) -> None:
    """Play the first favourite, then show each view while it plays."""
    page = context.new_page()
    page.goto(f"{url}/favorites")
    page.locator("[data-row] .name").first.click()
    page.wait_for_function("() => window.tonearm.player.snapshot.state === 'playing'")
    for name, path in views.items():
        show(page, path)
        page.screenshot(path=out / f"{prefix}-{name}.png")
        sys.stdout.write(f"{prefix}-{name}.png\n")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.screenshot(path=out / f"{prefix}-keys.png")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings" if "desktop" in prefix else "More", exact=True).click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=out / f"{prefix}-settings.png")


def show(page: Page, path: str) -> None:
    """Go there as a link does, without a new page: the music plays on."""
    page.evaluate(
        "(path) => { const link = Object.assign(document.createElement('a'), { href: path });"
        " document.body.append(link); link.click(); link.remove(); }",
        path,
    )
    page.wait_for_function("() => !document.querySelector('[aria-busy=true], main .bone')")
    page.wait_for_timeout(700)


if __name__ == "__main__":
    main()
