/** What the page knows of the library: lists by name, kept for the way back, and news that make them stale. */

import type { FetchPart } from "../api/paged";
import * as server from "../api/library";
import type { Analysis, Playlist, ScanStatus, SmartList, Stats } from "../api/shapes";
import type { News, Player } from "../core/types";
import { Listed, Loaded } from "./listed.svelte";

const KEPT = 24;
/** A scan tells of changes again and again; what is shown follows at most this often. */
const REFRESH_MS = 1500;
const ANALYSIS_MS = 5000;

interface Reloading {
  reload: () => void;
}

export interface Scanning {
  current: number;
  total: number;
  percentage: number;
}

export class Library {
  scanning: Scanning | null = $state.raw(null);
  /** sentences about the last scan that failed on some files */
  analysis: Analysis | null = $state.raw(null);
  /** counts the times that covers may have changed */
  revision: number = $state(0);
  readonly stats = new Loaded<Stats>(server.stats);
  readonly playlists = new Loaded<Playlist[]>(server.playlists);
  readonly smartLists = new Loaded<SmartList[]>(server.smartLists);
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- what is kept is no state of its own
  readonly #kept = new Map<string, Reloading>();
  #refreshing = 0;
  #last = 0;

  constructor(player: Player) {
    player.onNews((news) => this.#hear(news));
    void this.#followAnalysis();
    void this.#firstScan();
  }

  /** The list called `name`, as it was when it was last looked at. */
  list<T>(name: string, fetchPart: FetchPart<T>): Listed<T> {
    return this.#keep(name, () => new Listed(fetchPart));
  }

  /** The one thing called `name`. */
  one<T>(name: string, fetchValue: (signal: AbortSignal) => Promise<T>): Loaded<T> {
    return this.#keep(name, () => new Loaded(fetchValue));
  }

  /** What is shown and kept may be out of date. */
  refresh = (): void => {
    if (this.#refreshing) return;
    const wait = Math.max(0, this.#last + REFRESH_MS - performance.now());
    this.#refreshing = window.setTimeout(() => {
      this.#refreshing = 0;
      this.#last = performance.now();
      this.revision++;
      for (const kept of [this.stats, this.playlists, this.smartLists, ...this.#kept.values()]) kept.reload();
    }, wait);
  };

  #keep<K extends Reloading>(name: string, make: () => K): K {
    const found = this.#kept.get(name);
    const kept = (found as K | undefined) ?? make();
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(old);
    }
    return kept;
  }

  #hear(news: News): void {
    if (news.type === "scan_progress") this.scanning = news.data;
    else if (news.type === "scan_complete") {
      this.scanning = null;
      this.refresh();
    } else this.refresh();
    if (news.type !== "scan_progress") void this.#askAnalysis();
  }

  /** A scan that runs when the page opens tells its next step by itself; this is for until then. */
  async #firstScan(): Promise<void> {
    const status: ScanStatus | null = await server.scanStatus().catch(() => null);
    if (status?.state === "running") {
      this.scanning ??= { current: status.files_processed, total: 0, percentage: 0 };
    }
  }

  async #followAnalysis(): Promise<void> {
    for (;;) {
      await this.#askAnalysis();
      await new Promise((resolve) => setTimeout(resolve, document.hidden ? 60_000 : ANALYSIS_MS));
    }
  }

  async #askAnalysis(): Promise<void> {
    // The player's own line says it when the server is away; this one then keeps what it last knew.
    this.analysis = await server.analysis().catch(() => this.analysis);
  }
}
