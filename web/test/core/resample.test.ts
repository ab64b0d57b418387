import { describe, expect, it } from "vitest";

import { Resampler, type Stereo } from "../../src/core/resample";
import { cuts, joinedStereo, level, noise, sine } from "./signals";

function whole(from: number, to: number, left: Float32Array, right = left): Stereo {
  const resampler = new Resampler(from, to);
  return joinedStereo([resampler.push(left, right), resampler.finish()]);
}

/** What differs from a sine at the output's own times, away from the ends, dB below that sine. */
function error(from: number, to: number, hz: number): number {
  const [left] = whole(from, to, sine(hz, from, from / 2));
  const wanted = sine(hz, to, left.length);
  const inner = left.subarray(to / 20, -to / 20).map((value, n) => value - (wanted[n + to / 20] as number));
  return level(inner) - level(wanted);
}

describe("the resampler", () => {
  it.each([
    [44_100, 48_000],
    [48_000, 44_100],
    [96_000, 48_000],
    [192_000, 44_100],
    [22_050, 48_000],
    [8_000, 44_100],
  ])("puts sines of the pass band from %d to %d Hz exactly where they belong", (from, to) => {
    const edge = 0.9 * (Math.min(from, to) / 2);
    for (const hz of [0.01 * edge, 0.3 * edge, 0.8 * edge, edge])
      expect(error(from, to, hz)).toBeLessThan(-100);
  });

  it.each([
    [96_000, 48_000, 24_010],
    [96_000, 48_000, 40_000],
    [48_000, 44_100, 22_100],
    [192_000, 44_100, 60_000],
  ])("lets nothing of %d Hz into %d Hz that has no place there: %d Hz", (from, to, hz) => {
    const [left] = whole(from, to, sine(hz, from, from / 2));
    expect(level(left.subarray(to / 20, -to / 20))).toBeLessThan(-100);
  });

  it("makes as many frames as the source lasts", () => {
    for (const [from, to, frames] of [
      [44_100, 48_000, 44_100],
      [48_000, 44_100, 12_345],
      [44_100, 48_000, 1],
    ] as const) {
      expect(whole(from, to, noise(frames, 3))[0].length).toBe(Math.ceil((frames * to) / from));
    }
  });

  it.each([1, 2, 3, 4])("gives the same bits however the stream is cut (%d)", (seed) => {
    const [left, right] = [noise(9_000, seed), noise(9_000, seed + 50)];
    const expected = whole(44_100, 48_000, left, right);
    const resampler = new Resampler(44_100, 48_000);
    const parts: Stereo[] = [];
    let at = 0;
    for (const piece of cuts(left.length, seed)) {
      parts.push(resampler.push(left.subarray(at, at + piece), right.subarray(at, at + piece)));
      at += piece;
    }
    expect(joinedStereo([...parts, resampler.finish()])).toEqual(expected);
  });

  it("passes equal rates on bit for bit", () => {
    const left = noise(1_000, 9);
    expect(whole(48_000, 48_000, left)[0]).toEqual(left);
  });

  it("goes on from a copy as it would itself", () => {
    const [first, second] = [noise(3_000, 1), noise(3_000, 2)];
    const one = new Resampler(44_100, 48_000);
    one.push(first, first);
    const other = one.clone();
    expect(other.push(second, second)).toEqual(one.push(second, second));
    expect(other.finish()).toEqual(one.finish());
  });

  it("begins where it is told: a stream from its middle lies on the grid of the whole", () => {
    const signal = noise(20_000, 4);
    const all = whole(44_100, 48_000, signal)[0];
    // The first frame of the grid at or behind source frame 5000.
    const k = Math.ceil((5_000 * 160) / 147);
    const part = new Resampler(44_100, 48_000, k * 147 - 5_000 * 160);
    const made = part.push(signal.subarray(5_000), signal.subarray(5_000))[0];
    const settled = 400;
    expect(made.subarray(settled)).toEqual(all.subarray(k + settled, k + made.length));
  });
});
