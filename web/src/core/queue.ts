/**
 * What is to be played, in its order. Values: every change makes a new one.
 *
 * `tracks` stand in the order in which they are played, shuffled or not; `ordered` remembers the order in which they
 * were given, for when shuffling ends. An entry is told from another by its object: a track may stand here twice.
 */

import type { Repeat, Track } from "./types";

export interface Entry {
  readonly track: Track;
}

export interface Queue {
  readonly entries: readonly Entry[];
  readonly ordered: readonly Entry[];
  /** the place of what plays, -1 if nothing does */
  readonly index: number;
  readonly shuffle: boolean;
  readonly repeat: Repeat;
}

export const EMPTY: Queue = { entries: [], ordered: [], index: -1, shuffle: false, repeat: "off" };

/** A number 0 <= n < 1, as Math.random gives. */
export type Chance = () => number;

export function current(queue: Queue): Track | null {
  return queue.entries[queue.index]?.track ?? null;
}

/** These tracks and no others; shuffled, the one at `index` comes first. */
export function replaced(queue: Queue, tracks: readonly Track[], index: number, chance: Chance): Queue {
  const ordered = tracks.map((track) => ({ track }));
  const place = ordered.length ? clamp(index, ordered.length) : -1;
  const plain = { ...queue, entries: ordered, ordered, index: place };
  return queue.shuffle ? shuffled(plain, chance) : plain;
}

/** The place that follows by itself (`byItself`) or because the listener said "next"; -1 if none does. */
export function following(queue: Queue, byItself: boolean): number {
  const { entries, index, repeat } = queue;
  if (!entries.length || index < 0) return -1;
  if (repeat === "one" && byItself) return index;
  if (index + 1 < entries.length) return index + 1;
  return repeat === "off" ? -1 : 0;
}

export function preceding(queue: Queue): number {
  const { entries, index, repeat } = queue;
  if (index > 0) return index - 1;
  return repeat === "all" && entries.length ? entries.length - 1 : index;
}

/** Behind what plays. */
export function insertedNext(queue: Queue, tracks: readonly Track[]): Queue {
  const fresh = tracks.map((track) => ({ track }));
  const playing = queue.entries[queue.index];
  const place = playing ? queue.ordered.indexOf(playing) + 1 : 0;
  return {
    ...queue,
    entries: queue.entries.toSpliced(queue.index + 1, 0, ...fresh),
    ordered: queue.ordered.toSpliced(place, 0, ...fresh),
  };
}

/** At the end. */
export function appended(queue: Queue, tracks: readonly Track[]): Queue {
  const fresh = tracks.map((track) => ({ track }));
  return { ...queue, entries: [...queue.entries, ...fresh], ordered: [...queue.ordered, ...fresh] };
}

export function moved(queue: Queue, from: number, to: number): Queue {
  const entry = queue.entries[from];
  if (!entry || to < 0 || to >= queue.entries.length || from === to) return queue;
  const entries = queue.entries.toSpliced(from, 1).toSpliced(to, 0, entry);
  const playing = queue.entries[queue.index];
  const index = playing ? entries.indexOf(playing) : -1;
  return { ...queue, entries, index, ordered: queue.shuffle ? queue.ordered : entries };
}

/** Where what plays is removed, its place is that of what followed it. */
export function removed(queue: Queue, place: number): Queue {
  const entry = queue.entries[place];
  if (!entry) return queue;
  const entries = queue.entries.toSpliced(place, 1);
  const index = place < queue.index ? queue.index - 1 : Math.min(queue.index, entries.length - 1);
  return { ...queue, entries, ordered: queue.ordered.filter((other) => other !== entry), index };
}

/** What plays stays; nothing before or after it does. */
export function cleared(queue: Queue): Queue {
  const playing = queue.entries[queue.index];
  const entries = playing ? [playing] : [];
  return { ...queue, entries, ordered: entries, index: entries.length - 1 };
}

/** On: what plays comes first, the rest in any order. Off: the order in which they were given. */
export function withShuffle(queue: Queue, on: boolean, chance: Chance): Queue {
  if (on === queue.shuffle) return queue;
  if (on) return { ...shuffled(queue, chance), shuffle: true };
  const playing = queue.entries[queue.index];
  const index = playing ? queue.ordered.indexOf(playing) : -1;
  return { ...queue, entries: queue.ordered, index, shuffle: false };
}

function shuffled(queue: Queue, chance: Chance): Queue {
  const playing = queue.entries[queue.index];
  const rest = queue.entries.filter((entry) => entry !== playing);
  // Fisher and Yates.
  for (let n = rest.length - 1; n > 0; n--) {
    const other = Math.floor(chance() * (n + 1));
    [rest[n], rest[other]] = [rest[other] as Entry, rest[n] as Entry];
  }
  return { ...queue, entries: playing ? [playing, ...rest] : rest, index: playing ? 0 : -1 };
}

function clamp(index: number, length: number): number {
  return Math.max(0, Math.min(length - 1, index));
}
