/** Where the rail and the tabs lead. */

import type { Route } from "../state/routes";
import type { IconName } from "./icons";

export interface Place {
  name: string;
  path: string;
  icon: IconName;
  /** the views that belong to it */
  views: readonly Route["view"][];
}

export const HOME: Place = { name: "Home", path: "/", icon: "home", views: ["home"] };
export const SEARCH: Place = { name: "Search", path: "/search", icon: "search", views: ["search"] };
export const ALBUMS: Place = { name: "Albums", path: "/albums", icon: "album", views: ["albums", "album"] };
export const PLAYLISTS: Place = {
  name: "Playlists",
  path: "/playlists",
  icon: "playlist",
  views: ["playlists", "playlist"],
};

export const LIBRARY: readonly Place[] = [
  ALBUMS,
  { name: "Artists", path: "/artists", icon: "artist", views: ["artists", "artist"] },
  { name: "Tracks", path: "/tracks", icon: "track", views: ["tracks", "similar"] },
  { name: "Genres", path: "/genres", icon: "genre", views: ["genres", "genre"] },
];

export const MINE: readonly Place[] = [
  PLAYLISTS,
  { name: "Smart lists", path: "/smart", icon: "smart", views: ["smart", "smartlist"] },
  { name: "Favourites", path: "/favorites", icon: "heart", views: ["favorites"] },
  { name: "History", path: "/history", icon: "history", views: ["history"] },
];

export const QUEUE: Place = { name: "Queue", path: "/queue", icon: "queue", views: ["queue"] };
