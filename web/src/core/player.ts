/** The player: the queue, the listener's wishes and what is shown of it all; the sound is the way's. */

import type { Kept } from "./memory";
import * as queues from "./queue";
import { fresh, Shown, tracksOf } from "./shown";
import type { Mastering, Moment, Notice, Player, PlayerState, Repeat, Snapshot, Track } from "./types";
import type { Facts, FailedWhen, Failure, SoundState, SoundWay, WayListener } from "./way";

const RESTART_RATHER_THAN_BACK_S = 3;
/** A seek to the very end would have nothing to play. */
const LAST_S = 0.1;
const STILL: Moment = { position: 0, buffered: 0, meter: null, highestTruePeakDbtp: null, clipped: false };

/** What happens after a change that the listener made. */
export interface PlayerEvents {
  /** The listener chose another sound. */
  masteringChosen(mastering: Mastering): void;
  /** Something that the next visit wants to know has changed. */
  worthKeeping(): void;
}

export class ListeningPlayer extends Shown implements Player {
  private queue = queues.EMPTY;
  /** Where it goes on when it is let go on, where the way holds nothing; seconds. */
  private parked: number | null = null;
  /** Tracks that could not be played since the last one that could. */
  private failures = 0;
  /** What the listener has set on this page. */
  private chosen: Partial<Mastering> = {};
  private way!: SoundWay;

  constructor(
    known: Pick<Snapshot, "volume" | "muted" | "mastering">,
    private readonly events: PlayerEvents,
    private readonly chance: queues.Chance = Math.random,
  ) {
    super(known);
  }

  /** Gives it its voice, or another one: `wayReason` says why it is not the worklet. */
  voice(open: (listener: WayListener) => SoundWay, wayReason: string | null): void {
    this.way = open({
      following: (steps) => this.following(steps),
      state: (state) => {
        this.soundState(state);
      },
      facts: (facts) => {
        this.facts(facts);
      },
      entered: () => {
        this.entered();
      },
      ended: () => {
        this.trackOver();
      },
      failed: (track, failure, when) => {
        this.trackFailed(track, failure, when);
      },
      underruns: (underruns) => {
        this.update({ underruns });
      },
      blocked: (blocked) => {
        this.blocked(blocked);
      },
      told: (text) => {
        this.tell({ text, code: null, wayOn: null });
      },
      interrupted: () => {
        this.pause();
      },
    });
    const { volume, muted } = this.snapshot;
    this.way.setGain(muted ? 0 : volume ** 2);
    this.update({ way: this.way.kind, wayReason, outputRate: this.way.outputRate });
  }

  get analyser(): AnalyserNode | null {
    return this.way.analyser;
  }

  moment(): Moment {
    return this.parked === null ? this.way.moment() : { ...STILL, position: this.parked };
  }

  // ---- playing -----------------------------------------------------------------------------------

  play(tracks: readonly Track[], index = 0, position = 0): void {
    this.setQueue(queues.replaced(this.queue, tracks, index, this.chance));
    this.failures = 0;
    if (this.queue.index < 0) this.stop();
    else this.begin(position);
  }

  jump(index: number): void {
    if (!this.queue.entries[index]) return;
    this.failures = 0;
    this.setQueue({ ...this.queue, index });
    this.begin(0);
  }

  toggle(): void {
    if (this.snapshot.state === "paused" || this.snapshot.state === "idle") this.resume();
    else this.pause();
  }

  pause(): void {
    if (this.parked === null && this.snapshot.state !== "idle") this.way.pause();
    this.events.worthKeeping();
  }

  resume(): void {
    if (this.parked !== null) this.begin(this.parked);
    else if (this.snapshot.state === "paused") this.way.resume();
    else if (this.snapshot.state === "idle") this.begin(0);
  }

  stop(): void {
    this.way.stop();
    this.parked = null;
    this.update({ notice: null });
    this.events.worthKeeping();
  }

  seek(position: number): void {
    const track = queues.current(this.queue);
    if (!track) return;
    const end = Math.max(0, (this.snapshot.duration || track.duration) - LAST_S);
    const wanted = Math.max(0, Math.min(position, end));
    if (this.parked !== null || this.snapshot.state === "idle") this.park(wanted);
    else this.way.start(track, wanted, this.snapshot.mastering, this.snapshot.state !== "paused");
  }

  next(): void {
    const place = queues.following(this.queue, false);
    if (place >= 0) this.jump(place);
  }

  previous(): void {
    const back = this.moment().position < RESTART_RATHER_THAN_BACK_S;
    const place = back ? queues.preceding(this.queue) : this.queue.index;
    if (place >= 0) this.jump(place);
  }

  /** Stands silent where an earlier visit has left it. */
  restore({ tracks, index, position, repeat }: Kept): void {
    this.queue = queues.replaced({ ...this.queue, repeat }, tracks, index, this.chance);
    this.park(position);
  }

  private park(position: number): void {
    const track = queues.current(this.queue);
    this.parked = track ? position : null;
    this.update({ ...this.queueShown(), state: track ? "paused" : "idle", duration: track?.duration ?? 0 });
    this.events.worthKeeping();
  }

  private begin(position: number): void {
    const track = queues.current(this.queue);
    if (!track) return;
    this.parked = null;
    const blocked = this.snapshot.notice?.wayOn === "allow-sound";
    this.update({ ...this.queueShown(), ...fresh(track), ...(blocked ? {} : { notice: null }) });
    this.way.start(track, position, this.snapshot.mastering, true);
    this.events.worthKeeping();
  }

  // ---- the queue ---------------------------------------------------------------------------------

  playNext(tracks: readonly Track[]): void {
    this.rearrange(queues.insertedNext(this.queue, tracks));
  }

  enqueue(tracks: readonly Track[]): void {
    this.rearrange(queues.appended(this.queue, tracks));
  }

  move(from: number, to: number): void {
    this.rearrange(queues.moved(this.queue, from, to));
  }

  remove(index: number): void {
    const playing = index === this.queue.index;
    const silent = this.parked !== null || this.snapshot.state === "paused" || this.snapshot.state === "idle";
    this.rearrange(queues.removed(this.queue, index));
    if (!playing) return;
    this.way.stop();
    if (silent || this.queue.index < index) this.park(0);
    else this.begin(0);
  }

  clear(): void {
    this.rearrange(queues.cleared(this.queue));
  }

  setShuffle(on: boolean): void {
    this.rearrange(queues.withShuffle(this.queue, on, this.chance));
  }

  setRepeat(repeat: Repeat): void {
    this.rearrange({ ...this.queue, repeat });
  }

  private rearrange(queue: queues.Queue): void {
    this.setQueue(queue);
    this.way.followingChanged();
    this.events.worthKeeping();
  }

  private setQueue(queue: queues.Queue): void {
    this.queue = queue;
    this.update(this.queueShown());
  }

  private queueShown(): Pick<Snapshot, "queue" | "index" | "track" | "shuffle" | "repeat"> {
    const { entries, index, shuffle, repeat } = this.queue;
    return { queue: tracksOf(entries), index, track: queues.current(this.queue), shuffle, repeat };
  }

  private following(steps: number): Track | null {
    let queue = this.queue;
    for (let n = 0; n < steps; n++) {
      queue = { ...queue, index: queues.following(queue, true) };
      if (queue.index < 0) return null;
    }
    return queues.current(queue);
  }

  // ---- how it sounds -----------------------------------------------------------------------------

  setMastering(change: Partial<Mastering>): void {
    this.chosen = { ...this.chosen, ...change };
    const mastering = { ...this.snapshot.mastering, ...change };
    this.update({ mastering });
    if (this.parked === null && this.snapshot.state !== "idle") this.way.change(mastering);
    this.events.masteringChosen(mastering);
    this.events.worthKeeping();
  }

  /** The taste that the server keeps; what the listener has set on this page goes before it. */
  prefer(preferred: Partial<Mastering>): void {
    const mastering = { ...this.snapshot.mastering, ...preferred, ...this.chosen };
    if (JSON.stringify(mastering) === JSON.stringify(this.snapshot.mastering)) return;
    this.update({ mastering });
    if (this.parked === null && this.snapshot.state !== "idle") this.way.change(mastering);
  }

  setVolume(volume: number): void {
    this.update({ volume: Math.max(0, Math.min(1, volume)) });
    this.applyGain();
  }

  setMuted(muted: boolean): void {
    this.update({ muted });
    this.applyGain();
  }

  private applyGain(): void {
    const { volume, muted } = this.snapshot;
    this.way.setGain(muted ? 0 : volume ** 2);
    this.events.worthKeeping();
  }

  // ---- notices -----------------------------------------------------------------------------------

  answerNotice(accept: boolean): void {
    const { notice } = this.snapshot;
    this.update({ notice: null });
    if (!notice || !accept) return;
    if (notice.wayOn === "skip") this.next();
    else if (notice.wayOn === "allow-sound") this.way.wake();
    else if (notice.wayOn === "retry") this.begin(this.parked ?? 0);
  }

  tell(notice: Notice): void {
    this.update({ notice });
  }

  // ---- what the way tells ------------------------------------------------------------------------

  private soundState(state: SoundState): void {
    if (state === "playing") this.failures = 0;
    this.update({ state: state satisfies PlayerState });
  }

  private facts(facts: Facts): void {
    const duration = facts.duration ?? this.snapshot.track?.duration ?? 0;
    this.update({ ...facts, duration });
  }

  private entered(): void {
    const index = queues.following(this.queue, true);
    if (index < 0) return;
    this.setQueue({ ...this.queue, index });
    this.update({ progress: null });
    this.events.worthKeeping();
  }

  private trackOver(): void {
    const place = queues.following(this.queue, true);
    if (place >= 0) {
      this.setQueue({ ...this.queue, index: place });
      this.begin(0);
    } else {
      this.park(0);
    }
  }

  /** A track that came by itself is passed over, as long as others are left that may be whole. */
  private trackFailed(track: Track, failure: Failure, when: FailedWhen): void {
    if (when === "following")
      this.setQueue({ ...this.queue, index: Math.max(0, queues.following(this.queue, true)) });
    const byItself = when !== "asked" || this.failures > 0;
    const place = queues.following(this.queue, false);
    this.failures++;
    if (byItself && failure.ofTrack && place >= 0 && this.failures < this.queue.entries.length) {
      this.setQueue({ ...this.queue, index: place });
      this.begin(0);
      this.tell({ text: `${track.title}: ${failure.text}`, code: failure.code, wayOn: null });
      return;
    }
    this.park(0);
    const wayOn = failure.ofTrack ? (place >= 0 ? "skip" : null) : "retry";
    this.tell({ text: failure.text, code: failure.code, wayOn });
  }

  private blocked(blocked: boolean): void {
    if (blocked) {
      const text = "Your browser lets no sound out of this page before you have clicked on it.";
      this.tell({ text, code: null, wayOn: "allow-sound" });
    } else if (this.snapshot.notice?.wayOn === "allow-sound") {
      this.update({ notice: null });
    }
  }
}
