/**
 * What the sound's own thread does: plays one lane, and passes over to the next one without a gap or a click.
 *
 * A lane is a run of frames at the output's rate, numbered from 0, of which nobody here knows what tracks they
 * are. Where a new lane has a known offset to the one that sounds, it waits beside it and takes over at the frame
 * that belongs there, in a crossfade. Otherwise what sounds is faded out at once.
 *
 *     fade: g[n] = sin^2(pi n / 2N), with g[n] + g[N - n] = 1; at g[N] = 1 samples pass bit for bit
 *
 * `render` allocates nothing.
 */

import { Ring } from "./ring";

export const FADE_S = 0.012;
const AFTER_UNDERRUN_S = 0.25;

/** How a lane begins. */
export interface Opening {
  /** Frame n of the lane `of`, if that is the one that sounds, is frame n + offset of this one. */
  offsets: [of: number, offset: number][];
  /** Whether the first frame comes softly: it does where a track begins in its middle. */
  fadeIn: boolean;
}

class Lane {
  id = 0;
  offset = 0;
  ended = false;
  constructor(readonly ring: Ring) {}

  begin(id: number, offset: number): void {
    this.id = id;
    this.offset = offset;
    this.ended = false;
    this.ring.clear();
  }
}

export class Mixer {
  /** how often it ran dry while it should have sounded */
  underruns = 0;
  /** whether frames of the lane go out */
  sounding = false;
  private lane: Lane;
  private waiting: Lane;
  private running = false;
  private level = 0;
  private needed: number;
  private readonly gains: Float32Array;
  private readonly full: number;
  private readonly enoughAfterUnderrun: number;
  private readonly tailLeft: Float32Array;
  private readonly tailRight: Float32Array;
  private tailAt: number;

  /** `capacity` frames for each lane; `rate` of the output in Hz. */
  constructor(capacity: number, rate: number) {
    this.lane = new Lane(new Ring(capacity));
    this.waiting = new Lane(new Ring(capacity));
    this.full = Math.round(FADE_S * rate);
    this.enoughAfterUnderrun = Math.round(AFTER_UNDERRUN_S * rate);
    this.needed = this.full + 1;
    this.gains = new Float32Array(this.full + 1);
    for (let n = 0; n <= this.full; n++) this.gains[n] = Math.sin((Math.PI * n) / (2 * this.full)) ** 2;
    this.gains[this.full] = 1;
    this.tailLeft = new Float32Array(this.full);
    this.tailRight = new Float32Array(this.full);
    this.tailAt = this.full;
  }

  /** The lane that sounds, 0 for none, and the number of its next frame. */
  get laneId(): number {
    return this.lane.id;
  }

  get frame(): number {
    return this.lane.ring.read;
  }

  /** Whether all of a lane that has ended was played. */
  get drained(): boolean {
    return this.lane.ended && this.lane.ring.available === 0;
  }

  open(id: number, opening: Opening): void {
    const known = opening.offsets.find(([of]) => of === this.lane.id);
    if (known && this.lane.id) {
      this.waiting.begin(id, known[1]);
      return;
    }
    this.leave();
    this.waiting.id = 0;
    this.lane.begin(id, 0);
    this.sounding = false;
    this.needed = this.full + 1;
    this.level = opening.fadeIn ? 0 : this.full;
  }

  write(id: number, left: Float32Array, right: Float32Array): void {
    const lane = this.laneOf(id);
    if (!lane) return;
    lane.ended = false;
    lane.ring.write(left, right);
  }

  /** Nothing more comes in this lane, unless it is written to again. */
  end(id: number): void {
    const lane = this.laneOf(id);
    if (lane) lane.ended = true;
  }

  /** Forgets frame number `frame` of the lane and all after it. */
  cut(id: number, frame: number): void {
    this.laneOf(id)?.ring.cut(frame);
  }

  run(on: boolean): void {
    this.running = on;
  }

  /** Silence, softly. */
  drop(): void {
    this.leave();
    this.lane.begin(0, 0);
    this.waiting.id = 0;
    this.sounding = false;
  }

  /** The next frames of the output. */
  render(left: Float32Array, right: Float32Array): void {
    if (this.waiting.id) this.takeOverIfReady();
    for (let n = 0; n < left.length; n++) {
      const gain = this.lane.id ? this.step() : 0;
      const ring = this.lane.ring;
      let outLeft = 0;
      let outRight = 0;
      if (gain > 0) {
        const at = ring.at(ring.read++);
        outLeft = gain * (ring.left[at] as number);
        outRight = gain * (ring.right[at] as number);
      }
      if (this.tailAt < this.full) {
        outLeft += this.tailLeft[this.tailAt] as number;
        outRight += this.tailRight[this.tailAt] as number;
        this.tailAt++;
      }
      left[n] = outLeft;
      right[n] = outRight;
    }
  }

  /** The gain of the lane's next frame, 0 where it does not sound. */
  private step(): number {
    const { ring, ended } = this.lane;
    const available = ring.available;
    if (!this.sounding) {
      if (!this.running || available === 0 || (!ended && available < this.needed)) return 0;
      this.sounding = true;
    }
    if (available === 0) return this.fallSilent();
    // Falling, the level reaches 0 with the last frame that is there.
    const rising = this.running && (ended || available > this.level);
    this.level = rising ? Math.min(this.full, this.level + 1) : this.level - 1;
    return this.level > 0 ? (this.gains[this.level] as number) : this.fallSilent();
  }

  private fallSilent(): number {
    this.sounding = false;
    if (this.running && !this.lane.ended) {
      this.underruns++;
      this.needed = this.enoughAfterUnderrun;
      this.level = 0;
    }
    return 0;
  }

  private laneOf(id: number): Lane | null {
    if (this.lane.id === id) return this.lane;
    return this.waiting.id === id ? this.waiting : null;
  }

  private takeOverIfReady(): void {
    const { lane: old, waiting: next } = this;
    const frame = old.ring.read + next.offset;
    // A lane that begins later than what sounds waits for that moment, unless it would wait for ever.
    if (frame < 0 && this.sounding) return;
    const enough = next.ring.written > frame + this.full || next.ended;
    const starved = old.ring.available === 0 && next.ring.written > frame;
    if (!enough && !starved) return;
    this.leave();
    next.ring.skipTo(Math.max(0, frame));
    this.lane = next;
    this.waiting = old;
    old.id = 0;
    this.level = 0;
    this.needed = 1;
  }

  /** Puts what sounds now, faded out, into the tail. */
  private leave(): void {
    const ring = this.lane.ring;
    for (let n = 0; n < this.full; n++) {
      const before = this.tailAt + n;
      const tail = before < this.full;
      let left = tail ? (this.tailLeft[before] as number) : 0;
      let right = tail ? (this.tailRight[before] as number) : 0;
      const level = Math.min(this.full, this.level + n);
      if (this.lane.id && this.sounding && n < ring.available) {
        const gain = this.gains[level] as number;
        const at = ring.at(ring.read + n);
        left += gain * (ring.left[at] as number);
        right += gain * (ring.right[at] as number);
      }
      const fall = 1 - (this.gains[n + 1] as number);
      this.tailLeft[n] = left * fall;
      this.tailRight[n] = right * fall;
    }
    this.tailAt = 0;
  }
}
