import { describe, expect, it } from "vitest";

import { place, scrollTo, SPARE, type View } from "../../src/state/window";

const LONG: View = { count: 500_000, row: 48, top: 0, height: 800, limit: 30_000_000 };
/** A browser that draws only so much: each pixel scrolled stands for more than one of the list. */
const SHORT: View = { ...LONG, limit: 15_000_000 };

describe("the rows in view", () => {
  it("are those that fit, and some to spare", () => {
    expect(place({ ...LONG, top: 4800 })).toEqual({
      length: 24_000_000,
      first: 100 - SPARE,
      last: 117 + SPARE,
      offset: (100 - SPARE) * 48,
    });
  });

  it("begin at the first while the list is still below the top", () => {
    expect(place({ ...LONG, top: -300 })).toMatchObject({ first: 0, offset: 0 });
  });

  it.each([LONG, SHORT])("reach the last at the end", (view) => {
    const { length } = place(view);
    const end = place({ ...view, top: length - view.height });
    expect(end.last).toBe(view.count);
    expect(end.offset + (end.last - end.first) * view.row).toBeCloseTo(length, 3);
  });

  it.each([LONG, SHORT])("cover the view wherever it is", (view) => {
    const { length } = place(view);
    for (let share = 0; share <= 1; share += 0.037) {
      const top = share * (length - view.height);
      const seen = place({ ...view, top });
      expect(seen.offset).toBeLessThanOrEqual(top);
      expect(seen.offset + (seen.last - seen.first) * view.row).toBeGreaterThanOrEqual(
        top + view.height - 0.01,
      );
    }
  });

  it("are none of an empty list", () => {
    expect(place({ ...LONG, count: 0 })).toMatchObject({ length: 0, first: 0, last: 0 });
  });
});

describe("scrolling to a row", () => {
  it.each([LONG, SHORT])("brings it just into view", (view) => {
    for (const index of [0, 20, 123_456, 499_999]) {
      const top = scrollTo({ ...view, top: 9_000_000 }, index) ?? Number.NaN;
      const seen = place({ ...view, top });
      const y = seen.offset + (index - seen.first) * view.row;
      expect(y).toBeGreaterThanOrEqual(top - 0.01);
      expect(y + view.row).toBeLessThanOrEqual(top + view.height + 0.01);
    }
  });

  it("leaves what is in view where it is", () => {
    expect(scrollTo({ ...LONG, top: 4800 }, 105)).toBeNull();
  });
});
