import { describe, expect, it } from "vitest";

import type { Mastering, Player } from "../../src/core/types";
import { hear } from "../../src/now/compare";
import { depth, Needle } from "../../src/now/reduction";
import { ThirdOctaves } from "../../src/now/spectrum";

describe("gain reduction", () => {
  it("falls at once, comes back by 12 dB a second, and holds its deepest point for two seconds", () => {
    const needle = new Needle();
    needle.move(0, 0);
    needle.move(100, 3);
    expect([needle.value, needle.held]).toEqual([3, 3]);
    needle.move(200, 0);
    expect([needle.value, needle.held].map((each) => Number(each.toFixed(6)))).toEqual([1.8, 3]);
    for (let now = 300; now <= 2100; now += 100) needle.move(now, 0);
    expect([needle.value, needle.held]).toEqual([0, 3]);
    needle.move(2200, 0);
    expect(needle.held).toBeCloseTo(1.8, 6);
  });

  it("has most room for the first decibel", () => {
    expect([0, 1.5, 6, 20].map(depth)).toEqual([0, 0.5, 1, 1]);
  });
});

describe("an analyser's bins as third-octaves", () => {
  it("of a full-scale sine have half a unit of power", () => {
    // Half of its amplitude in each half of the spectrum, spread by the window's 0.42, 0.25, 0.04 over five bins.
    const bins = new Float32Array(1024).fill(-200);
    [0.04, 0.25, 0.42, 0.25, 0.04].forEach((part, index) => (bins[98 + index] = 20 * Math.log10(part / 2)));
    const thirds = new ThirdOctaves(1024, 48_000);
    thirds.take(bins);
    expect(thirds.level((100 * 48_000) / 2048)).toBeCloseTo(10 * Math.log10(0.5), 3);
    expect(thirds.level(8000)).toBeLessThan(-150);
  });

  it("of evenly filled bins grow with their width", () => {
    const thirds = new ThirdOctaves(1024, 48_000);
    thirds.take(new Float32Array(1024).fill(-60));
    // 231.56 Hz of 23.44 Hz each; 0.3046 is the mean square of numpy.blackman(N) for large N.
    expect(thirds.level(1000)).toBeCloseTo(-60 + 10 * Math.log10(((231.563 / 23.4375) * 2) / 0.3046), 2);
    expect(thirds.level(8000) - thirds.level(1000)).toBeCloseTo(10 * Math.log10(8), 3);
  });
});

describe("going over", () => {
  it("offers equal loudness once, and then leaves it as it is", () => {
    const asked: Partial<Mastering>[] = [];
    const player = { setMastering: (change: Partial<Mastering>) => asked.push(change) } as unknown as Player;
    hear(player, false);
    hear(player, true);
    expect(asked).toEqual([{ enabled: false, levelMatch: true }, { enabled: true }]);
  });
});
