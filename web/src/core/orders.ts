/** What the page and the sound's own thread say to each other. */

import type { Opening } from "./mixer";

export const PROCESSOR = "tonearm-playback";

export type Order =
  | { do: "open"; lane: number; opening: Opening }
  | { do: "write"; lane: number; left: Float32Array; right: Float32Array }
  | { do: "end"; lane: number }
  | { do: "cut"; lane: number; frame: number }
  | { do: "run"; on: boolean }
  | { do: "drop" };

/** Places in the array that a report is. `at` is the frame of the context from which the rest holds. */
export const REPORT = { at: 0, lane: 1, frame: 2, sounding: 3, drained: 4, underruns: 5 } as const;

export interface Report {
  at: number;
  lane: number;
  frame: number;
  sounding: boolean;
  drained: boolean;
  underruns: number;
}
