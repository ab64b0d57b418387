/** The 25 numbers of a fingerprint as a shape: each on a scale from what is low to what is high in music. */

import { BAND_WORDS } from "./words";

export interface Axis {
  name: string;
  label: string;
  /** at the centre and at the rim, in the unit of the number */
  low: number;
  high: number;
  /** steps of equal ratio, for frequencies */
  ratio?: boolean;
  digits: number;
}

export interface Group {
  name: string;
  axes: readonly Axis[];
}

function axis(name: string, label: string, low: number, high: number, digits: number): Axis {
  return { name, label, low, high, digits };
}

const band = (name: string, high: number) => axis(`${name}_pct`, BAND_WORDS[name] ?? name, 0, high, 1);

/** The ends of the scales are where almost all music lies between, and not the ends of what is possible. */
export const GROUPS: readonly Group[] = [
  {
    name: "Tone",
    axes: [
      band("sub_bass", 40),
      band("bass", 70),
      band("low_mid", 40),
      band("mid", 50),
      band("upper_mid", 20),
      band("presence", 10),
      band("air", 10),
      axis("bass_mid_ratio", "Bass over mids", -15, 15, 1),
    ],
  },
  {
    name: "Level",
    axes: [
      axis("lufs", "Loudness", -30, -6, 1),
      axis("crest_db", "Crest factor", 6, 24, 1),
      axis("dynamic_range_variation", "Crest swing", 0, 6, 1),
      axis("loudness_variation_std", "Loudness swing", 0, 8, 1),
      axis("peak_consistency", "Even peaks", 0, 1, 2),
    ],
  },
  {
    name: "Rhythm",
    axes: [
      axis("tempo_bpm", "Tempo", 40, 200, 0),
      axis("rhythm_stability", "Steady beat", 0, 1, 2),
      axis("transient_density", "Onsets", 0, 8, 1),
      axis("silence_ratio", "Silence", 0, 0.3, 2),
    ],
  },
  {
    name: "Timbre",
    axes: [
      { ...axis("spectral_centroid", "Brightness", 200, 8000, 0), ratio: true },
      { ...axis("spectral_rolloff", "Upper edge", 400, 16_000, 0), ratio: true },
      { ...axis("spectral_flatness", "Noisiness", 1e-7, 0.3, 4), ratio: true },
      axis("harmonic_ratio", "Harmonic share", 0, 1, 2),
      axis("pitch_stability", "Steady pitch", 0, 1, 2),
      axis("chroma_energy", "Tonal focus", 0, 1, 2),
    ],
  },
  {
    name: "Space",
    axes: [
      axis("stereo_width", "Stereo width", 0, 0.5, 2),
      axis("phase_correlation", "Correlation", -1, 1, 2),
    ],
  },
];

export const AXES: readonly Axis[] = GROUPS.flatMap((group) => group.axes);

/** Where a value stands on its axis, 0 at the centre, 1 at the rim. */
export function share({ low, high, ratio }: Axis, value: number): number {
  const on = ratio
    ? Math.log(Math.max(value, Number.MIN_VALUE) / low) / Math.log(high / low)
    : (value - low) / (high - low);
  return Math.min(1, Math.max(0, on));
}

/** A place on the picture, from its centre: `index` of the 25 axes, clockwise from the top. */
export function point(index: number, radius: number): [number, number] {
  const angle = (2 * Math.PI * index) / AXES.length - Math.PI / 2;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** How a share is told without a picture. */
export function shareWords(at: number): string {
  if (at <= 0.15) return "very low";
  if (at <= 0.4) return "low";
  if (at < 0.6) return "middling";
  return at < 0.85 ? "high" : "very high";
}
