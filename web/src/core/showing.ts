/** What is told of the streams that are heard: facts when they change, and which track it is. */

import type { Lane } from "./lane";
import type { Heard } from "./output";
import type { Stream } from "./stream";
import type { Moment } from "./types";
import { NO_FACTS, type Facts, type SoundState, type WayListener } from "./way";

const NO_MOMENT: Moment = {
  position: 0,
  buffered: 0,
  meter: null,
  highestTruePeakDbtp: null,
  clipped: false,
};

export class Showing {
  private stream: Stream | null = null;
  private facts: Facts = NO_FACTS;
  private state: SoundState = "idle";
  /** The last thing that was heard of the lanes that are there. */
  private place: { lane: Lane; frame: number } | null = null;

  constructor(private readonly listener: WayListener) {}

  /** The stream that is heard; the one to be heard next while nothing is. */
  get shown(): Stream | null {
    return this.stream;
  }

  forget(): void {
    this.stream = this.place = null;
  }

  tell(state: SoundState): void {
    if (state === this.state) return;
    this.state = state;
    this.listener.state(state);
  }

  /** `lanes` are those that may be heard, the newest last. Returns the one that is. */
  look(lanes: readonly Lane[], heard: Heard): Lane | null {
    this.place = placeOf(lanes, heard);
    const { place } = this;
    if (!place) {
      this.tellFacts(NO_FACTS);
      return null;
    }
    const stream = place.lane.streamAt(place.frame);
    const before = this.stream;
    this.stream = stream;
    stream.meterAt(place.frame);
    if (stream !== before && stream.follows && before && before !== stream)
      this.listener.entered(stream.track);
    this.tellFacts(factsOf(stream, place.frame));
    return place.lane;
  }

  /** `asked` is where that begins which is waited for, seconds. */
  moment(lanes: readonly Lane[], heard: Heard, asked: number): Moment {
    const place = placeOf(lanes, heard);
    if (!place) return { ...NO_MOMENT, position: asked };
    const { lane, frame } = place;
    const stream = lane.streamAt(frame);
    return {
      meter: stream.meterAt(frame),
      position: Math.min(stream.position(frame), Math.max(stream.duration, stream.reached)),
      buffered: (lanes.at(-1) ?? lane).buffered,
      highestTruePeakDbtp: stream.highestTruePeakDbtp,
      clipped: stream.clipped,
    };
  }

  private tellFacts(facts: Facts): void {
    const keys = Object.keys(facts) as (keyof Facts)[];
    if (keys.every((key) => facts[key] === this.facts[key])) return;
    this.facts = facts;
    this.listener.facts(facts);
  }
}

/** Where in the lanes that is which is heard; where the newest begins if none of them is heard yet. */
function placeOf(lanes: readonly Lane[], heard: Heard): { lane: Lane; frame: number } | null {
  const sounding = lanes.find((lane) => lane.id === heard.lane);
  if (sounding) return { lane: sounding, frame: heard.frame };
  const newest = lanes.at(-1);
  return newest ? { lane: newest, frame: 0 } : null;
}

function factsOf(stream: Stream, frame: number): Facts {
  const plan = stream.planAt(frame);
  return {
    duration: stream.duration,
    durationExact: stream.durationExact,
    masteringState: plan?.state ?? stream.startState,
    plan,
    levelMatchGainDb: plan?.level_match_gain_db ?? stream.levelMatchGainDb,
    streamRate: stream.rate,
  };
}
