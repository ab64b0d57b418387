/** The way through the socket: streams come in, lie in lanes, and are played by the output. */

import { answers, type Asked } from "./asking";
import { Lane } from "./lane";
import type { ChunkMeta, Request, Said, StreamEnd, StreamError, StreamStart } from "./messages";
import type { Report } from "./orders";
import type { LaneOutput } from "./output";
import { Requests } from "./requests";
import { Showing } from "./showing";
import type { Stream } from "./stream";
import type { Mastering, MasteringPlan, Moment, Track } from "./types";
import type { Failure, SoundState, WayListener } from "./way";

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
  /** It was to follow, and what is before it still sounds. */
  unheard: boolean;
}

export class StreamedWay {
  private readonly requests: Requests;
  private readonly showing: Showing;
  private mastering: Mastering | null = null;
  private receiving: Stream | null = null;
  private lane: Lane | null = null;
  /** Lanes that may still be heard until `lane` has taken over. */
  private leaving: Lane[] = [];
  private lanes = 0;
  /** As the output has told: the lane that it plays, and whether anything of it. */
  private played = 0;
  private sounding = false;
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
    this.requests = new Requests(
      say,
      (asked) => (asked.kind === "switch" ? this.here(asked.mastering) : asked),
      (request) => {
        this.requested(request);
      },
    );
    output.onReport = (report) => {
      this.reported(report);
    };
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
    else if (this.lane && !this.failed) this.ask(this.here(mastering));
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
    const { lane, requests, listener } = this;
    if (this.failed?.unheard) this.failed = null;
    if (lane) {
      const ahead = this.ahead(lane);
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

  moment(): Moment {
    return this.showing.moment(this.audible, this.output.heard(), this.requests.asked?.position ?? 0);
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
    const stream = this.lane?.last;
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
    this.lane?.take(meta, new Float32Array(payload));
    this.control();
  }

  private started(start: StreamStart): void {
    const { asked } = this.requests;
    if (!asked || start.stream_epoch <= this.epoch || !answers(start, asked)) return;
    this.requests.forget();
    this.epoch = start.stream_epoch;
    const { lane } = this;
    const inLine = asked.kind === "resume" && lane?.last.rate === start.sample_rate;
    if (lane && (asked.kind === "follow" || inLine)) {
      this.receiving = lane.append(asked.track, start, asked.kind === "follow");
    } else {
      this.openLane(asked, start);
    }
    this.tell();
  }

  private openLane(asked: Asked, start: StreamStart): void {
    const heardIn = asked.kind === "switch" ? this.audible : [];
    this.leaving = [...heardIn];
    this.lane = new Lane(++this.lanes, this.output, asked.track, start, heardIn, asked.position > 0);
    this.receiving = this.lane.last;
  }

  private planned(plan: MasteringPlan): void {
    if (this.receiving?.epoch !== plan.stream_epoch) return;
    this.lane?.planned(plan);
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
      this.failed = { track: this.receiving.track, failure, unheard: false };
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
    this.failed = { track: asked.track, failure, unheard: asked.kind === "follow" };
    if (asked.kind === "follow") this.look();
    else this.giveUp(this.failed);
  }

  private giveUp({ track, failure, unheard }: Failed): void {
    this.silence();
    this.tell();
    this.listener.failed(track, failure, unheard);
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

  /** What is played, from where that is now, in another sound. */
  private here(mastering: Mastering): Asked {
    const lane = (this.audible.find((one) => one.id === this.played) ?? this.lane) as Lane;
    const stream = lane.streamAt(lane.playedTo);
    const position = stream.position(lane.playedTo);
    return { kind: "switch", track: stream.track, position, mastering, after: null };
  }

  /** After the connection was lost: the rest of what was coming. */
  private rest(): Asked | null {
    const stream = this.lane?.last;
    if (!stream || !this.mastering || stream.complete || stream.broken) return null;
    if (stream.durationExact && stream.reached >= stream.duration - 1e-6) {
      stream.complete = true;
      return null;
    }
    const { track, reached } = stream;
    return { kind: "resume", track, position: reached, mastering: this.mastering, after: null };
  }

  // ---- what is heard -----------------------------------------------------------------------------

  private get audible(): Lane[] {
    return this.lane ? [...this.leaving, this.lane] : this.leaving;
  }

  /** The streams behind the one that is heard, each a play of its own. */
  private ahead(lane: Lane): Stream[] {
    const heard = this.showing.shown;
    const from = heard ? lane.streams.indexOf(heard) + 1 : 1;
    return lane.streams.slice(from).filter((stream) => stream.follows);
  }

  private reported(report: Report): void {
    this.listener.underruns(report.underruns);
    this.sounding = report.sounding;
    this.played = report.lane;
    for (const lane of this.audible) if (lane.id === report.lane) lane.played(report.frame);
    if (report.drained && this.lane?.id === report.lane && this.lane.closed) return this.finish();
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
    const { lane, mastering } = this;
    const done = lane !== null && (lane.last.complete || lane.last.broken);
    if (lane && mastering && done && !lane.closed && !this.requests.asked) {
      const following = this.failed ? null : this.listener.following(this.ahead(lane).length + 1);
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
    const heard = this.showing.look(this.audible, this.output.heard());
    if (heard === this.lane) this.leaving = [];
    this.showing.tell(this.state);
  }

  private get state(): SoundState {
    const { lane } = this;
    const { asked } = this.requests;
    if (!lane && !asked) return "idle";
    if (!this.running) return "paused";
    const coming = lane !== null && !lane.last.complete && !lane.last.broken;
    if (!this.connected && (asked ?? coming)) return "reconnecting";
    return this.sounding && this.audible.some((one) => one.id === this.played) ? "playing" : "loading";
  }

  private control(): void {
    const buffered = this.lane?.buffered ?? 0;
    if (!this.full && buffered > HIGH_WATER_S) this.full = this.say({ type: "buffer_full", data: {} });
    else if (this.full && buffered < LOW_WATER_S) this.full = !this.say({ type: "buffer_ready", data: {} });
  }

  private run(on: boolean): void {
    this.running = on;
    this.output.order({ do: "run", on });
    this.wake();
  }

  private wake(): void {
    this.output.wake();
    if (!this.running) this.output.rest();
  }

  private silence(): void {
    this.requests.forget();
    this.showing.forget();
    this.output.order({ do: "drop" });
    this.receiving = this.lane = this.failed = null;
    this.leaving = [];
    this.sounding = false;
    this.output.rest();
  }
}
