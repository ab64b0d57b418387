import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Request } from "../../src/core/messages";
import { StreamedWay } from "../../src/core/streamed";
import type { Mastering } from "../../src/core/types";
import { FakeListener, FakeOutput, METER, payload, RATE, start, track } from "./fakes";
import { firstDifference, noise } from "./signals";

const MASTERING: Mastering = {
  enabled: true,
  preset: "adaptive",
  intensity: 1,
  level: "track",
  levelMatch: false,
};
const SOUND = noise(30 * RATE, 1);
const frames = (from: number, seconds: number) => SOUND.slice(from, from + Math.round(seconds * RATE));

let output: FakeOutput;
let listener: FakeListener;
let said: Request[];
let way: StreamedWay;
let reachable: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  [output, listener, said, reachable] = [new FakeOutput(), new FakeListener(), [], true];
  way = new StreamedWay(output, (request) => (reachable ? said.push(request) > 0 : false), listener);
  way.opened();
});

const asked = () => said.filter(({ type }) => type.startsWith("play") || type === "set_enhancement");
const types = () => said.map(({ type }) => type);

function send(epoch: number, signal: Float32Array): void {
  way.samples({ stream_epoch: epoch, sample_count: 2 * signal.length, meter: METER }, payload(signal));
}

function end(id: number, epoch: number, reason: "completed" | "stopped" | "errored" = "completed"): void {
  const data = { track_id: id, total_samples: 0, duration: 2, stream_epoch: epoch, reason };
  way.said({ type: "audio_stream_end", data });
}

function begin(id: number, epoch: number, more: Parameters<typeof start>[2] = {}): void {
  way.said({ type: "audio_stream_start", data: start(id, epoch, more) });
}

/** Time for a request that had to wait for the one before it. */
const later = () => vi.advanceTimersByTime(200);

describe("a play", () => {
  it("is asked for, comes and is heard to its end", () => {
    way.start(track(1), 0, MASTERING, true);
    expect(asked()[0]).toEqual({
      type: "play_enhanced",
      data: {
        track_id: 1,
        start_position: 0,
        preset: "adaptive",
        intensity: 1,
        level_match: false,
        level: "track",
      },
    });
    begin(1, 1);
    send(1, frames(0, 2));
    output.play(1);
    expect(way.moment()).toMatchObject({ meter: METER, highestTruePeakDbtp: -1, clipped: false });
    expect(way.moment().position).toBeCloseTo(1, 1);
    end(1, 1);
    output.play(1.5);
    expect(firstDifference(output.sound.subarray(0, 2 * RATE), frames(0, 2))).toBe(-1);
    expect(listener.states).toEqual(["loading", "playing", "idle"]);
    expect([listener.ends, listener.dry]).toEqual([1, 0]);
  });

  it("of which the last was clicked is the only one heard", () => {
    for (const id of [1, 2, 3]) way.start(track(id), 0, MASTERING, true);
    begin(1, 1);
    send(1, noise(RATE, 9));
    later();
    expect(asked().map(({ data }) => data.track_id)).toEqual([1, 3]);
    begin(3, 2);
    send(1, noise(RATE, 9));
    send(2, frames(0, 2));
    output.play(1);
    expect(firstDifference(output.sound, frames(0, 2).subarray(0, output.sound.length))).toBe(-1);
  });

  it("that is not of this page's last wish is not taken for it", () => {
    way.start(track(1), 0, MASTERING, true);
    later();
    way.start(track(1), 50, { ...MASTERING, preset: "warm" }, true);
    begin(1, 1);
    begin(1, 2, { start_position: 50 });
    send(2, noise(RATE, 9));
    begin(1, 3, { start_position: 50, preset: "warm" });
    send(3, frames(0, 1));
    output.play(0.5);
    expect(way.moment().position).toBeCloseTo(50.5, 1);
  });

  it("that fails says so, and that it lies in the track", () => {
    way.start(track(1), 0, MASTERING, true);
    const data = { track_id: 1, error: "It is gone.", code: "FILE_NOT_FOUND", stream_epoch: 1 };
    way.said({ type: "audio_stream_error", data });
    expect(listener.failures).toEqual([
      [1, { text: "It is gone.", code: "FILE_NOT_FOUND", ofTrack: true }, "asked"],
    ]);
    expect(listener.states.at(-1)).toBe("idle");
  });

  it("that breaks in its middle is heard as far as it came, and then told", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 1));
    way.said({
      type: "audio_stream_error",
      data: { track_id: 1, error: "Damaged.", code: "DECODE_ERROR", stream_epoch: 1 },
    });
    end(1, 1, "errored");
    output.play(0.5);
    expect(listener.failures).toEqual([]);
    output.play(1);
    expect(listener.failures.map(([id, , when]) => [id, when])).toEqual([[1, "playing"]]);
    expect(listener.dry).toBe(0);
  });
});

describe("what follows", () => {
  beforeEach(() => {
    listener.next = [2, 3];
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 2));
    end(1, 1);
    later();
    output.play(0.1);
  });

  it("is asked for in time and heard without a gap, and counts from when it is heard", () => {
    expect(asked().at(-1)?.data).toMatchObject({ track_id: 2, after_track_id: 1 });
    begin(2, 2, { mastering_state: "provisional" });
    send(2, frames(2 * RATE, 2));
    output.play(1);
    expect(listener.entries).toEqual([]);
    expect(listener.last?.masteringState).toBe("fingerprint");
    output.play(1.5);
    expect(listener.entries).toEqual([2]);
    expect(listener.last?.masteringState).toBe("provisional");
    expect(
      firstDifference(output.sound.subarray(0, 2 * RATE + 9_000), frames(0, 4).subarray(0, 2 * RATE + 9_000)),
    ).toBe(-1);
    expect(listener.dry).toBe(0);
  });

  it("is taken back where the queue changes, and something else follows in its place", () => {
    begin(2, 2);
    send(2, noise(RATE, 9));
    listener.next = [5];
    way.followingChanged();
    expect(types()).toContain("stop");
    later();
    output.play(0.1);
    later();
    expect(asked().at(-1)?.data).toMatchObject({ track_id: 5, after_track_id: 1 });
    send(2, noise(RATE, 9));
    begin(5, 3);
    send(3, frames(2 * RATE, 2));
    output.play(2);
    expect(listener.entries).toEqual([5]);
    expect(firstDifference(output.sound, frames(0, 4).subarray(0, output.sound.length))).toBe(-1);
  });

  it("may be three tracks in a second, each behind the other", () => {
    for (const [id, epoch] of [
      [2, 2],
      [3, 3],
    ] as const) {
      begin(id, epoch);
      send(epoch, frames(epoch * RATE, 1));
      end(id, epoch);
      later();
      output.play(0.05);
      later();
    }
    output.play(5);
    expect(listener.entries).toEqual([2, 3]);
    expect(listener.ends).toBe(1);
    expect(firstDifference(output.sound.subarray(0, 4 * RATE), frames(0, 4))).toBe(-1);
  });

  it("that cannot be played is told when its time has come", () => {
    way.said({
      type: "audio_stream_error",
      data: { track_id: 2, error: "No.", code: "DECODE_ERROR", stream_epoch: 2 },
    });
    expect(listener.failures).toEqual([]);
    output.play(3);
    expect(listener.failures.map(([id, , when]) => [id, when])).toEqual([[2, "following"]]);
    expect(firstDifference(output.sound.subarray(0, 2 * RATE), frames(0, 2))).toBe(-1);
  });

  it("of another rate joins without a gap too", () => {
    begin(2, 2, { sample_rate: 44_100 });
    const tone = Float32Array.from({ length: 44_100 }, (_, n) => Math.cos((2 * Math.PI * 100 * n) / 44_100));
    send(2, tone);
    output.play(2.5);
    expect(listener.dry).toBe(0);
    const joint = output.sound.subarray(2 * RATE, 2 * RATE + RATE / 4);
    joint.subarray(200).forEach((value, n) => {
      expect(value).toBeCloseTo(Math.cos((2 * Math.PI * 100 * (n + 200)) / RATE), 4);
    });
  });
});

describe("another sound of the same music", () => {
  it("is taken over at the frame that belongs there, whatever has come of the old one", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 5));
    output.play(1);
    later();
    way.change({ ...MASTERING, enabled: false });
    const request = asked().at(-1) as Request;
    expect(request).toMatchObject({ type: "set_enhancement", data: { enabled: false, preset: "adaptive" } });
    const from = Math.round((request.data.position as number) * RATE);
    output.play(0.1);
    begin(1, 2, {
      stream_type: "normal",
      preset: "none",
      intensity: 0,
      mastering_state: "none",
      start_position: from / RATE,
    });
    send(1, noise(RATE, 9));
    send(
      2,
      frames(from, 3).map((value) => -value),
    );
    expect(listener.last?.masteringState).toBe("fingerprint");
    output.play(1);
    expect(listener.last?.masteringState).toBe("none");
    const out = output.sound;
    const wanted = frames(0, 3);
    expect(firstDifference(out.subarray(0, RATE), wanted.subarray(0, RATE))).toBe(-1);
    const settled = Math.round(1.3 * RATE);
    expect(
      firstDifference(out.subarray(settled), wanted.map((value) => -value).subarray(settled, out.length)),
    ).toBe(-1);
    expect(listener.dry).toBe(0);
  });

  it("is asked for at most ten times a second, the last always", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 10));
    output.play(1);
    later();
    const before = asked().length;
    for (let n = 1; n <= 100; n++) {
      way.change({ ...MASTERING, intensity: n / 100 });
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(200);
    expect(asked().length - before).toBeLessThanOrEqual(11);
    expect(asked().at(-1)?.data.intensity).toBe(1);
  });

  it("of an album's level is another play, for a stream cannot be told so", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 5));
    output.play(1);
    later();
    way.change({ ...MASTERING, level: "album" });
    expect(asked().at(-1)).toMatchObject({ type: "play_enhanced", data: { level: "album" } });
  });
});

describe("the flow", () => {
  it("is held where much is here, and let go on where little is left", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    for (let n = 0; n < 32; n++) send(1, frames((n * RATE) / 2, 0.5));
    expect(types().filter((type) => type === "buffer_full")).toHaveLength(1);
    output.play(7);
    expect(types()).not.toContain("buffer_ready");
    output.play(2);
    expect(types().filter((type) => type === "buffer_ready")).toHaveLength(1);
    expect(firstDifference(output.sound, SOUND.subarray(0, output.sound.length))).toBe(-1);
  });

  it("never gives the output more than it holds: the rest waits, and nothing is lost", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    for (let n = 0; n < 58; n++) send(1, frames((n * RATE) / 2, 0.5));
    expect(way.moment().buffered).toBe(29);
    end(1, 1);
    output.play(30);
    expect(firstDifference(output.sound.subarray(0, 29 * RATE), SOUND.subarray(0, 29 * RATE))).toBe(-1);
    expect(listener.ends).toBe(1);
  });

  it("counts running dry where more should have come", () => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 1));
    output.play(2);
    expect(listener.dry).toBe(1);
    expect(listener.states.at(-1)).toBe("loading");
  });
});

describe("a lost connection", () => {
  beforeEach(() => {
    way.start(track(1), 0, MASTERING, true);
    begin(1, 1);
    send(1, frames(0, 3));
    output.play(1);
    reachable = false;
    way.lost();
  });

  it("does not stop what is here, and is taken up at the very next frame", () => {
    expect(listener.states.at(-1)).toBe("reconnecting");
    output.play(1);
    reachable = true;
    way.opened();
    expect(asked().at(-1)).toMatchObject({ type: "play_enhanced", data: { track_id: 1, start_position: 3 } });
    begin(1, 1, { start_position: 3 });
    send(1, frames(3 * RATE, 2));
    output.play(2);
    expect(listener.states.at(-1)).toBe("playing");
    expect(firstDifference(output.sound, frames(0, 5).subarray(0, output.sound.length))).toBe(-1);
    expect([listener.dry, listener.entries.length]).toEqual([0, 0]);
  });

  it("forgets a wish that it could not pass on only for a later one", () => {
    way.start(track(4), 7, MASTERING, true);
    way.start(track(5), 8, MASTERING, true);
    later();
    reachable = true;
    way.opened();
    expect(asked().slice(1)).toMatchObject([{ data: { track_id: 5, start_position: 8 } }]);
  });

  it("with nothing more to come asks for nothing", () => {
    reachable = true;
    way.opened();
    begin(1, 1, { start_position: 3 });
    end(1, 1);
    way.lost();
    const before = said.length;
    way.opened();
    expect(said.length).toBe(before);
    output.play(3);
    expect(listener.ends).toBe(1);
  });

  it("while paused stays paused", () => {
    way.pause();
    reachable = true;
    way.opened();
    expect(types().at(-1)).toBe("pause");
    expect(listener.states.at(-1)).toBe("paused");
  });
});
