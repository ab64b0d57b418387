/** Which view an address shows. Pure: addresses in, views out. */

export type Route =
  | { view: "home" | "albums" | "artists" | "genres" | "playlists" | "smart" }
  | { view: "favorites" | "history" | "queue" | "now" | "unknown" }
  | { view: "tracks"; order: string }
  | { view: "album" | "artist" | "genre" | "playlist" | "similar"; id: number }
  /** a smart list, or, without a number, a new one that begins with `query` */
  | { view: "smartlist"; id: number | null; query: string }
  | { view: "search"; query: string };

const SIMPLE = [
  "albums",
  "artists",
  "genres",
  "playlists",
  "smart",
  "favorites",
  "history",
  "queue",
  "now",
] as const;

const ONE = { albums: "album", artists: "artist", genres: "genre", playlists: "playlist" } as const;

/** The view at `pathname` with the query `search`. */
export function routeOf(pathname: string, search: string): Route {
  const parts = pathname.split("/").filter(Boolean);
  const query = new URLSearchParams(search);
  const [first, second, third] = parts;
  if (first === undefined) return { view: "home" };
  if (second === undefined) return listed(first, query);
  if (first === "smart" && second === "new" && !third) {
    return { view: "smartlist", id: null, query: query.get("query") ?? "" };
  }
  const id = number(second);
  if (id === null) return { view: "unknown" };
  if (first === "tracks" && third === "similar" && parts.length === 3) return { view: "similar", id };
  if (parts.length > 2) return { view: "unknown" };
  if (first === "smart") return { view: "smartlist", id, query: "" };
  return first in ONE ? { view: ONE[first as keyof typeof ONE], id } : { view: "unknown" };
}

function listed(first: string, query: URLSearchParams): Route {
  if (first === "search") return { view: "search", query: query.get("q") ?? "" };
  if (first === "tracks") return { view: "tracks", order: query.get("by") ?? "title" };
  const simple = SIMPLE.find((view) => view === first);
  return simple ? { view: simple } : { view: "unknown" };
}

function number(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

const NAMES: Readonly<Record<Route["view"], string>> = {
  home: "Home",
  albums: "Albums",
  album: "Album",
  artists: "Artists",
  artist: "Artist",
  genres: "Genres",
  genre: "Genre",
  tracks: "Tracks",
  similar: "More like this",
  playlists: "Playlists",
  playlist: "Playlist",
  smart: "Smart lists",
  smartlist: "Smart list",
  favorites: "Favourites",
  history: "History",
  queue: "Queue",
  now: "Now playing",
  search: "Search",
  unknown: "Not here",
};

/** What a view is called before it knows better, for the window's title. */
export function nameOf(route: Route): string {
  return NAMES[route.view];
}
