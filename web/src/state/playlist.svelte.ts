/** One playlist, all of it: what is moved or taken out moves at once, and comes back if the server will not. */

import * as server from "../api/library";
import { isAborted } from "../api/problem";
import type { Entry } from "../api/shapes";
import type { Toasts } from "./toasts.svelte";

const PART = 500;

export class PlaylistEntries {
  entries: readonly Entry[] | null = $state.raw(null);
  error: unknown = $state.raw(null);
  #request: AbortController | null = null;

  constructor(
    private readonly id: number,
    private readonly toasts: Toasts,
    private readonly changed: () => void,
  ) {
    this.reload();
  }

  reload = (): void => {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    this.#read(request.signal).then(
      (entries) => {
        if (request.signal.aborted) return;
        this.entries = entries;
        this.error = null;
      },
      (error: unknown) => {
        if (!request.signal.aborted && !isAborted(error)) this.error = error;
      },
    );
  };

  move(from: number, to: number): void {
    const rows = [...(this.entries ?? [])];
    const [entry] = rows.splice(from, 1);
    if (!entry) return;
    rows.splice(to, 0, entry);
    this.#try(rows, server.moveEntry(this.id, entry.entry_id, to));
  }

  remove(index: number): void {
    const entry = this.entries?.[index];
    if (!this.entries || !entry) return;
    const without = this.entries.filter((each) => each !== entry);
    this.#try(without, server.removeEntry(this.id, entry.entry_id), () =>
      this.toasts.say(`Taken out: ${entry.track.title}`, {
        name: "Undo",
        run: () => this.#try(null, server.addToPlaylist(this.id, [entry.track.id], index)),
      }),
    );
  }

  #try(shown: readonly Entry[] | null, work: Promise<unknown>, done?: () => void): void {
    this.#request?.abort();
    if (shown) this.entries = shown;
    void this.toasts.or(work, done).then(() => {
      this.reload();
      this.changed();
    });
  }

  async #read(signal: AbortSignal): Promise<Entry[]> {
    const rows: Entry[] = [];
    for (;;) {
      const part = await server.entries(this.id)(rows.length, PART, signal);
      rows.push(...part.rows);
      if (!part.rows.length || rows.length >= part.total) return rows;
    }
  }
}
