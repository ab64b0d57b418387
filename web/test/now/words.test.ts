import { describe, expect, it } from "vitest";

import type { MasteringPlan, Snapshot } from "../../src/core/types";
import { clock, fixed, kilohertz, shortHertz, signed, spoken } from "../../src/now/numbers";
import { leftAlone, matchWords, movesWords, sentence, standing } from "../../src/now/words";

function snapshot(change: Partial<Snapshot>): Snapshot {
  const mastering = { enabled: true, preset: "adaptive", intensity: 1, level: "track", levelMatch: true };
  return {
    mastering,
    masteringState: null,
    plan: null,
    progress: null,
    levelMatchGainDb: null,
    ...change,
  } as Snapshot;
}

const ORIGINAL = {
  enabled: false,
  preset: "adaptive",
  intensity: 1,
  level: "track",
  levelMatch: true,
} as const;
const TRACK = { id: 1 } as Snapshot["track"];

describe("numbers", () => {
  it("have a true minus sign, and none where they round to zero", () => {
    expect([fixed(-3.25), fixed(-0.04), fixed(12, 0), fixed(null), fixed(Number.NaN)]).toEqual([
      "\u22123.3",
      "0.0",
      "12",
      "\u2013",
      "\u2013",
    ]);
    expect([signed(1.6), signed(-1.6), signed(0.01), signed(undefined)]).toEqual([
      "+1.6",
      "\u22121.6",
      "0.0",
      "\u2013",
    ]);
  });

  it("are times on a clock and in words", () => {
    expect([0, 65.9, 3725, -1].map(clock)).toEqual(["0:00", "1:05", "1:02:05", "0:00"]);
    expect([0, 1, 65, 3725].map(spoken)).toEqual([
      "0 seconds",
      "1 second",
      "1 minute 5 seconds",
      "1 hour 2 minutes 5 seconds",
    ]);
  });

  it("are frequencies", () => {
    expect([44_100, 48_000, 11_025].map(kilohertz)).toEqual(["44.1 kHz", "48 kHz", "11.03 kHz"]);
    expect([63, 1000, 12_500].map(shortHertz)).toEqual(["63", "1k", "12.5k"]);
  });
});

describe("on what the sound rests", () => {
  it("is waited for", () => {
    expect(standing(snapshot({ state: "loading" })).headline).toBe("Getting ready");
    expect(standing(snapshot({ state: "paused" })).headline).toBe("Not playing");
  });

  it("is a first impression of so many seconds", () => {
    const plan = { measured: { heard_s: 6.4 } } as unknown as MasteringPlan;
    const told = standing(snapshot({ masteringState: "provisional", plan }));
    expect(told.headline).toBe("First impression");
    expect(told.sentence).toContain("judged by 6 s of this track");
  });

  it("is the standard, and the server's reason is told", () => {
    const progress = {
      status: "failed",
      message: "The fingerprint server cannot be reached. Playing with standard mastering.",
    } as const;
    expect(standing(snapshot({ masteringState: "standard", progress })).sentence).toMatch(
      /^The fingerprint server cannot be reached\. Level and tone go carefully/,
    );
    expect(standing(snapshot({ masteringState: "standard" })).sentence).toMatch(/did not answer in time/);
  });

  it("is the original, by wish or of need", () => {
    const plan = { parameters: { gain_db: { reason: "too little audio to measure" } }, measured: {} };
    const need = standing(snapshot({ masteringState: "none", plan: plan as unknown as MasteringPlan }));
    expect([need.headline, need.sentence]).toEqual(["Left as it is", "Too little audio to measure."]);
    expect(standing(snapshot({ masteringState: "none", mastering: ORIGINAL })).sentence).toBe(
      "The source, bit for bit.",
    );
    const down = standing(snapshot({ masteringState: "none", mastering: ORIGINAL, levelMatchGainDb: -3.2 }));
    expect(down.sentence).toBe("Turned down by 3.2 dB, and nothing else.");
    expect(
      standing(snapshot({ masteringState: "none", mastering: { ...ORIGINAL, enabled: true, intensity: 0 } }))
        .headline,
    ).toBe("Intensity 0: the original");
  });
});

describe("reasons", () => {
  it("become sentences", () => {
    expect([sentence("flat: inside"), sentence("Done.")]).toEqual(["Flat: inside.", "Done."]);
    expect(sentence("peak -1.05 dBTP (-3.0), 1-2 channels; loudness -0.0 LU")).toBe(
      "Peak \u22121.05 dBTP (\u22123.0), 1-2 channels; loudness 0.0 LU.",
    );
  });

  it("of a stage that rests say why, and of one at work nothing", () => {
    expect(leftAlone("not applied: one channel has no width")).toBe("One channel has no width.");
    expect(leftAlone("not applied, 0.60 of the energy in the side: kept")).toBe(
      "0.60 of the energy in the side: kept.",
    );
    expect(leftAlone("flat: inside the corridor of music")).toBe("Inside the corridor of music.");
    expect(leftAlone("attacks up by 1.0 dB")).toBeNull();
    expect(leftAlone(undefined)).toBeNull();
  });
});

describe("equal loudness", () => {
  it("says what is turned down, and by how much", () => {
    expect(matchWords(snapshot({ track: TRACK, levelMatchGainDb: -3.24 }))).toBe(
      "Mastered is turned down by 3.2 dB so that you compare sound, not volume.",
    );
    expect(matchWords(snapshot({ track: TRACK, levelMatchGainDb: -6, mastering: ORIGINAL }))).toMatch(
      /^The original is turned down by 6.0 dB/,
    );
    expect(matchWords(snapshot({ track: TRACK, levelMatchGainDb: 0 }))).toMatch(
      /^Mastered is the quieter of the two/,
    );
    expect(matchWords(snapshot({ track: TRACK }))).toMatch(/nothing is turned down/);
    expect(matchWords(snapshot({ mastering: { ...ORIGINAL, levelMatch: false } }))).toMatch(
      /^Louder always seems better/,
    );
  });
});

describe("what a preset moves", () => {
  it("is named in few words", () => {
    const scales = { compression_scale: 0.25, restoration_scale: 1, width_scale: 0 };
    const moves = {
      tone_db: { bass: 1.5, mid: 0, air: -1 },
      correction_scale: { bass: 1, air: 0.5 },
      target_offset_db: -2,
      ...scales,
    };
    expect(movesWords(moves)).toEqual([
      "Bass +1.5 dB",
      "Air \u22121.0 dB",
      "Tone correction at the top \u00d7 0.5",
      "Compression \u00d7 0.25",
      "Width off",
      "Target \u22122.0 dB",
    ]);
  });
});
