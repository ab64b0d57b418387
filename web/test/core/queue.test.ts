import { describe, expect, it } from "vitest";

import * as queues from "../../src/core/queue";
import { track } from "./fakes";
import { chance } from "./signals";

const ids = (queue: queues.Queue) => queue.entries.map((entry) => entry.track.id);
const of = (index: number, ...numbers: number[]) =>
  queues.replaced(queues.EMPTY, numbers.map(track), index, chance(1));

describe("the queue", () => {
  it("goes on to the end, round and round, or stays where it is", () => {
    const last = of(2, 1, 2, 3);
    expect(queues.following(of(0, 1, 2, 3), true)).toBe(1);
    expect(queues.following(last, true)).toBe(-1);
    expect(queues.following({ ...last, repeat: "all" }, true)).toBe(0);
    expect(queues.following({ ...last, repeat: "one" }, true)).toBe(2);
    expect(queues.following({ ...last, repeat: "one" }, false)).toBe(0);
    expect(queues.following(queues.EMPTY, true)).toBe(-1);
    expect(queues.preceding(of(0, 1, 2))).toBe(0);
    expect(queues.preceding({ ...of(0, 1, 2), repeat: "all" })).toBe(1);
  });

  it.each([1, 2, 3, 4, 5, 6])("keeps what plays, and all the tracks, whatever is done to it (%d)", (seed) => {
    const next = chance(seed);
    let queue = of(3, 1, 2, 3, 4, 5, 6, 7, 8);
    const anywhere = () => Math.floor(next() * queue.entries.length);
    for (let n = 0; n < 200; n++) {
      const playing = queue.entries[queue.index];
      const before = queue.entries.length;
      const step = Math.floor(next() * 5);
      if (step === 0) queue = queues.moved(queue, anywhere(), anywhere());
      else if (step === 1) queue = queues.withShuffle(queue, next() < 0.5, next);
      else if (step === 2) queue = queues.insertedNext(queue, [track(100 + n)]);
      else if (step === 3) queue = queues.appended(queue, [track(200 + n)]);
      else {
        const place = anywhere();
        if (place !== queue.index) queue = queues.removed(queue, place);
      }
      expect(queue.entries[queue.index]).toBe(playing);
      expect(Math.abs(queue.entries.length - before)).toBeLessThanOrEqual(1);
      expect(new Set(queue.ordered)).toEqual(new Set(queue.entries));
    }
  });

  it("shuffled begins with what was chosen, and unshuffled is as it was", () => {
    const plain = of(2, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const shuffled = queues.withShuffle(plain, true, chance(5));
    expect(ids(shuffled)[0]).toBe(3);
    expect(ids(shuffled)).not.toEqual(ids(plain));
    expect(ids(queues.withShuffle(shuffled, false, chance(6)))).toEqual(ids(plain));
    expect(queues.withShuffle(shuffled, false, chance(6)).index).toBe(2);
  });

  it("shuffles fairly: each track comes second about as often", () => {
    const next = chance(11);
    const counts = new Map<number, number>();
    for (let n = 0; n < 4_000; n++) {
      const second = ids(queues.withShuffle(of(0, 1, 2, 3, 4, 5), true, next))[1] as number;
      counts.set(second, (counts.get(second) ?? 0) + 1);
    }
    for (const id of [2, 3, 4, 5]) expect(counts.get(id)).toBeGreaterThan(850);
  });

  it("tells the same track from itself at another place", () => {
    const queue = queues.moved(of(1, 7, 7, 7), 1, 2);
    expect(queue.index).toBe(2);
  });

  it("removing what plays leaves its place to what followed", () => {
    expect(queues.current(queues.removed(of(1, 1, 2, 3), 1))?.id).toBe(3);
    expect(queues.current(queues.removed(of(2, 1, 2, 3), 2))?.id).toBe(2);
    expect(queues.removed(of(0, 1), 0).index).toBe(-1);
    expect(ids(queues.cleared(of(1, 1, 2, 3)))).toEqual([2]);
  });
});
