/**
 * What the server's seven-band equaliser does to each frequency: the same sections, solved the same way.
 *
 * A low shelf, five bells and a high shelf on the fingerprint's bands. The gain of each section is solved for, so that
 * the whole, with the skirts of the neighbours in it, has the asked gain at the geometric centre of every band.
 *
 * Source: src/tonearm/dsp/equaliser.py; R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
 * coefficients".
 */

export interface Band {
  low_hz: number;
  high_hz: number;
}

/** b0 b1 b2 a0 a1 a2 */
type Section = readonly [number, number, number, number, number, number];

/** Bands centred above this share of the rate are ignored. */
const HIGHEST = 0.45;
const NEWTON_STEPS = 6;
const CLOSE_DB = 1e-4;

export const centre = ({ low_hz, high_hz }: Band): number => Math.sqrt(low_hz * high_hz);

function bell(band: Band, gain: number, rate: number): Section {
  const w = (2 * Math.PI * centre(band)) / rate;
  const alpha = (Math.sin(w) * (band.high_hz - band.low_hz)) / (2 * centre(band));
  const a = 10 ** (gain / 40);
  const turn = -2 * Math.cos(w);
  return [1 + alpha * a, turn, 1 - alpha * a, 1 + alpha / a, turn, 1 - alpha / a];
}

/** `side` 1: under `edge`; -1: over it. */
function shelf(edge: number, gain: number, rate: number, side: 1 | -1): Section {
  const w = (2 * Math.PI * edge) / rate;
  const a = 10 ** (gain / 40);
  const cos = side * Math.cos(w);
  const beta = Math.SQRT2 * Math.sqrt(a) * Math.sin(w);
  const [up, down] = [a + 1, a - 1];
  return [
    a * (up - down * cos + beta),
    side * 2 * a * (down - up * cos),
    a * (up - down * cos - beta),
    up + down * cos + beta,
    -side * 2 * (down + up * cos),
    up + down * cos - beta,
  ];
}

function section(bands: readonly Band[], index: number, whole: boolean, gain: number, rate: number): Section {
  const band = bands[index] as Band;
  if (index === 0) return shelf(band.high_hz, gain, rate, 1);
  if (whole && index === bands.length - 1) return shelf(band.low_hz, gain, rate, -1);
  return bell(band, gain, rate);
}

function power(b0: number, b1: number, b2: number, cos: number, cos2: number): number {
  return b0 * b0 + b1 * b1 + b2 * b2 + 2 * (b0 * b1 + b1 * b2) * cos + 2 * b0 * b2 * cos2;
}

/** Gain of one section at a frequency, dB. */
function gainAt([b0, b1, b2, a0, a1, a2]: Section, hertz: number, rate: number): number {
  const w = (2 * Math.PI * hertz) / rate;
  const [cos, cos2] = [Math.cos(w), Math.cos(2 * w)];
  return 10 * Math.log10(power(b0, b1, b2, cos, cos2) / power(a0, a1, a2, cos, cos2));
}

/** The answer x of `matrix x = wanted`, by elimination; the sections' own bands make the diagonal the largest. */
function solve(matrix: readonly (readonly number[])[], wanted: readonly number[]): number[] {
  let rows = matrix.map((row, index) => [...row, wanted[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const pivot = rows[column] ?? [];
    const least = pivot[column] ?? 1;
    rows = rows.map((row, index) => {
      const part = index === column ? 0 : (row[column] ?? 0) / least;
      return row.map((value, each) => value - part * (pivot[each] ?? 0));
    });
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}

/**
 * Gain of the whole equaliser, dB, as a function of the frequency, Hz.
 *
 * @param gains of the bands, dB
 * @param bands the seven, in order
 * @param rate of the stream, Hz
 */
export function response(
  gains: readonly number[],
  bands: readonly Band[],
  rate: number,
): (hertz: number) => number {
  const used = bands.filter((band) => centre(band) <= HIGHEST * rate);
  const whole = used.length === bands.length;
  const asked = gains.slice(0, used.length);
  if (asked.every((gain) => gain === 0)) return () => 0;
  const made = (own: readonly number[]) => own.map((gain, index) => section(used, index, whole, gain, rate));
  const total = (sections: readonly Section[], hertz: number) =>
    sections.reduce((sum, each) => sum + gainAt(each, hertz, rate), 0);
  const single = made(used.map(() => 1));
  const slopes = used.map((band) => single.map((each) => gainAt(each, centre(band), rate)));
  let own = solve(slopes, asked);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const reached = made(own);
    const missing = used.map((band, index) => (asked[index] as number) - total(reached, centre(band)));
    if (Math.max(...missing.map(Math.abs)) < CLOSE_DB) break;
    const change = solve(slopes, missing);
    own = own.map((gain, index) => gain + (change[index] as number));
  }
  const sections = made(own);
  return (hertz) => total(sections, hertz);
}
