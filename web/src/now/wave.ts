/** The waveform of a track, as bars. */

/** One bar: how far it goes up and down, 0..1 of full scale each. */
export interface Bar {
  up: number;
  down: number;
}

const FULL_SCALE = 127;
/** What is silent is drawn as a thin line all the same. */
const LEAST = 0.012;

/**
 * Folds pairs of lowest and highest (signed bytes, in turn) into `count` bars, each the extremes of what it covers.
 * With more bars than pairs, a pair is drawn more than once.
 */
export function bars(waveform: readonly number[], count: number): Bar[] {
  const pairs = waveform.length / 2;
  return Array.from({ length: count }, (_, index) => {
    const first = Math.floor((index * pairs) / count);
    const last = Math.max(first + 1, Math.floor(((index + 1) * pairs) / count));
    let lowest = 0;
    let highest = 0;
    for (let pair = first; pair < last; pair++) {
      lowest = Math.min(lowest, waveform[2 * pair] ?? 0);
      highest = Math.max(highest, waveform[2 * pair + 1] ?? 0);
    }
    return {
      up: Math.min(1, Math.max(LEAST, highest / FULL_SCALE)),
      down: Math.min(1, Math.max(LEAST, -lowest / FULL_SCALE)),
    };
  });
}

/** Bars as an SVG path `count` wide and 2 high, each `share` of its place wide. */
export function path(drawn: readonly Bar[], share = 0.62): string {
  return drawn
    .map(({ up, down }, index) => {
      const left = (index + (1 - share) / 2).toFixed(2);
      return `M${left} ${(1 - up).toFixed(3)}h${share}V${(1 + down).toFixed(3)}h${-share}z`;
    })
    .join("");
}
