/** Signals and cuts for the tests of the core: the same in every run. */

import type { Stereo } from "../../src/core/resample";

/** A linear congruential generator, 0 <= n < 1 (Numerical Recipes). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function noise(frames: number, seed: number): Float32Array {
  const next = chance(seed);
  return Float32Array.from({ length: frames }, () => next() * 2 - 1);
}

/** `frames` cut at random places, empty pieces among them. */
export function cuts(frames: number, seed: number, most = 700): number[] {
  const next = chance(seed);
  const pieces: number[] = [];
  for (let left = frames; left > 0;) {
    const piece = Math.min(left, Math.floor(next() * most));
    pieces.push(piece);
    left -= piece;
  }
  return pieces;
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function joinedStereo(parts: readonly Stereo[]): Stereo {
  return [joined(parts.map(([left]) => left)), joined(parts.map(([, right]) => right))];
}

export function sine(hz: number, rate: number, frames: number): Float32Array {
  return Float32Array.from({ length: frames }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rate));
}

/** The level of a signal, dB of full scale (of its mean square: a sine of 1 is at -3). */
export function level(signal: Float32Array): number {
  return 10 * Math.log10(signal.reduce((sum, value) => sum + value * value, 0) / signal.length + 1e-30);
}

/** The first place at which two signals differ, -1 where they are the same. */
export function firstDifference(one: Float32Array, other: Float32Array): number {
  const length = Math.max(one.length, other.length);
  for (let n = 0; n < length; n++) if (one[n] !== other[n]) return n;
  return -1;
}
