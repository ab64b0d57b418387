import { describe, expect, it } from "vitest";

import { across, decidedBy, down, life, weights } from "../../src/now/decision";

const BORDERS = { lufs: -12, crest_db: 13, psr_p10_db: 9, half_width_db: 1 };
const at = (lufs: number, crest: number, psr: number) => weights(lufs, life(crest, psr, BORDERS), BORDERS);

// What docs/mastering.md and the specification of the decision say of these tracks.
describe("the plane of the decision", () => {
  it.each([
    { lufs: -11, crest: 12, psr: 11, expected: { restore: 1, preserve: 0, master: 0 } },
    { lufs: -8.2, crest: 8.5, psr: 6, expected: { restore: 1, preserve: 0, master: 0 } },
    { lufs: -10, crest: 14, psr: 10, expected: { restore: 0, preserve: 1, master: 0 } },
    { lufs: -18, crest: 7, psr: 5, expected: { restore: 0, preserve: 0, master: 1 } },
    // A brick wall that crest does not see.
    { lufs: -8, crest: 14, psr: 8, expected: { restore: 1, preserve: 0, master: 0 } },
    // The middle of both borders.
    { lufs: -12, crest: 13, psr: 12, expected: { restore: 0.25, preserve: 0.25, master: 0.5 } },
  ])("weighs $lufs LUFS, crest $crest, PSR $psr", ({ lufs, crest, psr, expected }) => {
    expect(at(lufs, crest, psr)).toEqual(expected);
  });

  it("shares out exactly one everywhere", () => {
    for (let lufs = -14; lufs <= -10; lufs += 0.37) {
      for (let alive = -2; alive <= 2; alive += 0.29) {
        const { restore, preserve, master } = weights(lufs, alive, BORDERS);
        expect(restore + preserve + master).toBeCloseTo(1, 12);
      }
    }
  });

  it("names what decides", () => {
    expect(decidedBy(12, 12, BORDERS)).toBe("crest");
    expect(decidedBy(15, 9.5, BORDERS)).toBe("PSR");
  });

  it("stands loud to the right and alive at the top, inside its edges", () => {
    expect([across(-40), across(-18), across(0)]).toEqual([0, 0.5, 1]);
    expect([down(20), down(2), down(-30)]).toEqual([0, 0.5, 1]);
  });
});
