import { describe, expect, it } from "vitest";

import { type FetchPart, PAGE, Paged } from "../../src/api/paged";
import { Problem } from "../../src/api/problem";

/** A server whose answers come when the test lets them. */
class Slow {
  readonly asked: {
    offset: number;
    signal: AbortSignal;
    answer: (total: number) => void;
    fail: () => void;
  }[] = [];

  fetch: FetchPart<number> = (offset, limit, signal) =>
    new Promise((resolve, reject) => {
      const answer = (total: number): void =>
        resolve({
          total,
          rows: Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, n) => offset + n),
        });
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      this.asked.push({ offset, signal, answer, fail: () => reject(new Problem("Gone.", 503, "BUSY")) });
    });

  offsets(): number[] {
    return this.asked.map((each) => each.offset);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function made(): { server: Slow; list: Paged<number>; changes: () => number } {
  const server = new Slow();
  let changes = 0;
  return { server, list: new Paged(server.fetch, () => changes++), changes: () => changes };
}

describe("a list in pages", () => {
  it("knows its length and rows once the first page is here", async () => {
    const { server, list, changes } = made();
    list.want(0, 30);
    expect([list.total, list.at(0)]).toEqual([null, undefined]);
    server.asked[0]?.answer(500_000);
    await settled();
    expect([list.total, list.at(29), list.at(PAGE), changes()]).toEqual([500_000, 29, undefined, 1]);
  });

  it("asks for a page once, and for both where the view lies across two", async () => {
    const { server, list } = made();
    list.want(PAGE - 10, PAGE + 10);
    list.want(PAGE - 5, PAGE + 15);
    expect(server.offsets()).toEqual([0, PAGE]);
  });

  it("asks for nothing beyond the end", async () => {
    const { server, list } = made();
    list.want(0, 1);
    server.asked[0]?.answer(150);
    await settled();
    list.want(100, 900);
    expect(server.offsets()).toEqual([0]);
  });

  it("gives up what was flown over", async () => {
    const { server, list } = made();
    list.want(0, 30);
    list.want(400_000, 400_030);
    expect(server.asked.map((each) => each.signal.aborted)).toEqual([true, false]);
    server.asked[1]?.answer(500_000);
    await settled();
    expect([list.at(400_010), list.error]).toEqual([400_010, null]);
  });

  it("shows what it has until the new is here", async () => {
    const { server, list } = made();
    list.want(0, 30);
    server.asked[0]?.answer(40);
    await settled();
    list.reload();
    expect([list.at(39), server.offsets()]).toEqual([39, [0, 0]]);
    server.asked[1]?.answer(20);
    await settled();
    expect([list.total, list.at(39)]).toEqual([20, undefined]);
  });

  it("says what went wrong and forgets it when it works again", async () => {
    const { server, list } = made();
    list.want(0, 30);
    server.asked[0]?.fail();
    await settled();
    expect(list.error).toBeInstanceOf(Problem);
    list.reload();
    server.asked[1]?.answer(3);
    await settled();
    expect([list.error, list.total]).toEqual([null, 3]);
  });

  it("keeps the pages looked at last, not all of half a million rows", async () => {
    const server: FetchPart<number> = (offset, limit) =>
      Promise.resolve({ total: 500_000, rows: Array.from({ length: limit }, (_, n) => offset + n) });
    const list = new Paged(server, () => undefined);
    for (let page = 0; page < 100; page++) {
      list.want(page * PAGE, page * PAGE + 1);
      await settled();
    }
    const kept = Array.from({ length: 100 }, (_, page) => list.at(page * PAGE)).filter(
      (row) => row !== undefined,
    );
    expect(kept).toHaveLength(60);
    expect([list.at(0), list.at(99 * PAGE)]).toEqual([undefined, 99 * PAGE]);
  });

  it("runs on around a row as far as it is loaded", async () => {
    const { server, list } = made();
    list.want(0, 1);
    server.asked[0]?.answer(500_000);
    await settled();
    const run = list.run(150, 100);
    expect([run.from, run.rows[0], run.rows.length]).toEqual([50, 50, 150]);
  });
});
