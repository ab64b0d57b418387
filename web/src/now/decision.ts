/**
 * The plane on which the server decides, as it decides (src/tonearm/mastering/lwrp.py).
 *
 *     loud = ramp of LUFS over its border;   compressed = the larger of the ramps of crest and of PSR under theirs
 *     restore = loud compressed,  preserve = loud (1 - compressed),  master = 1 - loud
 *
 * Both ramps under the borders are equally steep, so the larger of them is the ramp of the smaller distance: the plane
 * has two axes, and nothing of the decision is left out.
 */

import type { Policy } from "../core/types";
import type { Yardsticks } from "./answers.svelte";

type Borders = Yardsticks["borders"];

/** What the plane shows: LUFS from left to right, dB of life over its border from bottom to top. */
export const PLANE = { quietest: -32, loudest: -4, flattest: -8, liveliest: 12 } as const;

const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** How far a track is over the borders of what is still alive, dB: the smaller of crest's and PSR's distance. */
export function life(crest_db: number, psr_p10_db: number, borders: Borders): number {
  return Math.min(crest_db - borders.crest_db, psr_p10_db - borders.psr_p10_db);
}

/** Which of the two decides how alive a track is. */
export function decidedBy(crest_db: number, psr_p10_db: number, borders: Borders): "crest" | "PSR" {
  return crest_db - borders.crest_db <= psr_p10_db - borders.psr_p10_db ? "crest" : "PSR";
}

/** The weights of the three policies at a place of the plane; they sum to 1. */
export function weights(lufs: number, life_db: number, borders: Borders): Record<Policy, number> {
  const half = borders.half_width_db;
  const loud = clip((lufs - borders.lufs + half) / (2 * half), 0, 1);
  const compressed = clip((half - life_db) / (2 * half), 0, 1);
  return { restore: loud * compressed, preserve: loud * (1 - compressed), master: 1 - loud };
}

/** From left, 0..1. */
export function across(lufs: number): number {
  return clip((lufs - PLANE.quietest) / (PLANE.loudest - PLANE.quietest), 0, 1);
}

/** From the top, 0..1. */
export function down(life_db: number): number {
  return clip((PLANE.liveliest - life_db) / (PLANE.liveliest - PLANE.flattest), 0, 1);
}
