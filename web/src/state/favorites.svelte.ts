/** Which tracks are favourites: as the lists say, unless it was changed here since. */

import { SvelteMap } from "svelte/reactivity";

import * as server from "../api/library";
import type { Track } from "../core/types";
import type { Toasts } from "./toasts.svelte";

export class Favorites {
  readonly #changed = new SvelteMap<number, boolean>();

  constructor(
    private readonly toasts: Toasts,
    private readonly refresh: () => void,
  ) {}

  has(track: Track): boolean {
    return this.#changed.get(track.id) ?? track.favorite;
  }

  toggle(track: Track): void {
    const on = !this.has(track);
    this.#changed.set(track.id, on);
    void this.toasts.or(server.setFavorite(track.id, on)).then((done) => {
      if (done) this.refresh();
      else this.#changed.set(track.id, !on);
    });
  }
}
