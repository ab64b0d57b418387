/** What travels on the socket, as protocol.md has it; only what the player goes by. */

import type { MasteringPlan, MasteringState, Meter, News, Preset } from "./types";

export interface StreamStart {
  track_id: number;
  preset: Preset | "none";
  intensity: number;
  sample_rate: number;
  channels: number;
  total_duration: number;
  stream_type: "enhanced" | "normal";
  stream_epoch: number;
  mastering_state: MasteringState;
  start_position: number;
  duration_exact: boolean;
  level_match_gain_db?: number | null;
}

export interface ChunkMeta {
  stream_epoch: number;
  sample_count: number;
  meter: Meter;
}

export interface StreamEnd {
  track_id: number;
  total_samples: number;
  duration: number;
  stream_epoch: number;
  reason: "completed" | "stopped" | "errored";
}

export interface StreamError {
  track_id: number;
  error: string;
  code: string;
  stream_epoch: number;
}

export interface Progress {
  track_id: number;
  status: "cached" | "analyzing" | "complete" | "failed";
  message: string;
}

/** A message of the server that is not of samples. */
export type Said =
  | { type: "audio_stream_start"; data: StreamStart }
  | { type: "audio_stream_end"; data: StreamEnd }
  | { type: "audio_stream_error"; data: StreamError }
  | { type: "mastering_plan"; data: MasteringPlan }
  | { type: "fingerprint_progress"; data: Progress }
  | { type: "error"; error: string; message: string }
  | Exclude<News, { type: "connected" }>;

export interface Request {
  type: string;
  data: Record<string, unknown>;
}
