/** What the server has measured and goes by, asked for once and kept. */

import { SvelteMap } from "svelte/reactivity";

import type { Mastering, MasteringPlan, Preset } from "../core/types";
import type { Shown } from "../state/player.svelte";

/** `GET /api/tracks/{id}/fingerprint`. */
export interface Analysis {
  track_id: number;
  fingerprint: Record<string, number>;
  measures: {
    true_peak_dbtp: number;
    lra_lu: number;
    plr_db: number;
    psr_p10_db: number;
    rate: number;
    channels: number;
    third_octaves_db: number[];
    /** lowest and highest in turn, signed bytes */
    waveform: number[];
  };
}

/** `GET /api/enhancement/yardsticks`. */
export interface Yardsticks {
  bands: { name: string; low_hz: number; high_hz: number }[];
  corridor: { hz: number; median_db: number; half_width_db: number; k_weighting_db: number }[];
  borders: { lufs: number; crest_db: number; psr_p10_db: number; half_width_db: number };
  dimensions: { name: string; unit: string; low: number; high: number; meaning: string }[];
}

/** `GET /api/enhancement/presets`. */
export interface PresetDescription {
  name: Preset;
  summary: string;
  moves: {
    tone_db: Record<string, number>;
    correction_scale: Record<string, number>;
    target_offset_db: number;
    compression_scale: number;
    restoration_scale: number;
    width_scale: number;
  };
}

const KEPT = 24;
const AGAIN_MS = 3000;
const AGAIN_AT_MOST_MS = 30_000;

const analyses = new SvelteMap<number, Analysis>();
const asked: Record<number, boolean> = {};
const constants: { yardsticks: Yardsticks | null; presets: PresetDescription[] | null } = $state({
  yardsticks: null,
  presets: null,
});
let askedConstants = false;

/** The answer, or null where there is none (yet): the caller asks again or does without. */
async function get<T>(path: string): Promise<T | null> {
  try {
    const answer = await fetch(path);
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    return null;
  }
}

async function askAnalysis(id: number): Promise<void> {
  if (asked[id] || analyses.has(id)) return;
  asked[id] = true;
  const analysis = await get<Analysis>(`/api/tracks/${id}/fingerprint`);
  asked[id] = false;
  if (!analysis) return;
  const oldest = analyses.keys().next();
  if (analyses.size >= KEPT && !oldest.done) analyses.delete(oldest.value);
  analyses.set(id, analysis);
}

/** What was measured of a track, once it is there. */
export function analysisOf(id: number | undefined): Analysis | null {
  return (id !== undefined && analyses.get(id)) || null;
}

/** To be called while a component is set up: has what was measured of the track that plays fetched, and again
 * until it is there. */
export function followAnalysis(shown: () => Shown): void {
  const id = $derived(shown().snapshot.track?.id);
  const state = $derived(shown().snapshot.masteringState);
  const progress = $derived(shown().snapshot.progress?.status);
  $effect(() => {
    void state;
    void progress;
    const track = id;
    if (track === undefined) return;
    let wait = AGAIN_MS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const again = async () => {
      await askAnalysis(track);
      if (over || analyses.has(track)) return;
      timer = setTimeout(() => void again(), wait);
      wait = Math.min(2 * wait, AGAIN_AT_MOST_MS);
    };
    void again();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  });
}

async function askConstants(): Promise<void> {
  if (askedConstants) return;
  askedConstants = true;
  const [yardsticks, told] = await Promise.all([
    get<Yardsticks>("/api/enhancement/yardsticks"),
    get<{ presets: PresetDescription[] }>("/api/enhancement/presets"),
  ]);
  constants.yardsticks = yardsticks;
  constants.presets = told?.presets ?? null;
  askedConstants = yardsticks !== null && told !== null;
}

/** What the server goes by; asked for at the first call, null until it has answered. */
export function yardsticks(): Yardsticks | null {
  void askConstants();
  return constants.yardsticks;
}

/** The presets and what each moves; null until the server has answered. */
export function presets(): PresetDescription[] | null {
  void askConstants();
  return constants.presets;
}

/** The plan that a track would be mastered by. */
export function planFor(id: number, mastering: Mastering): Promise<MasteringPlan | null> {
  const { preset, intensity, level } = mastering;
  return get<MasteringPlan>(`/api/tracks/${id}/plan?preset=${preset}&intensity=${intensity}&level=${level}`);
}
