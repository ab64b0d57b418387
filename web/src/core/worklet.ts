/** The mixer on the sound's own thread. Orders come by message; where it stands is told ten to fifty times a second. */

import { Mixer } from "./mixer";
import type { Order } from "./orders";
import { PROCESSOR, REPORT } from "./orders";

const REPORT_EVERY_FRAMES = 1024;

class Playback extends AudioWorkletProcessor {
  private readonly mixer: Mixer;
  private readonly report = new Float64Array(Object.keys(REPORT).length);
  private unreported = 0;

  constructor(options: AudioWorkletNodeOptions) {
    super();
    this.mixer = new Mixer((options.processorOptions as { capacity: number }).capacity, sampleRate);
    this.port.onmessage = ({ data }: MessageEvent<Order>) => {
      this.follow(data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0];
    const left = output?.[0];
    const right = output?.[1];
    if (!left || !right) return true;
    this.mixer.render(left, right);
    this.unreported += left.length;
    this.tell(currentFrame + left.length);
    return true;
  }

  private follow(order: Order): void {
    const mixer = this.mixer;
    switch (order.do) {
      case "open":
        return mixer.open(order.lane, order.opening);
      case "write":
        return mixer.write(order.lane, order.left, order.right);
      case "end":
        return mixer.end(order.lane);
      case "cut":
        return mixer.cut(order.lane, order.frame);
      case "run":
        return mixer.run(order.on);
      case "drop":
        return mixer.drop();
    }
  }

  /** At once where something has changed that cannot be foreseen, else now and then; the same array each time. */
  private tell(at: number): void {
    const { report, mixer } = this;
    const sounding = mixer.sounding ? 1 : 0;
    const drained = mixer.drained ? 1 : 0;
    const changed =
      report[REPORT.lane] !== mixer.laneId ||
      report[REPORT.sounding] !== sounding ||
      report[REPORT.drained] !== drained ||
      report[REPORT.underruns] !== mixer.underruns;
    if (!changed && (this.unreported < REPORT_EVERY_FRAMES || !mixer.laneId)) return;
    this.unreported = 0;
    report[REPORT.at] = at;
    report[REPORT.lane] = mixer.laneId;
    report[REPORT.frame] = mixer.frame;
    report[REPORT.sounding] = sounding;
    report[REPORT.drained] = drained;
    report[REPORT.underruns] = mixer.underruns;
    this.port.postMessage(report);
  }
}

registerProcessor(PROCESSOR, Playback);
