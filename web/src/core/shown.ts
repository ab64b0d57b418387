/** What is shown of the player: one value after another, and who is told of them. */

import type { Said } from "./messages";
import type { Entry } from "./queue";
import type { Mastering, News, Snapshot, Track } from "./types";
import { NO_FACTS } from "./way";

export const DEFAULT_MASTERING: Mastering = {
  enabled: true,
  preset: "adaptive",
  intensity: 1,
  level: "track",
  levelMatch: false,
};

export class Shown {
  snapshot: Snapshot;
  private readonly listeners = new Set<(snapshot: Snapshot) => void>();
  private readonly newsListeners = new Set<(news: News) => void>();

  constructor(known: Partial<Snapshot>) {
    this.snapshot = { ...NOTHING_YET, ...known };
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onNews(listener: (news: News) => void): () => void {
    this.newsListeners.add(listener);
    return () => this.newsListeners.delete(listener);
  }

  connected(connected: boolean): void {
    this.update({ connected });
    if (connected) this.announce({ type: "connected" });
  }

  /** Passes on what the server says that is not of a stream. */
  said(message: Said): void {
    switch (message.type) {
      case "scan_progress":
      case "scan_complete":
      case "library_updated":
        return this.announce(message);
      case "fingerprint_progress": {
        const { track_id, status, message: text } = message.data;
        if (track_id === this.snapshot.track?.id) this.update({ progress: { status, message: text } });
      }
    }
  }

  protected update(change: Partial<Snapshot>): void {
    const keys = Object.keys(change) as (keyof Snapshot)[];
    if (keys.every((key) => change[key] === this.snapshot[key])) return;
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of this.listeners) listener(this.snapshot);
  }

  private announce(news: News): void {
    for (const listener of this.newsListeners) listener(news);
  }
}

/** The same array for the same entries: whoever shows it sees at once that nothing has changed. */
const known = new WeakMap<readonly Entry[], readonly Track[]>();

export function tracksOf(entries: readonly Entry[]): readonly Track[] {
  const tracks = known.get(entries) ?? entries.map(({ track }) => track);
  known.set(entries, tracks);
  return tracks;
}

/** A track of which nothing but its entry in the library is known. */
export function fresh(track: Track): Partial<Snapshot> {
  return { ...NO_FACTS, duration: track.duration, progress: null };
}

const NOTHING_YET: Snapshot = {
  ...NO_FACTS,
  state: "idle",
  way: "worklet",
  wayReason: null,
  connected: false,
  track: null,
  queue: [],
  index: -1,
  shuffle: false,
  repeat: "off",
  duration: 0,
  mastering: DEFAULT_MASTERING,
  progress: null,
  outputRate: null,
  volume: 1,
  muted: false,
  underruns: 0,
  notice: null,
};
