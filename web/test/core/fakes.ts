/** What stands at the ports in tests: an output that renders with the real mixer, and a server that is scripted. */

import type { StreamStart } from "../../src/core/messages";
import { Mixer } from "../../src/core/mixer";
import type { Order, Report } from "../../src/core/orders";
import type { Heard, LaneOutput } from "../../src/core/output";
import type { Meter, Track } from "../../src/core/types";
import type { Facts, FailedWhen, Failure, SoundState, WayListener } from "../../src/core/way";
import { joined } from "./signals";

export const RATE = 48_000;

export function track(id: number): Track {
  const nothing = {
    artist: null,
    artists: [],
    album: null,
    album_id: null,
    track_number: null,
    disc_number: null,
  };
  const file = {
    year: null,
    genres: [],
    bit_depth: 16,
    format: "flac",
    bitrate: null,
    filesize: 1,
    artwork_url: null,
  };
  const sound = { duration: 100, sample_rate: RATE, channels: 2 };
  const known = {
    favorite: false,
    play_count: 0,
    fingerprint_status: "complete" as const,
    created_at: "",
    updated_at: "",
  };
  return { id, title: `Track ${String(id)}`, ...nothing, ...file, ...sound, ...known };
}

/** Plays with the page's own mixer, as fast as it is told to. */
export class FakeOutput implements LaneOutput {
  readonly rate = RATE;
  readonly capacity = 20 * RATE;
  readonly analyser = null;
  readonly mixer = new Mixer(this.capacity, RATE);
  readonly played: Float32Array[] = [];
  onReport: (report: Report) => void = () => undefined;
  onBlocked: (blocked: boolean) => void = () => undefined;
  onInterrupted: () => void = () => undefined;

  order(order: Order): void {
    if (order.do === "open") this.mixer.open(order.lane, order.opening);
    else if (order.do === "write") this.mixer.write(order.lane, order.left, order.right);
    else if (order.do === "end") this.mixer.end(order.lane);
    else if (order.do === "cut") this.mixer.cut(order.lane, order.frame);
    else if (order.do === "run") this.mixer.run(order.on);
    else this.mixer.drop();
  }

  heard(): Heard {
    return { lane: this.mixer.laneId, frame: this.mixer.frame, sounding: this.mixer.sounding };
  }

  wake(): void {}
  rest(): void {}
  setGain(): void {}

  /** Lets time pass. */
  play(seconds: number): void {
    for (let frames = 0; frames < seconds * RATE; frames += 1_024) {
      const [left, right] = [new Float32Array(1_024), new Float32Array(1_024)];
      this.mixer.render(left, right);
      this.played.push(left);
      const { laneId: lane, frame, sounding, drained, underruns } = this.mixer;
      this.onReport({ at: 0, lane, frame, sounding, drained, underruns });
    }
  }

  /** All that was heard, without the silence before it. */
  get sound(): Float32Array {
    const all = joined(this.played);
    return all.subarray(all.findIndex((value) => value !== 0));
  }
}

/** Writes down what it is told. */
export class FakeListener implements WayListener {
  readonly states: SoundState[] = [];
  readonly entries: number[] = [];
  readonly failures: [id: number, failure: Failure, when: FailedWhen][] = [];
  ends = 0;
  dry = 0;
  last: Facts | null = null;
  next: number[] = [];

  following(steps: number): Track | null {
    const id = this.next[steps - 1];
    return id === undefined ? null : track(id);
  }
  state(state: SoundState): void {
    this.states.push(state);
  }
  facts(facts: Facts): void {
    this.last = facts;
  }
  entered(entered: Track): void {
    this.entries.push(entered.id);
    this.next.shift();
  }
  ended(): void {
    this.ends++;
  }
  failed(failed: Track, failure: Failure, when: FailedWhen): void {
    this.failures.push([failed.id, failure, when]);
  }
  underruns(count: number): void {
    this.dry = count;
  }
  blocked(): void {}
  told(): void {}
  interrupted(): void {}
}

export const METER: Meter = {
  gain_reduction_db: 1,
  before: { true_peak_dbtp: -3, short_term_lufs: -14 },
  after: { true_peak_dbtp: -1, short_term_lufs: -12 },
};

export function start(id: number, epoch: number, more: Partial<StreamStart> = {}): StreamStart {
  return {
    track_id: id,
    preset: "adaptive",
    intensity: 1,
    sample_rate: RATE,
    channels: 2,
    total_duration: 100,
    stream_type: "enhanced",
    stream_epoch: epoch,
    mastering_state: "fingerprint",
    start_position: 0,
    duration_exact: true,
    ...more,
  };
}

/** One channel as two, interleaved, as it travels. */
export function payload(mono: Float32Array): ArrayBuffer {
  const both = new Float32Array(2 * mono.length);
  mono.forEach((value, n) => {
    both[2 * n] = both[2 * n + 1] = value;
  });
  return both.buffer;
}
