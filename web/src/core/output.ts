/** Where the sound goes: the page's one AudioContext, with the worklet that plays lanes. */

import { PROCESSOR, REPORT, type Order, type Report } from "./orders";
import workletUrl from "./worklet?worker&url";

/** What is heard at this moment: so many frames of this lane have left the loudspeaker. */
export interface Heard {
  lane: number;
  frame: number;
  sounding: boolean;
}

/** Plays lanes: what the streams' side needs of a sound output. */
export interface LaneOutput {
  /** Hz */
  readonly rate: number;
  /** how many unplayed frames a lane takes */
  readonly capacity: number;
  onReport: (report: Report) => void;
  order(order: Order, transfer?: Transferable[]): void;
  heard(): Heard;
  /** Sound is to be expected; or none for a while. */
  wake(): void;
  rest(): void;
  /** 0..1 */
  setGain(gain: number): void;
  readonly analyser: AnalyserNode | null;
  /** The browser lets no sound out before the listener has touched the page; and when it does at last. */
  onBlocked: (blocked: boolean) => void;
  /** Something else has taken the sound away: a call on a phone. */
  onInterrupted: () => void;
}

const LANE_S = 20;
const GESTURE_WAIT_MS = 500;
const IDLE_MS = 20_000;
const VOLUME_RAMP_S = 0.015;
const SILENCE: Heard = { lane: 0, frame: 0, sounding: false };

export class WorkletOutput implements LaneOutput {
  readonly capacity: number;
  readonly analyser: AnalyserNode;
  readonly volume: GainNode;
  onReport: (report: Report) => void = () => undefined;
  onBlocked: (blocked: boolean) => void = () => undefined;
  onInterrupted: () => void = () => undefined;
  private readonly reports: Report[] = [];
  private idle: ReturnType<typeof setTimeout> | undefined;
  private gestureWait: ReturnType<typeof setTimeout> | undefined;

  /** Rejects where the browser has no worklets after all. */
  readonly ready: Promise<void>;
  private node: AudioWorkletNode | null = null;
  private readonly early: [Order, Transferable[]][] = [];

  /** Opens the sound at the device's own rate; orders wait until it is there. */
  constructor(readonly context: AudioContext) {
    this.capacity = LANE_S * context.sampleRate;
    this.analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0.6 });
    this.volume = new GainNode(context);
    this.analyser.connect(this.volume).connect(context.destination);
    context.onstatechange = () => {
      if (context.state === "running") this.onBlocked(false);
      if ((context.state as string) === "interrupted") this.onInterrupted();
    };
    this.ready = this.open();
  }

  private async open(): Promise<void> {
    await this.context.audioWorklet.addModule(workletUrl);
    const node = new AudioWorkletNode(this.context, PROCESSOR, {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { capacity: this.capacity },
    });
    node.connect(this.analyser);
    node.port.onmessage = ({ data }: MessageEvent<Float64Array>) => {
      this.hear(data);
    };
    for (const [order, transfer] of this.early) node.port.postMessage(order, transfer);
    this.node = node;
  }

  get rate(): number {
    return this.context.sampleRate;
  }

  order(order: Order, transfer: Transferable[] = []): void {
    if (this.node) this.node.port.postMessage(order, transfer);
    else this.early.push([order, transfer]);
  }

  /** `gain` 0..1, reached without a step that would click. */
  setGain(gain: number): void {
    const { gain: parameter } = this.volume;
    const now = this.context.currentTime;
    if (this.context.state !== "running") {
      parameter.cancelScheduledValues(now);
      parameter.value = gain;
      return;
    }
    parameter.cancelScheduledValues(now);
    parameter.setValueAtTime(parameter.value, now);
    parameter.linearRampToValueAtTime(gain, now + VOLUME_RAMP_S);
  }

  /** Lets the device run: called as soon as sound is to be expected. Tells `onBlocked` where it may not. */
  wake(): void {
    clearTimeout(this.idle);
    clearTimeout(this.gestureWait);
    if (this.context.state === "running") return;
    // The promise is kept waiting until there is a gesture, so it is not waited for.
    void this.context.resume();
    this.gestureWait = setTimeout(() => {
      if (this.context.state !== "running") this.onBlocked(true);
    }, GESTURE_WAIT_MS);
  }

  /** Lets the device rest if no sound is wanted for a while. */
  rest(): void {
    clearTimeout(this.idle);
    clearTimeout(this.gestureWait);
    this.idle = setTimeout(() => {
      if (this.context.state === "running") void this.context.suspend();
    }, IDLE_MS);
  }

  heard(): Heard {
    const frame = this.frameHeard();
    let last = this.reports[0];
    for (const report of this.reports) if (report.at <= frame) last = report;
    if (!last) return SILENCE;
    const since = last.sounding ? Math.max(0, frame - last.at) : 0;
    return { lane: last.lane, frame: last.frame + since, sounding: last.sounding };
  }

  /** The frame of the context that leaves the loudspeaker now. */
  private frameHeard(): number {
    const { context } = this;
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
    if (performanceTime > 0 && context.state === "running") {
      const since = (performance.now() - performanceTime) / 1000;
      return Math.min(contextTime + since, context.currentTime) * context.sampleRate;
    }
    return Math.max(0, context.currentTime - context.outputLatency) * context.sampleRate;
  }

  private hear(data: Float64Array): void {
    const report: Report = {
      at: data[REPORT.at] as number,
      lane: data[REPORT.lane] as number,
      frame: data[REPORT.frame] as number,
      sounding: data[REPORT.sounding] === 1,
      drained: data[REPORT.drained] === 1,
      underruns: data[REPORT.underruns] as number,
    };
    // Those that were heard long ago are of no use, but for the last of them.
    const frame = this.frameHeard();
    while (this.reports.length > 1 && (this.reports[1] as Report).at <= frame) this.reports.shift();
    this.reports.push(report);
    this.onReport(report);
  }
}
