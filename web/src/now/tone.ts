/** Spectra on one picture: where a frequency stands, and how loud a third-octave is beside the corridor of music. */

import type { Yardsticks } from "./answers.svelte";

export const LOWEST_HZ = 20;
export const HIGHEST_HZ = 20_000;

/** BS.1770's constant: K-weighted power to LUFS. */
const LOUDNESS_OFFSET = -0.691;

const DECADES = Math.log(HIGHEST_HZ / LOWEST_HZ);

/** From left, 0..1, of 20 Hz to 20 kHz. */
export function place(hertz: number): number {
  return Math.log(hertz / LOWEST_HZ) / DECADES;
}

/** The frequency at a place, 0..1 from left. */
export function hertzAt(share: number): number {
  return LOWEST_HZ * Math.exp(share * DECADES);
}

/**
 * Third-octaves relative to their own K-weighted loudness, dB, as the corridor of music has them
 * (src/tonearm/mastering/spectrum.py).
 */
export function normalised(levels_db: readonly number[], corridor: Yardsticks["corridor"]): number[] {
  const weighted = corridor.reduce(
    (sum, { k_weighting_db }, index) => sum + 10 ** (((levels_db[index] ?? -200) + k_weighting_db) / 10),
    0,
  );
  const loudness = LOUDNESS_OFFSET + 10 * Math.log10(2 * weighted);
  return levels_db.map((level) => level - loudness);
}

/** Points as an SVG path of straight lines. */
export function line(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
}
