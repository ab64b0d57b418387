/** What the server answers with (`/api/openapi.json`), as far as the page reads it. */

import type { Level, Preset, Track } from "../core/types";

export interface Album {
  id: number;
  title: string;
  artist: string | null;
  year: number | null;
  track_count: number;
  /** seconds */
  duration: number;
  artwork_url: string;
}

export interface AlbumWithTracks extends Album {
  tracks: Track[];
}

export interface Artist {
  id: number;
  name: string;
  track_count: number;
  album_count: number;
}

export interface Genre {
  id: number;
  name: string;
  track_count: number;
}

export interface Play {
  id: number;
  played_at: string;
  /** seconds */
  played_seconds: number;
  /** whether enough of it was heard */
  counted: boolean;
  track: Track;
}

export interface Playlist {
  id: number;
  name: string;
  track_count: number;
  /** seconds */
  duration: number;
}

export interface Entry {
  entry_id: number;
  /** false while its file is missing */
  available: boolean;
  track: Track;
}

export interface SmartList {
  id: number;
  name: string;
  query: string;
}

/** What a query can ask for. */
export interface Field {
  name: string;
  kind: string;
}

export interface Neighbour {
  track_id: number;
  distance: number;
  similarity_score: number;
  rank: number;
  because: string[];
}

/** `GET /api/library/fingerprints/status` */
export interface Analysis {
  total_tracks: number;
  fingerprinted_tracks: number;
  pending_tracks: number;
  failed_tracks: number;
  progress_percent: number;
  /** seconds; null while nobody can tell */
  estimated_remaining_seconds: number | null;
}

export interface ScanStatus {
  state: "idle" | "running" | "complete" | "failed";
  files_processed: number;
  files_failed: number;
}

export interface Stats {
  total_tracks: number;
  total_albums: number;
  total_artists: number;
  /** seconds */
  total_duration: number;
}

export interface Preferences {
  preset: Preset;
  /** 0..1 */
  intensity: number;
  target_lufs: number;
  level: Level;
}

export interface PresetShown {
  name: Preset;
  summary: string;
}

export interface Ready {
  ready: boolean;
  components: Record<string, string>;
}
