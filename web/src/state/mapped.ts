/** A list of something that has a track, as a list of tracks. */

import type { Track } from "../core/types";
import type { Listed } from "./listed.svelte";
import type { Tracks } from "./page.svelte";

export function tracksOf<T>(list: Listed<T>, track: (row: T) => Track): Tracks {
  return {
    get total() {
      return list.total;
    },
    get error() {
      return list.error;
    },
    at(index) {
      const row = list.at(index);
      return row === undefined ? undefined : track(row);
    },
    want: (from, to) => list.want(from, to),
    run(index, most) {
      const { rows, from } = list.run(index, most);
      return { rows: rows.map(track), from };
    },
    rest: async (from, count) => (await list.rest(from, count)).map(track),
    reload: list.reload,
  };
}

/** Tracks that are all here. */
export function tracksIn(rows: () => readonly Track[]): Tracks {
  return {
    get total() {
      return rows().length;
    },
    error: null,
    at: (index) => rows()[index],
    want: () => undefined,
    run: () => ({ rows: [...rows()], from: 0 }),
    rest: (from, count) => Promise.resolve(rows().slice(from, from + count)),
    reload: () => undefined,
  };
}
