/**
 * The picture of an album that has none: the grooves of a record, close up, drawn from its name.
 *
 * The same name gives the same picture. Bands of groove stand for tracks, as they do on a record; its centre lies
 * near a corner, on the label's edge.
 */

export interface Ring {
  radius: number;
  width: number;
  /** 0..1 */
  opacity: number;
}

export interface Groove {
  /** one of the palettes of `groove.css` */
  palette: number;
  /** on a field of 100 by 100 */
  cx: number;
  cy: number;
  label: number;
  rings: readonly Ring[];
  /** degrees in which the light falls on it */
  light: number;
}

const PALETTES = 8;
const CENTRES = [
  [18, 82],
  [82, 82],
  [20, 20],
  [80, 24],
  [50, 104],
  [104, 50],
] as const;

/** A number from a text, the same on every machine (FNV-1a, then xorshift for more of them). */
function dice(name: string): () => number {
  let state = 2166136261;
  for (const letter of name) state = Math.imul(state ^ (letter.codePointAt(0) ?? 0), 16777619);
  // Names that differ in their last letter alone shall not look alike (the end of MurmurHash 3).
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  state ^= state >>> 16;
  state ||= 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function grooveOf(name: string): Groove {
  const next = dice(name);
  for (let n = 0; n < 4; n++) next();
  const palette = Math.floor(next() * PALETTES);
  const [cx, cy] = CENTRES[Math.floor(next() * CENTRES.length)] ?? CENTRES[0];
  const label = 13 + next() * 9;
  const rings: Ring[] = [];
  for (let radius = label + 4 + next() * 3; radius < 138;) {
    const band = 5 + next() * 15;
    for (const end = radius + band; radius < end && radius < 138; radius += 1.35 + next() * 0.9) {
      rings.push({ radius, width: 0.3 + next() * 0.6, opacity: 0.14 + next() * 0.42 });
    }
    radius += 2.2;
  }
  return { palette, cx, cy, label, rings, light: Math.floor(next() * 360) };
}
