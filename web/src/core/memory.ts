/** What this browser keeps of the player from one visit to the next. */

import type { Mastering, Repeat, Track } from "./types";

const KEY = "tonearm.player";
/** More than anyone scrolls through, less than what a browser refuses. */
const MOST_TRACKS = 2000;

export interface Kept {
  tracks: Track[];
  index: number;
  position: number;
  shuffle: boolean;
  repeat: Repeat;
  volume: number;
  muted: boolean;
  enabled: boolean;
  levelMatch: boolean;
  /** as it was last known: the server's word counts, and comes a moment later */
  taste: Pick<Mastering, "preset" | "intensity" | "level">;
}

/** As much of `Storage` as is used. */
export type Store = Pick<Storage, "getItem" | "setItem">;

export function recall(store: Store | null): Kept | null {
  if (!store) return null;
  try {
    const kept = JSON.parse(store.getItem(KEY) ?? "null") as Kept | null;
    return kept && Array.isArray(kept.tracks) ? kept : null;
  } catch (error) {
    // What is there is not ours, or cut off: there is nothing to recall.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function keep(store: Store | null, kept: Kept): void {
  const from = Math.max(0, Math.min(kept.index - MOST_TRACKS / 2, kept.tracks.length - MOST_TRACKS));
  const tracks = kept.tracks.slice(from, from + MOST_TRACKS);
  try {
    store?.setItem(KEY, JSON.stringify({ ...kept, tracks, index: kept.index - from }));
  } catch (error) {
    // A browser may refuse to keep anything, or so much: then the next visit begins anew, nothing else is lost.
    if (!(error instanceof DOMException)) throw error;
  }
}

/** The browser's store; null where it keeps nothing for this page. */
export function browserStore(): Store | null {
  try {
    return window.localStorage;
  } catch (error) {
    // Cookies are forbidden here, and the store with them.
    if (error instanceof DOMException) return null;
    throw error;
  }
}
