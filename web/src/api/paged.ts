/**
 * A list of any length, fetched page by page as it comes into view.
 *
 * Pages are kept until there are too many; then those looked at longest ago go. What was asked for and is no
 * longer in view when it has not come yet is given up.
 */

import { isAborted } from "./problem";

export const PAGE = 200;
const KEPT = 60;

export interface Part<T> {
  rows: readonly T[];
  /** of the whole list */
  total: number;
}

export type FetchPart<T> = (offset: number, limit: number, signal: AbortSignal) => Promise<Part<T>>;

export class Paged<T> {
  /** null until the first page is here */
  total: number | null = null;
  /** why the last page that was wanted is not here */
  error: unknown = null;
  readonly #pages = new Map<number, readonly T[]>();
  readonly #stale = new Set<number>();
  readonly #asked = new Map<number, AbortController>();
  #from = 0;
  #to = 1;

  /** `changed` is called after each change of what can be seen here. */
  constructor(
    private readonly fetchPart: FetchPart<T>,
    private readonly changed: () => void,
  ) {}

  /** The row with this number, if it is here. */
  at(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Sees to it that rows `from` to `to` (excluded) come, and gives up what is far from them. */
  want(from: number, to: number): void {
    this.#from = Math.max(0, from);
    this.#to = Math.max(this.#from + 1, to);
    const first = Math.floor(this.#from / PAGE);
    const last = Math.floor((this.#to - 1) / PAGE);
    for (const [page, request] of this.#asked) {
      if (page < first - 1 || page > last + 1) request.abort();
    }
    for (let page = first; page <= last; page++) {
      if (this.total !== null && page * PAGE >= this.total && page > 0) break;
      this.#ask(page);
    }
  }

  /** All that is here may be out of date: what is in view is fetched anew, and shown as it is until then. */
  reload(): void {
    this.error = null;
    for (const request of this.#asked.values()) request.abort();
    this.#asked.clear();
    for (const page of this.#pages.keys()) this.#stale.add(page);
    this.want(this.#from, this.#to);
  }

  /** What is loaded without a gap around `index`, at most `most` rows before and after it. */
  run(index: number, most: number): { rows: T[]; from: number } {
    let from = index;
    while (from > 0 && index - from < most && this.at(from - 1) !== undefined) from--;
    const rows: T[] = [];
    for (let n = from; n < index + most; n++) {
      const row = this.at(n);
      if (row === undefined) break;
      rows.push(row);
    }
    return { rows, from };
  }

  #ask(page: number): void {
    if (this.#asked.has(page)) return;
    const known = this.#pages.get(page);
    if (known && !this.#stale.has(page)) {
      // The last looked at stands last, so that it is dropped last.
      this.#pages.delete(page);
      this.#pages.set(page, known);
      return;
    }
    const request = new AbortController();
    this.#asked.set(page, request);
    void this.#take(page, request);
  }

  async #take(page: number, request: AbortController): Promise<void> {
    try {
      const part = await this.fetchPart(page * PAGE, PAGE, request.signal);
      if (request.signal.aborted) return;
      this.#keep(page, part);
    } catch (error) {
      if (request.signal.aborted || isAborted(error)) return;
      this.error = error;
    } finally {
      if (this.#asked.get(page) === request) this.#asked.delete(page);
    }
    this.changed();
  }

  #keep(page: number, part: Part<T>): void {
    this.error = null;
    this.total = part.total;
    this.#pages.delete(page);
    this.#pages.set(page, part.rows);
    this.#stale.delete(page);
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= KEPT && old * PAGE < part.total) continue;
      if (old === page) continue;
      this.#pages.delete(old);
      this.#stale.delete(old);
    }
  }
}
