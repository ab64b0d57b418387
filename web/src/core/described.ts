/** What the server says over HTTP of a track's sound: for the way through <audio>, which has no socket for it. */

import type { Fetch } from "./preferences";
import type { Mastering, MasteringPlan, MasteringState, Track } from "./types";
import type { Failure } from "./way";

/** Where the sound is, from `start` seconds on. */
export function soundUrl(track: Track, start: number, mastering: Mastering, format: string): string {
  const asked = new URLSearchParams({ format, ...soundOf(mastering) });
  if (mastering.levelMatch) asked.set("level_match", "true");
  if (start > 0) asked.set("start", String(start));
  return `/api/tracks/${track.id}/audio?${asked.toString()}`;
}

/** On what the sound rests, and the plan if there is one; null where the server cannot say it now. */
export async function describe(
  fetch: Fetch,
  url: string,
  track: Track,
  mastering: Mastering,
): Promise<{ state: MasteringState; plan: MasteringPlan | null } | null> {
  try {
    const head = await fetch(url, { method: "HEAD" });
    const state = head.headers.get("tonearm-state") as MasteringState | null;
    if (!head.ok || !state) return null;
    if (state !== "fingerprint") return { state, plan: null };
    const asked = new URLSearchParams(soundOf(mastering));
    const answer = await fetch(`/api/tracks/${track.id}/plan?${asked.toString()}`);
    return { state, plan: answer.ok ? ((await answer.json()) as MasteringPlan) : null };
  } catch (error) {
    // Out of reach: what plays says so itself.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Why there is no sound at `url`; null where nobody answers, or where there is sound after all. */
export async function whyNot(fetch: Fetch, url: string): Promise<Failure | null> {
  const given = new AbortController();
  try {
    const answer = await fetch(url, { signal: given.signal });
    if (answer.ok) return null;
    const { code, detail } = (await answer.json()) as { code: string; detail: string };
    return { code, text: detail, ofTrack: answer.status === 404 || answer.status === 422 };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  } finally {
    given.abort();
  }
}

/** What a mastered stream is turned down by to be as loud as the original, by what the plan predicts; dB <= 0. */
export function matchGainDb(plan: MasteringPlan): number | null {
  const before = plan.measured["lufs"];
  const after = plan.predicted?.lufs;
  if (before === null || before === undefined || after === null || after === undefined) return null;
  return Math.min(0, before - after);
}

function soundOf({ enabled, preset, intensity, level }: Mastering): Record<string, string> {
  return enabled
    ? { preset, intensity: String(intensity), level }
    : { preset: "none", intensity: String(intensity) };
}
