/** Lists and single things from the server, as reactive state. */

import { type FetchPart, Paged } from "../api/paged";
import { isAborted } from "../api/problem";

/** A list of any length: reading it in a template follows its changes. */
export class Listed<T> {
  #seen: number = $state(0);
  readonly #pages: Paged<T>;

  constructor(private readonly fetchPart: FetchPart<T>) {
    this.#pages = new Paged(fetchPart, () => this.#seen++);
    this.#pages.want(0, 1);
  }

  get total(): number | null {
    return this.#followed().total;
  }

  get error(): unknown {
    return this.#followed().error;
  }

  at(index: number): T | undefined {
    return this.#followed().at(index);
  }

  want(from: number, to: number): void {
    this.#pages.want(from, to);
  }

  /** What is loaded without a gap around `index`. */
  run(index: number, most: number): { rows: T[]; from: number } {
    return this.#pages.run(index, most);
  }

  /** Rows from `from` on, whether or not they are in view, at most 500. */
  async rest(from: number, count: number): Promise<readonly T[]> {
    return (await this.fetchPart(from, count, new AbortController().signal)).rows;
  }

  reload = (): void => this.#pages.reload();

  #followed(): Paged<T> {
    void this.#seen;
    return this.#pages;
  }
}

/** One thing: what was here stays until the new is, and an older answer never follows a newer one. */
export class Loaded<T> {
  value: T | null = $state.raw(null);
  error: unknown = $state.raw(null);
  #request: AbortController | null = null;

  constructor(private readonly fetchValue: (signal: AbortSignal) => Promise<T>) {
    this.reload();
  }

  reload = (): void => {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    this.fetchValue(request.signal).then(
      (value) => {
        if (request.signal.aborted) return;
        this.value = value;
        this.error = null;
      },
      (error: unknown) => {
        if (!request.signal.aborted && !isAborted(error)) this.error = error;
      },
    );
  };

  /** Nobody waits for it any more. */
  giveUp(): void {
    this.#request?.abort();
  }
}
