/** All that a part of the page may need, handed down by the context. */

import { createContext } from "svelte";
import { MediaQuery } from "svelte/reactivity";

import * as server from "../api/library";
import type { Player, Track } from "../core/types";
import { Favorites } from "./favorites.svelte";
import { Library } from "./library.svelte";
import { Menu } from "./menu.svelte";
import { Shown } from "./player.svelte";
import { Router } from "./router.svelte";
import { Scroller } from "./scroller.svelte";
import { Toasts } from "./toasts.svelte";

/** A dialog that is open, if any. */
export type Dialog = "settings" | "keys" | "more" | { addToPlaylist: readonly Track[] } | null;

/** Tracks in an order, of which not all are here: what a table shows and a click plays. */
export interface Tracks {
  readonly total: number | null;
  readonly error: unknown;
  at(index: number): Track | undefined;
  want(from: number, to: number): void;
  run(index: number, most: number): { rows: Track[]; from: number };
  rest(from: number, count: number): Promise<readonly Track[]>;
  reload(): void;
}

/** As many tracks as one click puts into the queue. */
const QUEUED = 500;

export class Page {
  readonly shown: Shown;
  readonly scroller = new Scroller();
  readonly router = new Router(() => this.scroller.element);
  readonly toasts = new Toasts();
  readonly menu = new Menu();
  readonly library: Library;
  readonly favorites: Favorites;
  readonly phone = new MediaQuery("(max-width: 760px)");
  dialog: Dialog = $state.raw(null);
  /** the name of what is shown, once it is known: an album's, say */
  title: string = $state("");
  #plays = 0;

  constructor(readonly player: Player) {
    this.shown = new Shown(player);
    this.library = new Library(player);
    this.favorites = new Favorites(this.toasts, this.library.refresh);
  }

  /**
   * Plays `list` from `index`: what is loaded around it at once, so that it sounds without waiting, and what
   * follows is put behind it when it has come.
   */
  playFrom(list: Tracks, index: number): void {
    const { rows, from } = list.run(index, QUEUED / 2);
    if (!rows.length) return;
    this.play(rows, index - from);
    const next = from + rows.length;
    const missing = Math.min((list.total ?? 0) - next, QUEUED - rows.length);
    if (missing <= 0) return;
    const asked = this.#plays;
    void this.toasts.or(list.rest(next, missing), (more) => {
      if (asked === this.#plays) this.player.enqueue(more);
    });
  }

  /** Opens the search, ready to type. */
  search(): void {
    if (this.router.route.view !== "search") this.router.go("/search");
    else document.querySelector<HTMLInputElement>("input[type=search]")?.select();
  }

  /** Opens the page of the artist of this name; the search for it where there is none of exactly this name. */
  async goToArtist(name: string): Promise<void> {
    const wanted = name.toLowerCase();
    await this.toasts.or(
      server.artists({ search: name })(0, 50, new AbortController().signal),
      ({ rows }) => {
        const found = rows.find((artist) => artist.name.toLowerCase() === wanted);
        this.router.go(found ? `/artists/${found.id}` : `/search?q=${encodeURIComponent(name)}`);
      },
    );
  }

  play(tracks: readonly Track[], index = 0): void {
    this.#plays++;
    this.player.play(tracks, index);
  }

  shuffle(tracks: readonly Track[]): void {
    this.play(shuffled(tracks));
  }

  /** Shuffles as much of `list` as a queue takes. */
  shuffleAll(list: Tracks): void {
    const most = Math.max(0, (list.total ?? 0) - QUEUED);
    void this.toasts.or(list.rest(Math.floor(Math.random() * (most + 1)), QUEUED), (tracks) =>
      this.shuffle(tracks),
    );
  }
}

/** In an order of chance, each as likely as another (Fisher and Yates). */
function shuffled<T>(rows: readonly T[]): T[] {
  const mixed = [...rows];
  for (let n = mixed.length - 1; n > 0; n--) {
    const other = Math.floor(Math.random() * (n + 1));
    [mixed[n], mixed[other]] = [mixed[other] as T, mixed[n] as T];
  }
  return mixed;
}

export const [thePage, setThePage] = createContext<Page>();
