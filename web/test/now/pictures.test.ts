import { describe, expect, it } from "vitest";

import { AXES, point, share, shareWords } from "../../src/now/radar";
import { hertzAt, line, normalised, place } from "../../src/now/tone";
import { bars, path } from "../../src/now/wave";

describe("the waveform's bars", () => {
  const wave = [-127, 127, -64, 0, 0, 64, 0, 0];

  it("hold the extremes of what each covers", () => {
    expect(bars(wave, 2)).toEqual([
      { up: 1, down: 1 },
      { up: 64 / 127, down: 0.012 },
    ]);
  });

  it("repeat where there are more of them than pairs", () => {
    expect(bars(wave, 8).map(({ up }) => up > 0.9)).toEqual([true, true, ...Array<boolean>(6).fill(false)]);
  });

  it("are drawn from the middle of a field two high", () => {
    expect(path([{ up: 1, down: 0.5 }], 0.5)).toBe("M0.25 0.000h0.5V1.500h-0.5z");
  });
});

describe("frequencies", () => {
  it("stand in equal ratios from 20 Hz to 20 kHz", () => {
    expect([20, 200, 2000, 20_000].map((hertz) => Number(place(hertz).toFixed(9)))).toEqual([
      0, 0.333333333, 0.666666667, 1,
    ]);
    expect(hertzAt(place(440))).toBeCloseTo(440, 9);
  });

  it("make a line", () => {
    const points: [number, number][] = [
      [0, 1],
      [2, 0.5],
    ];
    expect(line(points)).toBe("M0.00 1.00L2.00 0.50");
  });
});

describe("third-octaves beside the corridor", () => {
  const corridor = [0, 1].map(() => ({ hz: 1000, median_db: 0, half_width_db: 4, k_weighting_db: 0.691 }));

  it("are taken relative to their own loudness", () => {
    // Two bands of -13.01 dB are -10 dB together, and two channels of that are 3.01 dB louder.
    const level = -10 - 10 * Math.log10(2);
    expect(normalised([level, level], corridor)[0]).toBeCloseTo(level - (-10 + 3.0103), 4);
  });

  it("do not know of gain", () => {
    const [soft, loud] = [normalised([-40, -50], corridor), normalised([-20, -30], corridor)];
    soft.forEach((value, index) => expect(value).toBeCloseTo(loud[index] as number, 9));
  });
});

describe("the shape of a fingerprint", () => {
  const named = (name: string) => AXES.find((axis) => axis.name === name) as (typeof AXES)[number];

  it("has 25 axes of different names", () => {
    expect(new Set(AXES.map(({ name }) => name)).size).toBe(25);
    expect(new Set(AXES.map(({ label }) => label)).size).toBe(25);
  });

  it("scales from the low end to the high end, and no further", () => {
    expect([-40, -30, -18, -6, 0].map((lufs) => share(named("lufs"), lufs))).toEqual([0, 0, 0.5, 1, 1]);
    expect(share(named("spectral_centroid"), Math.sqrt(200 * 8000))).toBeCloseTo(0.5, 9);
    expect(share(named("spectral_flatness"), 0)).toBe(0);
  });

  it("goes round clockwise from the top", () => {
    expect(point(0, 10).map((each) => Math.round(each))).toEqual([0, -10]);
    expect((point(6, 10)[0] as number) > 9).toBe(true);
  });

  it("is told in words", () => {
    expect([0, 0.3, 0.5, 0.7, 1].map(shareWords)).toEqual([
      "very low",
      "low",
      "middling",
      "high",
      "very high",
    ]);
  });
});
