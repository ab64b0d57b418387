/** What the player says to whoever shows it. Nothing here knows how it is shown. */

/** A track as the server lists it (`GET /api/library/tracks`). */
export interface Track {
  id: number;
  title: string;
  artist: string | null;
  artists: string[];
  album: string | null;
  album_id: number | null;
  track_number: number | null;
  disc_number: number | null;
  year: number | null;
  genres: string[];
  /** seconds */
  duration: number;
  /** Hz */
  sample_rate: number;
  channels: number;
  bit_depth: number | null;
  format: string;
  /** bit/s */
  bitrate: number | null;
  /** bytes */
  filesize: number;
  artwork_url: string | null;
  favorite: boolean;
  play_count: number;
  fingerprint_status: "pending" | "complete" | "error";
  created_at: string;
  updated_at: string;
}

export type Preset = "adaptive" | "gentle" | "warm" | "bright" | "punchy" | "live";
export type Level = "track" | "album";
export type MasteringState = "fingerprint" | "provisional" | "standard" | "none";
export type Policy = "restore" | "preserve" | "master";

/** What the listener wants done to the sound. */
export interface Mastering {
  /** false: the original */
  enabled: boolean;
  preset: Preset;
  /** 0..1 */
  intensity: number;
  level: Level;
  /** Original and mastered at equal loudness: the honest switch. */
  levelMatch: boolean;
}

/** One parameter of a plan, with its reason. */
export interface Parameter {
  value: number | Record<string, number>;
  unit: string;
  reason: string;
}

/** The message `mastering_plan`, or `GET /api/tracks/{id}/plan` (which has no epoch). */
export interface MasteringPlan {
  track_id: number;
  stream_epoch?: number;
  state: MasteringState;
  preset: Preset | "none";
  intensity: number;
  bypass: boolean;
  level?: Level;
  level_match_gain_db?: number | null;
  lwrp: {
    class: Policy;
    weights: Record<Policy, number>;
    amount: number;
    reason: string;
  } | null;
  parameters: Record<string, Parameter>;
  measured: Record<string, number | null>;
  predicted: { lufs: number | null; true_peak_dbtp: number | null; plr_db: number | null } | null;
}

/** One side of the meter: null is silence. */
export interface Reading {
  true_peak_dbtp: number | null;
  short_term_lufs: number | null;
}

/** What is heard now: the server's meter of the frame that sounds. */
export interface Meter {
  /** what the limiter takes off, dB >= 0 */
  gain_reduction_db: number;
  before: Reading;
  after: Reading;
}

export interface Notice {
  /** a sentence for people */
  text: string;
  code: string | null;
  /** what would help, if anything: the page offers it as a button */
  wayOn: "retry" | "skip" | "allow-sound" | null;
}

/** How the sound leaves this page. */
export type Way = "worklet" | "element";

/**
 * `idle` nothing is asked for; `loading` asked for and not heard yet (after a play, a seek or an underrun); `playing`;
 * `paused`; `reconnecting` the server is out of reach: what is buffered still sounds, then it goes on where it was.
 */
export type PlayerState = "idle" | "loading" | "playing" | "paused" | "reconnecting";

export type Repeat = "off" | "all" | "one";

/** All that can be shown of the player at one moment. A new object for each change. */
export interface Snapshot {
  state: PlayerState;
  way: Way;
  /** why it is not the worklet, in a sentence; null where it is */
  wayReason: string | null;
  /** whether the socket is open */
  connected: boolean;
  track: Track | null;
  /** what is to be played, in the order in which it is played */
  queue: readonly Track[];
  /** the place of `track` in `queue`, -1 if there is none */
  index: number;
  shuffle: boolean;
  repeat: Repeat;
  /** seconds; exact when `durationExact` */
  duration: number;
  durationExact: boolean;
  mastering: Mastering;
  /** what the server says of the stream that sounds; null before it has said anything */
  masteringState: MasteringState | null;
  plan: MasteringPlan | null;
  /** dB <= 0, null where nothing is matched */
  levelMatchGainDb: number | null;
  /** the last `fingerprint_progress` of this track */
  progress: { status: "cached" | "analyzing" | "complete" | "failed"; message: string } | null;
  /** Hz of the stream, and of what the page puts out: resampled here where they differ */
  streamRate: number | null;
  outputRate: number | null;
  /** 0..1, as the listener's control stands (its square is the gain) */
  volume: number;
  muted: boolean;
  /** how often the output ran dry while it should have sounded */
  underruns: number;
  notice: Notice | null;
}

/** What changes many times a second: read it on an animation frame, it is not announced. */
export interface Moment {
  /** seconds from the track's beginning of the sample that is heard now */
  position: number;
  /** seconds that are here and not yet heard */
  buffered: number;
  meter: Meter | null;
  /** the highest true peak that this stream has put out so far, dBTP, and whether it ever passed 0 */
  highestTruePeakDbtp: number | null;
  clipped: boolean;
}

/** The player: one per page. Every method returns at once; what comes of it is in the next snapshot. */
export interface Player {
  readonly snapshot: Snapshot;
  /** Calls `listener` after each change; returns what ends that. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  moment(): Moment;
  /** The analyser behind the volume-independent output, for pictures; null before the first sound. */
  readonly analyser: AnalyserNode | null;
  /** News of the server that are not of playing: scans and changes of the library. */
  onNews(listener: (news: News) => void): () => void;

  /** Replaces the queue and plays from its `index`, at `position` seconds. */
  play(tracks: readonly Track[], index?: number, position?: number): void;
  /** Plays what stands at this place of the queue. */
  jump(index: number): void;
  toggle(): void;
  pause(): void;
  resume(): void;
  stop(): void;
  seek(position: number): void;
  next(): void;
  /** The track's beginning, or the track before when less than 3 s were heard. */
  previous(): void;

  playNext(tracks: readonly Track[]): void;
  enqueue(tracks: readonly Track[]): void;
  /** `from` and `to` are places in the queue. */
  move(from: number, to: number): void;
  remove(index: number): void;
  clear(): void;
  setShuffle(on: boolean): void;
  setRepeat(repeat: Repeat): void;

  /** Changes what is given, heard at once and without a gap. */
  setMastering(change: Partial<Mastering>): void;
  setVolume(volume: number): void;
  setMuted(muted: boolean): void;
  /** Forgets the notice, having done what it offers if `accept`. */
  answerNotice(accept: boolean): void;
}

/** `scan_progress`, `scan_complete`, `library_updated`, as protocol.md has them; `connected` after each (re)connection. */
export type News =
  | {
      type: "scan_progress";
      data: { current: number; total: number; percentage: number; current_file: string; phase: string };
    }
  | {
      type: "scan_complete";
      data: {
        files_processed: number;
        files_added: number;
        files_updated: number;
        files_skipped: number;
        files_missing: number;
        files_failed: number;
        failures: { file: string; code: string; message: string }[];
        duration: number;
      };
    }
  | { type: "library_updated"; data: { reason: string; count: number } }
  | { type: "connected" };
