/** What the player needs of whatever makes the sound: the worklet's lanes, or an <audio> element. */

import type { MasteringPlan, MasteringState, Moment, Mastering, Track, Way as Kind } from "./types";

/** What is known of the sound that is heard. */
export interface Facts {
  /** seconds; null while nothing has been said of it */
  duration: number | null;
  durationExact: boolean;
  masteringState: MasteringState | null;
  plan: MasteringPlan | null;
  levelMatchGainDb: number | null;
  streamRate: number | null;
}

export const NO_FACTS: Facts = {
  duration: null,
  durationExact: false,
  masteringState: null,
  plan: null,
  levelMatchGainDb: null,
  streamRate: null,
};

/** Why a track does not play. */
export interface Failure {
  text: string;
  code: string;
  /** Whether it lies in the track: another one may well play. */
  ofTrack: boolean;
}

/** As soon as it was asked for, in its middle, or when it was to follow what has come to its end. */
export type FailedWhen = "asked" | "playing" | "following";

export type SoundState = "idle" | "loading" | "playing" | "paused" | "reconnecting";

export interface WayListener {
  /** What is to be heard `steps` tracks behind what is heard now. */
  following(steps: number): Track | null;
  state(state: SoundState): void;
  facts(facts: Facts): void;
  /** What followed is heard now. */
  entered(track: Track): void;
  /** All was heard, and nothing followed. */
  ended(): void;
  failed(track: Track, failure: Failure, when: FailedWhen): void;
  underruns(count: number): void;
  /** The browser wants a gesture before it lets sound out; or has had one. */
  blocked(blocked: boolean): void;
  /** A sentence that the listener should know. */
  told(text: string): void;
  /** Something else took the sound away. */
  interrupted(): void;
}

/** Makes sound of tracks. Every method returns at once. */
export interface SoundWay {
  readonly kind: Kind;
  readonly analyser: AnalyserNode | null;
  readonly outputRate: number | null;
  /** Plays this, and nothing that was asked for before. */
  start(track: Track, position: number, mastering: Mastering, running: boolean): void;
  /** The same music in another sound, without a gap. */
  change(mastering: Mastering): void;
  pause(): void;
  resume(): void;
  stop(): void;
  /** What `following` says may have changed. */
  followingChanged(): void;
  /** 0..1 */
  setGain(gain: number): void;
  moment(): Moment;
  /** A gesture was made: sound may come out from now on. */
  wake(): void;
  /** The server can be reached again; or not. */
  opened(): void;
  lost(): void;
}
