import { describe, expect, it } from "vitest";

import { centre, response } from "../../src/now/equaliser";

const EDGES = [20, 60, 250, 500, 2000, 4000, 6000, 20_000];
const BANDS = EDGES.slice(1).map((high_hz, index) => ({ low_hz: EDGES[index] as number, high_hz }));

// From scipy 1.x alone: sections by the cookbook's formulae, their gains by scipy.optimize.fsolve for the asked gains at
// the centres, their response by scipy.signal.freqz.
const REFERENCE = [
  {
    rate: 44100,
    gains: [1.5, 1.5, 0.5, 0, -0.5, -1, -1.5],
    hz: [20, 50, 100, 300, 1000, 3000, 5000, 8000, 16000],
    db: [1.4477, 1.4469, 1.488, 0.6155, 0.0, -0.5155, -1.0173, -1.3004, -1.5454],
  },
  {
    rate: 48000,
    gains: [3, -3, 3, -3, 3, -3, 3],
    hz: [20, 50, 100, 300, 1000, 3000, 5000, 8000, 16000],
    db: [3.7817, 1.4786, -2.617, 2.0272, -3.0, 2.8863, -2.9367, 2.197, 3.2271],
  },
  {
    rate: 22050,
    gains: [-1, 0, 2, 0, 0, 1, 3],
    hz: [20, 50, 100, 300, 1000, 3000, 5000, 8000],
    db: [-1.0935, -0.7553, -0.1151, 1.6303, 0.0, 0.022, 0.9807, 0.0317],
  },
  {
    rate: 8000,
    gains: [0, -2, 0, 1.5, 0, 0, 0],
    hz: [20, 50, 100, 300, 1000, 3000],
    db: [0.2886, -0.4664, -1.8585, -0.3334, 1.5, -0.0132],
  },
];

describe("the equaliser's curve", () => {
  it.each(REFERENCE)("is the server's at $rate Hz", ({ rate, gains, hz, db }) => {
    const gainAt = response(gains, BANDS, rate);
    hz.forEach((hertz, index) => expect(gainAt(hertz)).toBeCloseTo(db[index] as number, 3));
  });

  it("passes through the asked gain at the centre of every band", () => {
    const gains = [2, -1, 0.5, -2.5, 3, 0, -3];
    const gainAt = response(gains, BANDS, 96_000);
    BANDS.forEach((band, index) => expect(gainAt(centre(band))).toBeCloseTo(gains[index] as number, 3));
  });

  it("is flat where nothing is asked", () => {
    const gainAt = response([0, 0, 0, 0, 0, 0, 0], BANDS, 44_100);
    expect([20, 1000, 20_000].map(gainAt)).toEqual([0, 0, 0]);
  });
});
