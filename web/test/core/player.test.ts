import { beforeEach, describe, expect, it } from "vitest";

import { ListeningPlayer } from "../../src/core/player";
import { DEFAULT_MASTERING } from "../../src/core/shown";
import type { Mastering, Moment, Track } from "../../src/core/types";
import type { FailedWhen, Failure, SoundWay, WayListener } from "../../src/core/way";
import { track } from "./fakes";

const BROKEN: Failure = { text: "It is damaged.", code: "DECODE_ERROR", ofTrack: true };
const BUSY: Failure = { text: "As many streams play as may.", code: "SERVER_BUSY", ofTrack: false };

class FakeWay implements SoundWay {
  readonly kind = "worklet";
  readonly analyser = null;
  readonly outputRate = 48_000;
  readonly starts: [id: number, position: number, running: boolean][] = [];
  readonly changes: Mastering[] = [];
  gain = 0;
  at = 0;
  constructor(readonly listener: WayListener) {}
  start(started: Track, position: number, _: Mastering, running: boolean): void {
    this.starts.push([started.id, position, running]);
    this.at = position;
    this.listener.state(running ? "loading" : "paused");
  }
  change(mastering: Mastering): void {
    this.changes.push(mastering);
  }
  pause(): void {
    this.listener.state("paused");
  }
  resume(): void {
    this.listener.state("playing");
  }
  stop(): void {
    this.listener.state("idle");
  }
  followingChanged(): void {}
  setGain(gain: number): void {
    this.gain = gain;
  }
  moment(): Moment {
    return { position: this.at, buffered: 0, meter: null, highestTruePeakDbtp: null, clipped: false };
  }
  wake(): void {}
  opened(): void {}
  lost(): void {}
}

let player: ListeningPlayer;
let way: FakeWay;

beforeEach(() => {
  const nothing = { masteringChosen: () => undefined, worthKeeping: () => undefined };
  player = new ListeningPlayer({ volume: 0.5, muted: false, mastering: DEFAULT_MASTERING }, nothing, () => 0);
  player.voice((listener) => (way = new FakeWay(listener)), null);
});

const tracks = (...ids: number[]) => ids.map(track);
const fail = (failure: Failure, when: FailedWhen = "asked") => {
  way.listener.failed(track(way.starts.at(-1)?.[0] ?? 0), failure, when);
};

describe("the player", () => {
  it("plays what is chosen, goes on by itself, and stands at the end", () => {
    player.play(tracks(1, 2), 0, 3);
    expect(player.snapshot).toMatchObject({ state: "loading", index: 0, track: { id: 1 }, duration: 100 });
    way.listener.entered(track(2));
    expect(player.snapshot).toMatchObject({ index: 1, track: { id: 2 } });
    way.listener.ended();
    expect(player.snapshot).toMatchObject({ state: "paused", index: 1 });
    expect(player.moment().position).toBe(0);
    player.toggle();
    expect(way.starts).toEqual([
      [1, 3, true],
      [2, 0, true],
    ]);
  });

  it("says what follows of what follows", () => {
    player.play(tracks(1, 2, 3), 1);
    expect([1, 2].map((steps) => way.listener.following(steps)?.id)).toEqual([3, undefined]);
    player.setRepeat("all");
    expect([1, 2].map((steps) => way.listener.following(steps)?.id)).toEqual([3, 1]);
  });

  it("goes back to the beginning, or before it when that was just begun", () => {
    player.play(tracks(1, 2), 1);
    way.at = 10;
    player.previous();
    expect(way.starts.at(-1)).toEqual([2, 0, true]);
    way.at = 2;
    player.previous();
    expect(way.starts.at(-1)).toEqual([1, 0, true]);
  });

  it("seeks inside the track, and while paused without a sound", () => {
    player.play(tracks(1));
    way.listener.state("playing");
    player.seek(500);
    expect(way.starts.at(-1)).toEqual([1, 99.9, true]);
    player.pause();
    player.seek(-5);
    expect(way.starts.at(-1)).toEqual([1, 0, false]);
  });

  it("stops at a broken track that was chosen, and offers the next", () => {
    player.play(tracks(1, 2));
    fail(BROKEN);
    expect(player.snapshot).toMatchObject({ state: "paused", notice: { text: BROKEN.text, wayOn: "skip" } });
    player.answerNotice(true);
    expect(way.starts.at(-1)?.[0]).toBe(2);
    expect(player.snapshot.notice).toBeNull();
  });

  it("passes over broken tracks that come by themselves, and says so", () => {
    player.play(tracks(1, 2, 3));
    way.listener.state("playing");
    fail(BROKEN, "following");
    expect(way.starts.at(-1)?.[0]).toBe(3);
    expect(player.snapshot.notice).toMatchObject({ code: "DECODE_ERROR", wayOn: null });
  });

  it("goes on behind a track that breaks in its middle", () => {
    player.play(tracks(1, 2));
    way.listener.state("playing");
    fail(BROKEN, "playing");
    expect(way.starts.at(-1)?.[0]).toBe(2);
  });

  it("never goes round and round over nothing but broken tracks", () => {
    player.play(tracks(1, 2, 3));
    player.setRepeat("all");
    way.listener.state("playing");
    fail(BROKEN, "following");
    for (let n = 0; n < 20 && player.snapshot.state !== "paused"; n++) fail(BROKEN);
    expect(player.snapshot.state).toBe("paused");
    expect(way.starts.length).toBeLessThanOrEqual(4);
  });

  it("does not blame the track where the server is busy", () => {
    player.play(tracks(1, 2));
    fail(BUSY);
    expect(player.snapshot).toMatchObject({ index: 0, notice: { wayOn: "retry" } });
    player.answerNotice(true);
    expect(way.starts.map(([id]) => id)).toEqual([1, 1]);
  });

  it("stands where an earlier visit left it, without asking for anything", () => {
    const kept = { tracks: tracks(1, 2), index: 1, position: 42, repeat: "all", shuffle: false } as const;
    const sound = { volume: 1, muted: false, enabled: true, levelMatch: false, taste: DEFAULT_MASTERING };
    player.restore({ ...kept, ...sound });
    expect(player.snapshot).toMatchObject({ state: "paused", index: 1, repeat: "all", track: { id: 2 } });
    expect(player.moment().position).toBe(42);
    player.setMastering({ preset: "warm" });
    player.seek(50);
    expect([way.starts.length, way.changes.length]).toEqual([0, 0]);
    player.toggle();
    expect(way.starts).toEqual([[2, 50, true]]);
  });

  it("removing what plays plays what followed; nothing is left of the last", () => {
    player.play(tracks(1, 2));
    player.remove(0);
    expect(way.starts.at(-1)?.[0]).toBe(2);
    player.remove(0);
    expect(player.snapshot).toMatchObject({ state: "idle", track: null, queue: [], index: -1 });
  });

  it("turns its gain by the square, and mutes", () => {
    expect(way.gain).toBe(0.25);
    player.setMuted(true);
    expect(way.gain).toBe(0);
    player.setMuted(false);
    player.setVolume(7);
    expect([way.gain, player.snapshot.volume]).toEqual([1, 1]);
  });

  it("tells each change once, in a new snapshot", () => {
    const seen = new Set([player.snapshot]);
    const end = player.subscribe((snapshot) => seen.add(snapshot));
    player.setShuffle(true);
    player.setShuffle(true);
    expect(seen.size).toBe(2);
    end();
    player.setShuffle(false);
    expect(seen.size).toBe(2);
  });

  it("asks for a gesture while the browser wants one", () => {
    way.listener.blocked(true);
    expect(player.snapshot.notice?.wayOn).toBe("allow-sound");
    way.listener.blocked(false);
    expect(player.snapshot.notice).toBeNull();
  });
});

describe("the taste that the server keeps", () => {
  it("does not take back what the listener has set before it came", () => {
    player.setMastering({ preset: "warm" });
    player.prefer({ preset: "bright", intensity: 0.4, level: "album" });
    expect(player.snapshot.mastering).toMatchObject({ preset: "warm", intensity: 0.4, level: "album" });
  });

  it("is that of what plays, too", () => {
    player.play(tracks(1));
    player.prefer({ preset: "bright", intensity: 0.4, level: "track" });
    expect(way.changes.at(-1)).toMatchObject({ preset: "bright", intensity: 0.4 });
  });
});
