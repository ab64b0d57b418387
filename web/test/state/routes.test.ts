import { describe, expect, it } from "vitest";

import { routeOf } from "../../src/state/routes";

describe("addresses", () => {
  it.each([
    ["/", "", { view: "home" }],
    ["/albums", "", { view: "albums" }],
    ["/albums/", "", { view: "albums" }],
    ["/albums/12", "", { view: "album", id: 12 }],
    ["/artists/3", "", { view: "artist", id: 3 }],
    ["/genres/5", "", { view: "genre", id: 5 }],
    ["/tracks", "?by=-added", { view: "tracks", order: "-added" }],
    ["/tracks", "", { view: "tracks", order: "title" }],
    ["/tracks/7/similar", "", { view: "similar", id: 7 }],
    ["/playlists/2", "", { view: "playlist", id: 2 }],
    ["/smart/1", "", { view: "smartlist", id: 1, query: "" }],
    ["/smart/new", "?query=lufs+%3E+-9", { view: "smartlist", id: null, query: "lufs > -9" }],
    ["/search", "?q=bj%C3%B6rk%20a", { view: "search", query: "björk a" }],
    ["/favorites", "", { view: "favorites" }],
    ["/queue", "", { view: "queue" }],
    ["/now", "", { view: "now" }],
  ])("%s%s", (pathname, search, route) => {
    expect(routeOf(pathname, search)).toEqual(route);
  });

  it.each(["/nowhere", "/albums/x", "/albums/0", "/albums/1/2", "/tracks/7", "/queue/1", "/smart/new/1"])(
    "%s leads nowhere",
    (pathname) => {
      expect(routeOf(pathname, "").view).toBe("unknown");
    },
  );
});
