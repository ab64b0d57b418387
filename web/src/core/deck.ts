/** One <audio> element with a track in it, from some place on. */

import { soundUrl } from "./described";
import type { Mastering, Track } from "./types";

/** As much of an HTMLAudioElement as is used here. */
export type AudioLike = Pick<
  HTMLAudioElement,
  | "src"
  | "currentTime"
  | "buffered"
  | "ended"
  | "paused"
  | "volume"
  | "preload"
  | "readyState"
  | "load"
  | "pause"
  | "play"
  | "addEventListener"
  | "removeAttribute"
>;

const FADE_STEP_MS = 10;
const FADE_STEPS = 6;
/** HAVE_FUTURE_DATA */
const CAN_PLAY = 3;

export class Deck {
  track: Track | null = null;
  mastering: Mastering | null = null;
  url = "";
  /** seconds of the track at which the element's own time is 0 */
  private start = 0;
  private gain = 1;
  private fade = 1;
  private fading: ReturnType<typeof setInterval> | undefined;

  constructor(readonly element: AudioLike) {
    element.preload = "auto";
  }

  /** Seconds from the track's beginning. */
  get position(): number {
    return this.start + this.element.currentTime;
  }

  /** Seconds that are here and not yet heard. */
  get buffered(): number {
    const { buffered, currentTime } = this.element;
    return buffered.length ? Math.max(0, buffered.end(buffered.length - 1) - currentTime) : 0;
  }

  get ready(): boolean {
    return this.element.readyState >= CAN_PLAY;
  }

  open(track: Track, start: number, mastering: Mastering, format: string): void {
    this.track = track;
    this.mastering = mastering;
    this.start = start;
    this.url = soundUrl(track, start, mastering, format);
    this.element.src = this.url;
    this.element.load();
  }

  close(): void {
    if (!this.track) return;
    this.track = null;
    this.url = "";
    this.element.pause();
    // Without a source the element lets go of its connection, and of the server's place for it.
    this.element.removeAttribute("src");
    this.element.load();
  }

  setGain(gain: number): void {
    this.gain = gain;
    this.element.volume = gain * this.fade;
  }

  /** To full level, or to none and then closed, within some hundredths of a second. */
  fadeTo(level: 0 | 1): void {
    clearInterval(this.fading);
    this.fading = setInterval(() => {
      const step = 1 / FADE_STEPS;
      this.fade = Math.max(0, Math.min(1, this.fade + (level ? step : -step)));
      this.element.volume = this.gain * this.fade;
      if (this.fade !== level) return;
      clearInterval(this.fading);
      if (!level) this.close();
    }, FADE_STEP_MS);
  }

  /** At full level, or at none, from now on. */
  setFade(level: 0 | 1): void {
    clearInterval(this.fading);
    this.fade = level;
    this.element.volume = this.gain * level;
  }
}
