/** One stream's book: what it is, where in its lane its frames lie, and what was said of them. */

import type { StreamEnd, StreamStart } from "./messages";
import type { MasteringPlan, MasteringState, Meter, Track } from "./types";

/** What is said of frames of a lane, from number `from` up to `to`. */
interface Metered {
  from: number;
  to: number;
  meter: Meter;
}

/** From this frame of the lane on, this is in force. */
interface Planned {
  from: number;
  plan: MasteringPlan;
}

export class Stream {
  readonly epoch: number;
  readonly rate: number;
  readonly channels: number;
  /** the number, in the track, of the first frame that comes */
  readonly firstFrame: number;
  readonly levelMatchGainDb: number | null;
  readonly startState: MasteringState;
  /** Frames of the source that have come. */
  received = 0;
  complete = false;
  broken = false;
  duration: number;
  durationExact: boolean;
  highestTruePeakDbtp: number | null = null;
  clipped = false;
  private readonly plans: Planned[] = [];
  private readonly meters: Metered[] = [];

  /**
   * `laneFrom` is the number, in its lane, of its first frame at the output's rate, and `laneOffsetS` how far
   * behind the stream's first sample that lies, seconds (less than a frame of the output). `follows`: another play
   * than that of the stream before it in the lane.
   */
  constructor(
    readonly track: Track,
    start: StreamStart,
    readonly laneFrom: number,
    readonly laneOffsetS: number,
    private readonly outputRate: number,
    readonly follows = false,
  ) {
    this.epoch = start.stream_epoch;
    this.rate = start.sample_rate;
    this.channels = start.channels;
    this.firstFrame = Math.round(start.start_position * start.sample_rate);
    this.levelMatchGainDb = start.level_match_gain_db ?? null;
    this.startState = start.mastering_state;
    this.duration = start.total_duration;
    this.durationExact = start.duration_exact;
  }

  /** Seconds from the track's beginning of a frame of the lane. */
  position(laneFrame: number): number {
    const since = Math.max(0, laneFrame - this.laneFrom) / this.outputRate;
    return this.firstFrame / this.rate + this.laneOffsetS + since;
  }

  /** Seconds from the track's beginning of the first frame that has not come. */
  get reached(): number {
    return (this.firstFrame + this.received) / this.rate;
  }

  planned(plan: MasteringPlan, laneFrame: number): void {
    this.plans.push({ from: this.plans.length ? laneFrame : this.laneFrom, plan });
  }

  metered(from: number, to: number, meter: Meter): void {
    this.meters.push({ from, to, meter });
  }

  /** Takes an end as the server tells it. */
  ended(end: StreamEnd): void {
    this.complete = end.reason === "completed";
    this.broken = !this.complete;
    if (this.complete) {
      this.duration = end.duration;
      this.durationExact = true;
    }
  }

  planAt(laneFrame: number): MasteringPlan | null {
    return this.plans.findLast((one) => one.from <= laneFrame)?.plan ?? this.plans[0]?.plan ?? null;
  }

  /** The meter of this frame of the lane; what came before it is counted as heard and forgotten. */
  meterAt(laneFrame: number): Meter | null {
    for (let first = this.meters[0]; first && first.from <= laneFrame; first = this.meters[0]) {
      this.count(first.meter);
      if (first.to > laneFrame) return first.meter;
      this.meters.shift();
    }
    return null;
  }

  private count(meter: Meter): void {
    const peak = meter.after.true_peak_dbtp;
    if (peak === null) return;
    this.highestTruePeakDbtp = Math.max(this.highestTruePeakDbtp ?? peak, peak);
    this.clipped ||= peak > 0;
  }
}
