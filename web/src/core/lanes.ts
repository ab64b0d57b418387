/** The lanes that may be heard: the newest, and those that it has not yet taken over from. */

import type { Asked } from "./asking";
import { Lane } from "./lane";
import type { StreamStart } from "./messages";
import type { Report } from "./orders";
import type { Heard, LaneOutput } from "./output";
import type { Stream } from "./stream";

export class Lanes {
  /** The one into which streams come. */
  newest: Lane | null = null;
  /** Whether anything of them sounds, as the output has told last. */
  sounding = false;
  private leaving: Lane[] = [];
  private count = 0;
  private played = 0;

  constructor(private readonly output: LaneOutput) {}

  /** The newest last. */
  get audible(): Lane[] {
    return this.newest ? [...this.leaving, this.newest] : [];
  }

  get heard(): Heard {
    return this.output.heard();
  }

  /** A lane for the stream that starts; what sounds is left for it, at once or, in a switch, where it can be. */
  open(asked: Asked, start: StreamStart): Stream {
    this.leaving = asked.kind === "switch" ? this.audible : [];
    this.newest = new Lane(++this.count, this.output, asked.track, start, this.leaving, asked.position > 0);
    return this.newest.last;
  }

  /** Silence. */
  drop(): void {
    this.output.order({ do: "drop" });
    this.newest = null;
    this.leaving = [];
    this.sounding = false;
  }

  reported(report: Report): void {
    this.played = report.lane;
    this.sounding = report.sounding && this.audible.some((lane) => lane.id === report.lane);
    for (const lane of this.audible) if (lane.id === report.lane) lane.played(report.frame);
  }

  /** `lane` is heard: what was before it is past. */
  arrived(lane: Lane | null): void {
    if (lane === this.newest) this.leaving = [];
  }

  /** What is given to the loudspeaker now: the stream, and the seconds of its track. */
  get place(): { stream: Stream; position: number } | null {
    const lane = this.audible.find((one) => one.id === this.played) ?? this.newest;
    if (!lane) return null;
    const stream = lane.streamAt(lane.playedTo);
    return { stream, position: stream.position(lane.playedTo) };
  }

  /** The streams in the newest lane behind `heard`, each a play of its own. */
  ahead(heard: Stream | null): Stream[] {
    const streams = this.newest?.streams ?? [];
    return streams.slice(heard ? streams.indexOf(heard) + 1 : 1).filter((stream) => stream.follows);
  }
}
