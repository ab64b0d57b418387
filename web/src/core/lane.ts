/** One lane as the page sees it: the streams that lie in it, one behind the other, and what of it was sent on. */

import type { ChunkMeta, StreamStart } from "./messages";
import type { LaneOutput } from "./output";
import { Resampler, type Stereo } from "./resample";
import { Stream } from "./stream";
import type { Track } from "./types";

/** What can be gone back to: the lane as it was before a stream was put behind its end. */
interface Joint {
  resampler: Resampler;
  written: number;
}

export class Lane {
  readonly streams: Stream[] = [];
  private readonly backlog: Stereo[] = [];
  private resampler: Resampler;
  /** one less than there are streams */
  private readonly joints: Joint[] = [];
  private isClosed = false;
  /** Frames made, and frames given to the output. */
  private written = 0;
  private posted = 0;
  private read = 0;

  /**
   * Opens the lane with a stream that comes in it first. Where it is another sound of the track that `heardIn`
   * plays, it takes over from there without a gap; else that is left at once.
   */
  constructor(
    readonly id: number,
    private readonly output: LaneOutput,
    track: Track,
    start: StreamStart,
    heardIn: readonly Lane[],
    fadeIn: boolean,
  ) {
    const resampler = new Resampler(start.sample_rate, output.rate);
    const first = Math.round(start.start_position * start.sample_rate);
    const like = heardIn
      .map((lane) => lane.streamOf(track))
      .find((stream) => stream?.rate === start.sample_rate);
    const tick = like ? tickOnGridOf(like, first, resampler) : 0;
    this.resampler = new Resampler(start.sample_rate, output.rate, tick);
    const stream = new Stream(
      track,
      start,
      0,
      tick / (resampler.sourceStep * start.sample_rate),
      output.rate,
    );
    this.streams.push(stream);
    const offsets = like ? heardIn.flatMap((lane) => lane.offsetTo(stream)) : [];
    output.order({ do: "open", lane: id, opening: { offsets, fadeIn } });
  }

  get last(): Stream {
    return this.streams[this.streams.length - 1] as Stream;
  }

  /** Seconds that are here and not yet played. */
  get buffered(): number {
    return (this.written - this.read) / this.output.rate;
  }

  /** Whether nothing follows in it. */
  get closed(): boolean {
    return this.isClosed;
  }

  /** The first frame that has not been played, as last reported. */
  get playedTo(): number {
    return this.read;
  }

  streamAt(frame: number): Stream {
    return this.streams.findLast((stream) => stream.laneFrom <= frame) ?? (this.streams[0] as Stream);
  }

  /**
   * A stream behind the end of the last one; the sound of the two is in one piece. It `follows` where it is another
   * play, and otherwise is the rest of the last one.
   */
  append(track: Track, start: StreamStart, follows: boolean): Stream {
    const last = this.last;
    this.joints.push({ resampler: this.resampler.clone(), written: this.written });
    if (start.sample_rate !== last.rate) {
      this.give(this.resampler.finish());
      const next = new Resampler(start.sample_rate, this.output.rate);
      const lateS = this.resampler.overhang / (this.resampler.sourceStep * last.rate);
      const tick = Math.round(lateS * start.sample_rate * next.sourceStep);
      this.resampler = new Resampler(start.sample_rate, this.output.rate, tick);
    }
    // Frames up to the joint still wait in the resampler: the next one begins behind them.
    const waiting = Math.max(0, Math.ceil(-this.resampler.overhang / this.resampler.outputStep));
    const late = this.resampler.overhang + waiting * this.resampler.outputStep;
    const offsetS = late / (this.resampler.sourceStep * start.sample_rate);
    const stream = new Stream(track, start, this.written + waiting, offsetS, this.output.rate, follows);
    this.streams.push(stream);
    return stream;
  }

  /** Forgets the streams from place `first` on, of which nothing may have been played. */
  dropFrom(first: number): void {
    const joint = this.joints[first - 1];
    if (!joint) throw new RangeError(`no stream was put behind another at ${first}`);
    this.joints.length = first - 1;
    this.streams.length = first;
    this.resampler = joint.resampler;
    this.written = joint.written;
    let kept = this.posted;
    for (let n = 0; n < this.backlog.length; n++) {
      const block = this.backlog[n] as Stereo;
      const fits = Math.max(0, Math.min(block[0].length, this.written - kept));
      this.backlog[n] = [block[0].slice(0, fits), block[1].slice(0, fits)];
      kept += fits;
    }
    this.posted = Math.min(this.posted, this.written);
    this.output.order({ do: "cut", lane: this.id, frame: this.written });
  }

  /** Samples of the last stream, interleaved. */
  take(meta: ChunkMeta, samples: Float32Array): void {
    const stream = this.last;
    const from = this.written;
    const [left, right] = apart(samples, stream.channels);
    stream.received += left.length;
    this.give(this.resampler.push(left, right));
    stream.metered(Math.max(from, stream.laneFrom), this.written, meta.meter);
  }

  planned(plan: Parameters<Stream["planned"]>[0]): void {
    this.last.planned(plan, this.written);
  }

  /** Nothing follows: what is here is played to its end. */
  close(): void {
    this.isClosed = true;
    this.give(this.resampler.finish());
    this.endIfAllSent();
  }

  played(frame: number): void {
    this.read = frame;
    this.pump();
    this.endIfAllSent();
  }

  /** The latest stream of a track that lies here. */
  private streamOf(track: Track): Stream | undefined {
    return this.streams.findLast((stream) => stream.track.id === track.id);
  }

  /** How much larger the number of a frame is in the lane of `other`, another sound of a track that is here. */
  private offsetTo(other: Stream): [lane: number, offset: number][] {
    const same = this.streamOf(other.track);
    if (!same) return [];
    const apartS = same.position(same.laneFrom) - other.position(other.laneFrom);
    return [[this.id, Math.round(apartS * this.output.rate) - same.laneFrom + other.laneFrom]];
  }

  private endIfAllSent(): void {
    if (this.isClosed && !this.backlog.length) this.output.order({ do: "end", lane: this.id });
  }

  private give(made: Stereo): void {
    if (!made[0].length) return;
    this.written += made[0].length;
    this.backlog.push(made);
    this.pump();
  }

  /** Gives the output what it has room for; the rest waits here. */
  private pump(): void {
    for (let block = this.backlog[0]; block; block = this.backlog[0]) {
      const frames = block[0].length;
      if (this.posted + frames - this.read > this.output.capacity) return;
      this.backlog.shift();
      if (!frames) continue;
      this.posted += frames;
      const [left, right] = block;
      this.output.order({ do: "write", lane: this.id, left, right }, [left.buffer, right.buffer]);
    }
  }
}

/** Where, behind frame number `first` of the track, a frame of the output lies if they lie as those of `like`. */
function tickOnGridOf(like: Stream, first: number, { sourceStep, outputStep, from }: Resampler): number {
  const known = like.firstFrame * sourceStep + Math.round(like.laneOffsetS * sourceStep * from);
  const tick = (known - first * sourceStep) % outputStep;
  return tick < 0 ? tick + outputStep : tick;
}

/** Interleaved samples of one or two channels as two channels. */
function apart(samples: Float32Array, channels: number): Stereo {
  if (channels === 1) return [samples.slice(), samples.slice()];
  const frames = samples.length / 2;
  const left = new Float32Array(frames);
  const right = new Float32Array(frames);
  for (let n = 0; n < frames; n++) {
    left[n] = samples[2 * n] as number;
    right[n] = samples[2 * n + 1] as number;
  }
  return [left, right];
}
