/** The way through the socket: streams come in, lie in lanes, and are played by the output. */

import { answers, type Asked } from "./asking";
import { Lanes } from "./lanes";
import type { ChunkMeta, Request, Said, StreamEnd, StreamError, StreamStart } from "./messages";
import type { Report } from "./orders";
import type { LaneOutput } from "./output";
import { Requests } from "./requests";
import { Showing } from "./showing";
import type { Stream } from "./stream";
import type { Mastering, MasteringPlan, Moment, Track } from "./types";
import type { FailedWhen, Failure, SoundState, SoundWay, WayListener } from "./way";

/** Beyond so much that is here the server is asked to stop, below so much to go on. */
const HIGH_WATER_S = 15;
const LOW_WATER_S = 8;
/** The next track is asked for so early: any earlier, and the server would count it as listened to. */
const FOLLOW_S = 4.5;
/** So late nothing can be put behind what plays any more, or taken back. */
const TOO_LATE_S = 0.25;

/** What lies in the track itself; all else may be over when it is tried again. */
const OF_TRACK = new Set(["TRACK_NOT_FOUND", "FILE_NOT_FOUND", "DECODE_ERROR"]);

interface Failed {
  track: Track;
  failure: Failure;
  when: FailedWhen;
}

export class StreamedWay implements SoundWay {
  readonly kind = "worklet";
  private readonly requests: Requests;
  private readonly showing: Showing;
  private mastering: Mastering | null = null;
  private receiving: Stream | null = null;
  private readonly lanes: Lanes;
  private running = false;
  private connected = false;
  private full = false;
  private failed: Failed | null = null;
  /** The largest of this connection. */
  private epoch = 0;

  /** `say` sends a request, and says whether somebody was there to hear it. */
  constructor(
    private readonly output: LaneOutput,
    private readonly say: (request: Request) => boolean,
    private readonly listener: WayListener,
  ) {
    this.showing = new Showing(listener);
    this.lanes = new Lanes(output);
    this.requests = new Requests(
      say,
      (asked) => (asked.kind === "switch" ? (this.here(asked.mastering) ?? asked) : asked),
      (request) => {
        this.requested(request);
      },
    );
    output.onReport = (report) => {
      this.reported(report);
    };
    output.onBlocked = (blocked) => {
      listener.blocked(blocked);
    };
    output.onInterrupted = () => {
      listener.interrupted();
    };
  }

  get analyser(): AnalyserNode | null {
    return this.output.analyser;
  }

  get outputRate(): number {
    return this.output.rate;
  }

  // ---- what the listener wants -------------------------------------------------------------------

  start(track: Track, position: number, mastering: Mastering, running: boolean): void {
    this.silence();
    this.mastering = mastering;
    this.run(running);
    this.ask({ kind: "fresh", track, position, mastering, after: null });
  }

  change(mastering: Mastering): void {
    this.mastering = mastering;
    const { asked } = this.requests;
    this.wake();
    if (asked?.kind === "fresh") this.ask({ ...asked, mastering });
    else if (!this.failed) this.askIf(this.here(mastering));
  }

  pause(): void {
    this.run(false);
    this.say({ type: "pause", data: {} });
    this.tell();
  }

  resume(): void {
    this.run(true);
    this.say({ type: "resume", data: {} });
    this.tell();
  }

  stop(): void {
    this.silence();
    this.requests.stop();
    this.tell();
  }

  followingChanged(): void {
    const { asked } = this.requests;
    const { requests, listener } = this;
    const lane = this.lanes.newest;
    if (this.failed?.when === "following") this.failed = null;
    if (lane) {
      const ahead = this.lanes.ahead(this.showing.shown);
      const wrong = ahead.findIndex((stream, n) => stream.track.id !== listener.following(n + 1)?.id);
      const first = wrong < 0 ? -1 : lane.streams.length - ahead.length + wrong;
      if (
        asked?.kind === "follow" &&
        (wrong >= 0 || asked.track.id !== listener.following(ahead.length + 1)?.id)
      ) {
        requests.forget();
        requests.stop();
      }
      const stream = ahead[wrong];
      if (stream && stream.laneFrom - lane.playedTo > TOO_LATE_S * this.output.rate) {
        this.receiving = null;
        requests.stop();
        lane.dropFrom(first);
      } else if (stream) {
        lane.close();
      }
    }
    this.look();
  }

  setGain(gain: number): void {
    this.output.setGain(gain);
  }

  wake(): void {
    this.output.wake();
    if (!this.running) this.output.rest();
  }

  moment(): Moment {
    return this.showing.moment(this.lanes.audible, this.lanes.heard, this.requests.asked?.position ?? 0);
  }

  // ---- what the connection brings ----------------------------------------------------------------

  opened(): void {
    this.connected = true;
    this.requests.asked ??= this.rest();
    this.requests.reconnected();
    this.look();
  }

  lost(): void {
    this.connected = this.full = false;
    this.receiving = null;
    this.epoch = 0;
    // What broke because the server was going down goes on where it was.
    const stream = this.lanes.newest?.last;
    if (stream && !this.failed?.failure.ofTrack) {
      stream.broken = false;
      this.failed = null;
    }
    this.tell();
  }

  said(message: Said): void {
    switch (message.type) {
      case "audio_stream_start":
        return this.started(message.data);
      case "mastering_plan":
        return this.planned(message.data);
      case "audio_stream_end":
        return this.ended(message.data);
      case "audio_stream_error":
        return this.broke(message.data);
      case "error":
        return this.refused(message.error, message.message);
    }
  }

  samples(meta: ChunkMeta, payload: ArrayBuffer): void {
    if (!this.receiving || meta.stream_epoch !== this.receiving.epoch) return;
    this.lanes.newest?.take(meta, new Float32Array(payload));
    this.control();
  }

  private started(start: StreamStart): void {
    const { asked } = this.requests;
    if (!asked || start.stream_epoch <= this.epoch || !answers(start, asked)) return;
    this.requests.forget();
    this.epoch = start.stream_epoch;
    const lane = this.lanes.newest;
    const inLine = asked.kind === "resume" && lane?.last.rate === start.sample_rate;
    if (lane && (asked.kind === "follow" || inLine)) {
      this.receiving = lane.append(asked.track, start, asked.kind === "follow");
    } else {
      this.receiving = this.lanes.open(asked, start);
    }
    this.tell();
  }

  private planned(plan: MasteringPlan): void {
    if (this.receiving?.epoch !== plan.stream_epoch) return;
    this.lanes.newest?.planned(plan);
    this.tell();
  }

  private ended(end: StreamEnd): void {
    const { receiving } = this;
    if (receiving?.epoch !== end.stream_epoch) return;
    receiving.ended(end);
    this.receiving = null;
    this.look();
  }

  private broke({ error, code, track_id, stream_epoch }: StreamError): void {
    const failure = { text: error, code, ofTrack: OF_TRACK.has(code) };
    const { asked } = this.requests;
    if (this.receiving?.epoch === stream_epoch) {
      this.failed = { track: this.receiving.track, failure, when: "playing" };
    } else if (asked?.track.id === track_id && stream_epoch > this.epoch) {
      this.fail(asked, failure);
    }
  }

  private refused(code: string, text: string): void {
    const { asked } = this.requests;
    if (!asked) return;
    if (code === "rate_limit_exceeded") this.requests.again();
    // A place beyond the end: what plays has just arrived there, and goes on.
    else if (code === "validation_error" && asked.kind === "switch") this.requests.forget();
    else if (code === "validation_error") {
      this.fail(asked, { text: `The server refused to play this: ${text}.`, code, ofTrack: true });
    }
  }

  /** What was asked for will not come: told at once if it was to be heard now, else when its time comes. */
  private fail(asked: Asked, failure: Failure): void {
    this.requests.forget();
    this.failed = { track: asked.track, failure, when: asked.kind === "follow" ? "following" : "asked" };
    if (asked.kind === "follow") this.look();
    else this.giveUp(this.failed);
  }

  private giveUp({ track, failure, when }: Failed): void {
    this.silence();
    this.tell();
    this.listener.failed(track, failure, when);
  }

  // ---- what is asked of the server ---------------------------------------------------------------

  private ask(asked: Asked): void {
    this.requests.ask(asked);
    this.tell();
  }

  private requested(request: Request): void {
    this.full = false;
    if (!this.running && request.type !== "set_enhancement") this.say({ type: "pause", data: {} });
  }

  private askIf(asked: Asked | null): void {
    if (asked) this.ask(asked);
  }

  /** What is played, from where that is now, in another sound. */
  private here(mastering: Mastering): Asked | null {
    const place = this.lanes.place;
    return (
      place && { kind: "switch", track: place.stream.track, position: place.position, mastering, after: null }
    );
  }

  /** After the connection was lost: the rest of what was coming. */
  private rest(): Asked | null {
    const stream = this.lanes.newest?.last;
    if (!stream || !this.mastering || stream.complete || stream.broken) return null;
    if (stream.durationExact && stream.reached >= stream.duration - 1e-6) {
      stream.complete = true;
      return null;
    }
    const { track, reached } = stream;
    return { kind: "resume", track, position: reached, mastering: this.mastering, after: null };
  }

  // ---- what is heard -----------------------------------------------------------------------------

  private reported(report: Report): void {
    this.listener.underruns(report.underruns);
    this.lanes.reported(report);
    const { newest } = this.lanes;
    if (report.drained && newest?.id === report.lane && newest.closed) return this.finish();
    this.control();
    this.look();
  }

  /** All of it was played. */
  private finish(): void {
    if (this.failed) return this.giveUp(this.failed);
    this.silence();
    this.tell();
    this.listener.ended();
  }

  /** Sees to it that what follows comes in time, and that the end is known where nothing does. */
  private look(): void {
    const { mastering } = this;
    const lane = this.lanes.newest;
    const done = lane !== null && (lane.last.complete || lane.last.broken);
    if (lane && mastering && done && !lane.closed && !this.requests.asked) {
      const following = this.failed
        ? null
        : this.listener.following(this.lanes.ahead(this.showing.shown).length + 1);
      if (following && lane.buffered < FOLLOW_S) {
        const after = lane.last.track.id;
        this.ask({ kind: "follow", track: following, position: 0, mastering, after });
      } else if (!following && lane.buffered < TOO_LATE_S) {
        lane.close();
      }
    }
    this.tell();
  }

  private tell(): void {
    this.lanes.arrived(this.showing.look(this.lanes.audible, this.lanes.heard));
    this.showing.tell(this.state);
  }

  private get state(): SoundState {
    const lane = this.lanes.newest;
    const { asked } = this.requests;
    if (!lane && !asked) return "idle";
    if (!this.running) return "paused";
    const coming = lane !== null && !lane.last.complete && !lane.last.broken;
    if (!this.connected && (asked ?? coming)) return "reconnecting";
    return this.lanes.sounding ? "playing" : "loading";
  }

  private control(): void {
    const buffered = this.lanes.newest?.buffered ?? 0;
    if (!this.full && buffered > HIGH_WATER_S) this.full = this.say({ type: "buffer_full", data: {} });
    else if (this.full && buffered < LOW_WATER_S) this.full = !this.say({ type: "buffer_ready", data: {} });
  }

  private run(on: boolean): void {
    this.running = on;
    this.output.order({ do: "run", on });
    this.wake();
  }

  private silence(): void {
    this.requests.forget();
    this.showing.forget();
    this.lanes.drop();
    this.receiving = this.failed = null;
    this.output.rest();
  }
}
