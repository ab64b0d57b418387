/** The server's routes, as functions. */

import type { Track } from "../core/types";
import { get, request, withQuery } from "./http";
import type { FetchPart } from "./paged";
import type {
  Album,
  AlbumWithTracks,
  Analysis,
  Artist,
  Entry,
  Field,
  Genre,
  Neighbour,
  Play,
  Playlist,
  Preferences,
  PresetShown,
  Ready,
  ScanStatus,
  SmartList,
  Stats,
} from "./shapes";

type Query = Readonly<Record<string, string | number | undefined>>;

/** Pages of the list below `key` of what `path` answers. */
function pages<T>(path: string, key: string, query: Query = {}): FetchPart<T> {
  return async (offset, limit, signal) => {
    const answer = await get<{ total: number }>(withQuery(path, { ...query, offset, limit }), signal);
    return { total: answer.total, rows: (answer as unknown as Record<string, T[]>)[key] ?? [] };
  };
}

export const tracks = (query: { search?: string; order_by?: string }): FetchPart<Track> =>
  pages<Track>("/api/library/tracks", "tracks", query);
export const albums = (query: { search?: string; order_by?: string }): FetchPart<Album> =>
  pages<Album>("/api/albums", "albums", query);
export const artists = (query: { search?: string }): FetchPart<Artist> =>
  pages<Artist>("/api/artists", "artists", query);
export const genres = (query: { search?: string }): FetchPart<Genre> =>
  pages<Genre>("/api/genres", "genres", query);
export const albumsOf = (artist: number): FetchPart<Album> =>
  pages<Album>(`/api/artists/${artist}/albums`, "albums", { order_by: "-year" });
export const tracksOf = (artist: number, order_by: string): FetchPart<Track> =>
  pages<Track>(`/api/artists/${artist}/tracks`, "tracks", { order_by });
export const tracksIn = (genre: number, order_by: string): FetchPart<Track> =>
  pages<Track>(`/api/genres/${genre}/tracks`, "tracks", { order_by });
export const favorites = (order_by: string): FetchPart<Track> =>
  pages<Track>("/api/favorites", "tracks", { order_by });
export const history: FetchPart<Play> = pages<Play>("/api/history", "plays");
export const previewed = (query: string): FetchPart<Track> =>
  pages<Track>("/api/smart-lists/preview", "tracks", { query });
export const entries = (playlist: number): FetchPart<Entry> =>
  pages<Entry>(`/api/playlists/${playlist}/tracks`, "entries");

export const track = (id: number, signal?: AbortSignal): Promise<Track> =>
  get<Track>(`/api/library/tracks/${id}`, signal);
export const album = (id: number, signal?: AbortSignal): Promise<AlbumWithTracks> =>
  get<AlbumWithTracks>(`/api/albums/${id}`, signal);
export const artist = (id: number, signal?: AbortSignal): Promise<Artist> =>
  get<Artist>(`/api/artists/${id}`, signal);
export const genre = (id: number, signal?: AbortSignal): Promise<Genre> =>
  get<Genre>(`/api/genres/${id}`, signal);
export const similar = (id: number, signal?: AbortSignal): Promise<Neighbour[]> =>
  get<Neighbour[]>(`/api/tracks/${id}/similar?limit=30`, signal);
export const stats = (signal?: AbortSignal): Promise<Stats> => get<Stats>("/api/library/stats", signal);
export const analysis = (signal?: AbortSignal): Promise<Analysis> =>
  get<Analysis>("/api/library/fingerprints/status", signal);
export const scanStatus = (signal?: AbortSignal): Promise<ScanStatus> =>
  get<ScanStatus>("/api/library/scan/status", signal);
export const scan = (): Promise<ScanStatus> =>
  request<ScanStatus>("POST", "/api/library/scan", { directories: [] });

export const setFavorite = (id: number, on: boolean): Promise<unknown> =>
  request(on ? "POST" : "DELETE", `/api/tracks/${id}/favorite`);
export const clearHistory = (): Promise<void> => request("DELETE", "/api/history");

export const playlists = async (signal?: AbortSignal): Promise<Playlist[]> =>
  (await get<{ playlists: Playlist[] }>("/api/playlists", signal)).playlists;
export const playlist = (id: number, signal?: AbortSignal): Promise<Playlist> =>
  get<Playlist>(`/api/playlists/${id}`, signal);
export const createPlaylist = (name: string): Promise<Playlist> =>
  request("POST", "/api/playlists", { name });
export const renamePlaylist = (id: number, name: string): Promise<Playlist> =>
  request("PATCH", `/api/playlists/${id}`, { name });
export const deletePlaylist = (id: number): Promise<void> => request("DELETE", `/api/playlists/${id}`);
/** Puts the tracks in before the entry at `position`; at the end without it. */
export const addToPlaylist = (id: number, track_ids: number[], position?: number): Promise<Playlist> =>
  request("POST", `/api/playlists/${id}/tracks`, {
    track_ids,
    ...(position === undefined ? {} : { position }),
  });
export const moveEntry = (id: number, entry: number, position: number): Promise<Playlist> =>
  request("PATCH", `/api/playlists/${id}/tracks/${entry}`, { position });
export const removeEntry = (id: number, entry: number): Promise<void> =>
  request("DELETE", `/api/playlists/${id}/tracks/${entry}`);

export const smartLists = async (signal?: AbortSignal): Promise<SmartList[]> =>
  (await get<{ smart_lists: SmartList[] }>("/api/smart-lists", signal)).smart_lists;
export const smartList = (id: number, signal?: AbortSignal): Promise<SmartList> =>
  get<SmartList>(`/api/smart-lists/${id}`, signal);
export const fields = async (signal?: AbortSignal): Promise<Field[]> =>
  (await get<{ fields: Field[] }>("/api/smart-lists/fields", signal)).fields;
export const createSmartList = (name: string, query: string): Promise<SmartList> =>
  request("POST", "/api/smart-lists", { name, query });
export const changeSmartList = (id: number, name: string, query: string): Promise<SmartList> =>
  request("PUT", `/api/smart-lists/${id}`, { name, query });
export const deleteSmartList = (id: number): Promise<void> => request("DELETE", `/api/smart-lists/${id}`);

export const preferences = (signal?: AbortSignal): Promise<Preferences> =>
  get<Preferences>("/api/settings", signal);
export const setPreferences = (wanted: Preferences): Promise<Preferences> =>
  request("PUT", "/api/settings", wanted);
export const presets = async (signal?: AbortSignal): Promise<PresetShown[]> =>
  (await get<{ presets: PresetShown[] }>("/api/enhancement/presets", signal)).presets;
export const version = (signal?: AbortSignal): Promise<{ version: string }> =>
  get<{ version: string }>("/api/version", signal);
/** What is ready: told with 200 or 503 alike. */
export async function ready(signal?: AbortSignal): Promise<Ready> {
  const response = await fetch("/api/ready", signal ? { signal } : {});
  return (await response.json()) as Ready;
}
