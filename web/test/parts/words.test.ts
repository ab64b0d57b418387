import { describe, expect, it } from "vitest";

import { grooveOf } from "../../src/parts/groove";
import { ago, clock, counted, quality, span } from "../../src/parts/words";

describe("numbers as words", () => {
  it("clocks", () => {
    expect([clock(0), clock(65.4), clock(3725), clock(59.6)]).toEqual(["0:00", "1:05", "1:02:05", "1:00"]);
  });

  it("spans", () => {
    expect([span(10), span(61), span(7320), span(3600), span(90_000)]).toEqual([
      "under a minute",
      "1 minute",
      "2 hours 2 minutes",
      "1 hour",
      "1 day 1 hour",
    ]);
  });

  it("counts", () => {
    expect([counted(1, "track"), counted(0, "track"), counted(1200, "track")]).toEqual([
      "1 track",
      "0 tracks",
      "1,200 tracks",
    ]);
  });

  it("tells how long ago", () => {
    const now = new Date("2026-03-12T12:00:00Z");
    expect(ago("2026-03-12T11:59:30Z", now)).toBe("just now");
    expect(ago("2026-03-12T09:00:00Z", now)).toBe("3 hours ago");
    expect(ago("2026-03-10T12:00:00Z", now)).toBe("2 days ago");
    expect(ago("2026-01-02T12:00:00Z", now)).toBe("2 January 2026");
  });

  it("says what a file is", () => {
    expect([
      quality("flac", 24, 96_000),
      quality("vorbis", null, 44_100),
      quality("pcm_s16le", 16, 8000),
    ]).toEqual(["FLAC 24/96", "Vorbis 44.1", "PCM 16/8"]);
  });
});

describe("the grooves of a name", () => {
  it("are the same each time, and others for another name", () => {
    expect(grooveOf("Homogenic")).toEqual(grooveOf("Homogenic"));
    expect(grooveOf("Homogenic")).not.toEqual(grooveOf("Homogenia"));
  });

  it("use every pressing about as often", () => {
    const seen = new Map<number, number>();
    for (let n = 0; n < 800; n++) {
      const { palette } = grooveOf(`Album ${n}`);
      seen.set(palette, (seen.get(palette) ?? 0) + 1);
    }
    expect(seen.size).toBe(8);
    expect(Math.min(...seen.values())).toBeGreaterThan(60);
  });

  it("stay within the picture's reach", () => {
    for (const ring of grooveOf("x").rings) expect(ring.radius).toBeLessThan(140);
  });
});
