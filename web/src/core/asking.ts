/** What the server is asked for, and whether a stream that starts is the answer. */

import type { Request, StreamStart } from "./messages";
import type { Mastering, Track } from "./types";

/**
 * `fresh` instead of what sounds; `switch` another sound of what sounds; `follow` behind the end of what sounds;
 * `resume` the rest of what sounds, after the connection was lost.
 */
export type Kind = "fresh" | "switch" | "follow" | "resume";

export interface Asked {
  kind: Kind;
  track: Track;
  /** seconds */
  position: number;
  mastering: Mastering;
  /** the track that has just played: its end is rendered into the beginning of this one */
  after: number | null;
}

/** The request; where the server plays `latest` already, a switch needs to name only what is new. */
export function requestFor(asked: Asked, latest: Asked | null): Request {
  const { track, position, mastering } = asked;
  const sound = {
    preset: mastering.preset,
    intensity: mastering.intensity,
    level_match: mastering.levelMatch,
  };
  const sameLevel = latest?.mastering.level === mastering.level;
  if (asked.kind === "switch" && latest?.track.id === track.id && sameLevel) {
    return { type: "set_enhancement", data: { enabled: mastering.enabled, position, ...sound } };
  }
  const where = { track_id: track.id, start_position: position };
  if (!mastering.enabled)
    return { type: "play_normal", data: { ...where, level_match: mastering.levelMatch } };
  const after = asked.after === null ? {} : { after_track_id: asked.after };
  return { type: "play_enhanced", data: { ...where, ...sound, level: mastering.level, ...after } };
}

const SAME_PLACE_S = 0.002;

/**
 * Whether `start` begins what was asked for last. The server answers each request, and those before the last may
 * still be on their way; two that are alike in all of this sound alike.
 */
export function answers(start: StreamStart, { track, position, mastering }: Asked): boolean {
  if (start.track_id !== track.id || Math.abs(start.start_position - position) > SAME_PLACE_S) return false;
  if (!mastering.enabled) return start.stream_type === "normal";
  const sameIntensity = Math.abs(start.intensity - mastering.intensity) < 1e-6;
  return start.stream_type === "enhanced" && sameIntensity && start.preset === mastering.preset;
}
