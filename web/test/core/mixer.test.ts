import { describe, expect, it } from "vitest";

import { FADE_S, Mixer, type Opening } from "../../src/core/mixer";
import { Ring } from "../../src/core/ring";
import { chance, firstDifference, joined, noise } from "./signals";

const RATE = 48_000;
const FADE = Math.round(FADE_S * RATE);
const FRESH: Opening = { offsets: [], fadeIn: false };

function rendered(mixer: Mixer, quanta: number): Float32Array {
  const parts: Float32Array[] = [];
  for (let n = 0; n < quanta; n++) {
    const [left, right] = [new Float32Array(128), new Float32Array(128)];
    mixer.render(left, right);
    parts.push(left);
  }
  return joined(parts);
}

function write(mixer: Mixer, lane: number, signal: Float32Array): void {
  mixer.write(lane, signal, signal);
}

function playing(signal: Float32Array): Mixer {
  const mixer = new Mixer(1 << 16, RATE);
  mixer.run(true);
  mixer.open(1, FRESH);
  write(mixer, 1, signal);
  return mixer;
}

/** The largest jump of the slope: what a click would be in a signal as smooth as this. */
function roughness(signal: Float32Array): number {
  return signal.reduce((most, value, n) => {
    const bend = value - 2 * (signal[n - 1] ?? value) + (signal[n - 2] ?? signal[n - 1] ?? value);
    return n < 2 ? 0 : Math.max(most, Math.abs(bend));
  }, 0);
}

const smooth = (frames: number, from = 0) =>
  Float32Array.from({ length: frames }, (_, n) => Math.cos((n + from) / 60));

describe("the ring", () => {
  it.each([1, 2, 3])("gives back what was written, however it is cut and wherever it wraps (%d)", (seed) => {
    const next = chance(seed);
    const ring = new Ring(256);
    const signal = noise(20_000, seed);
    const taken: number[] = [];
    for (let at = 0; taken.length < signal.length;) {
      const room = Math.min(ring.capacity - ring.available, signal.length - at, Math.floor(next() * 300));
      const piece = signal.subarray(at, at + room);
      ring.write(
        piece,
        piece.map((value) => -value),
      );
      at += room;
      for (let left = Math.min(ring.available, Math.floor(next() * 300)); left > 0; left--) {
        const place = ring.at(ring.read++);
        if (ring.right[place] !== -(ring.left[place] as number))
          throw new Error(`sides apart at ${String(place)}`);
        taken.push(ring.left[place] as number);
      }
    }
    expect(firstDifference(Float32Array.from(taken), signal)).toBe(-1);
  });

  it("refuses what does not fit, and forgets what is cut off", () => {
    const ring = new Ring(8);
    ring.write(noise(6, 1), noise(6, 1));
    expect(() => {
      ring.write(noise(3, 1), noise(3, 1));
    }).toThrow(RangeError);
    ring.read = 2;
    ring.cut(4);
    expect(ring.available).toBe(2);
    ring.cut(0);
    expect(ring.available).toBe(0);
  });
});

describe("the mixer", () => {
  it.each([1, 2, 3, 4, 5])("plays what was written bit for bit, however it comes (%d)", (seed) => {
    const signal = noise(40_000, seed);
    const next = chance(seed + 100);
    const mixer = playing(signal.slice(0, 1_000));
    const parts: Float32Array[] = [];
    for (let at = 1_000; at < signal.length;) {
      const piece = signal.slice(at, at + 200 + Math.floor(next() * 3_000));
      write(mixer, 1, piece);
      at += piece.length;
      // Never so much that it would run dry.
      parts.push(rendered(mixer, Math.floor(next() * Math.floor(piece.length / 128))));
    }
    mixer.end(1);
    parts.push(rendered(mixer, 400));
    const out = joined(parts);
    expect(firstDifference(out.subarray(0, signal.length), signal)).toBe(-1);
    expect(out.subarray(signal.length).every((value) => value === 0)).toBe(true);
    expect(mixer.underruns).toBe(0);
    expect(mixer.drained).toBe(true);
  });

  it("takes over at the frame that belongs there, in a crossfade that keeps the sum", () => {
    const signal = noise(20_000, 7);
    const mixer = playing(signal);
    const before = rendered(mixer, 10);
    // The same music from frame 1000 on: frame n of the first is n - 1000 of this.
    mixer.open(2, { offsets: [[1, -1_000]], fadeIn: true });
    const waiting = rendered(mixer, 3);
    write(mixer, 2, signal.slice(1_000));
    const after = rendered(mixer, 40);
    const out = joined([before, waiting, after]);
    expect(mixer.laneId).toBe(2);
    out.forEach((value, n) => {
      expect(value).toBeCloseTo(signal[n] as number, 6);
    });
    expect(firstDifference(out.subarray(13 * 128 + FADE), signal.subarray(13 * 128 + FADE, out.length))).toBe(
      -1,
    );
  });

  it("lets the old lane sound until the new one reaches beyond it, and one that begins later wait", () => {
    const mixer = playing(smooth(20_000));
    rendered(mixer, 10);
    mixer.open(2, { offsets: [[1, -2_000]], fadeIn: true });
    write(mixer, 2, smooth(10_000, 2_000));
    rendered(mixer, 2);
    expect(mixer.laneId).toBe(1);
    rendered(mixer, 5);
    expect(mixer.laneId).toBe(2);
  });

  it("cuts to another lane, pauses, goes on and falls silent without a click", () => {
    const mixer = playing(smooth(9_000));
    const parts = [rendered(mixer, 20)];
    mixer.open(2, { offsets: [], fadeIn: true });
    parts.push(rendered(mixer, 3));
    write(mixer, 2, smooth(20_000, 31));
    parts.push(rendered(mixer, 20));
    mixer.run(false);
    parts.push(rendered(mixer, 20));
    mixer.run(true);
    parts.push(rendered(mixer, 20));
    mixer.drop();
    parts.push(rendered(mixer, 20));
    const out = joined(parts);
    expect(roughness(out)).toBeLessThan(1.5 * roughness(smooth(1_000)));
    expect(out.at(-1)).toBe(0);
  });

  it("counts running dry once, softly, and waits for enough to go on", () => {
    const mixer = playing(smooth(2_000));
    const dry = rendered(mixer, 40);
    expect(mixer.underruns).toBe(1);
    expect(roughness(dry)).toBeLessThan(1.5 * roughness(smooth(1_000)));
    write(mixer, 1, smooth(500, 2_000));
    rendered(mixer, 4);
    expect(mixer.sounding).toBe(false);
    write(mixer, 1, smooth(20_000, 2_500));
    rendered(mixer, 4);
    expect(mixer.sounding).toBe(true);
    expect(mixer.underruns).toBe(1);
  });

  it("does not count a pause, nor an end, as running dry", () => {
    const mixer = playing(smooth(3_000));
    mixer.end(1);
    rendered(mixer, 10);
    mixer.run(false);
    rendered(mixer, 50);
    mixer.run(true);
    rendered(mixer, 50);
    expect(mixer.underruns).toBe(0);
    expect(mixer.drained).toBe(true);
  });

  it("hears nothing of a lane that is not there", () => {
    const mixer = playing(smooth(1_000));
    mixer.open(2, FRESH);
    write(mixer, 1, noise(1_000, 1));
    mixer.end(1);
    expect(
      rendered(mixer, 20)
        .subarray(FADE)
        .every((value) => value === 0),
    ).toBe(true);
  });
});
