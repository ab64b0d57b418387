import { beforeEach, describe, expect, it, vi } from "vitest";

import { Connection, type SocketLike } from "../../src/core/socket";

class FakeSocket implements SocketLike {
  binaryType: BinaryType = "blob";
  readyState = 0;
  onopen: SocketLike["onopen"] = null;
  onclose: SocketLike["onclose"] = null;
  onmessage: SocketLike["onmessage"] = null;
  readonly sent: string[] = [];
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }
  hear(data: unknown): void {
    this.onmessage?.({ data } as MessageEvent);
  }
  lose(): void {
    this.readyState = 3;
    this.onclose?.({} as CloseEvent);
  }
}

let dialled: FakeSocket[];
let told: string[];
let connection: Connection;
const last = () => dialled.at(-1) as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  [dialled, told] = [[], []];
  const dial = () => {
    dialled.push(new FakeSocket());
    return last();
  };
  connection = new Connection(dial, {
    opened: () => told.push("opened"),
    lost: () => told.push("lost"),
    said: (message) => told.push(message.type),
    samples: (meta, payload) => told.push(`${String(meta.stream_epoch)}: ${String(payload.byteLength)}`),
  });
  connection.connect();
});

describe("the connection", () => {
  it("puts a payload to its meta, and drops one that has none", () => {
    last().open();
    last().hear(new ArrayBuffer(4));
    last().hear('{"type": "audio_chunk_meta", "data": {"stream_epoch": 3}}');
    last().hear(new ArrayBuffer(8));
    last().hear(new ArrayBuffer(16));
    last().hear('{"type": "audio_stream_end", "data": {}}');
    expect(told).toEqual(["opened", "3: 8", "audio_stream_end"]);
  });

  it("never puts a payload to the meta of an earlier connection", () => {
    last().open();
    last().hear('{"type": "audio_chunk_meta", "data": {"stream_epoch": 3}}');
    last().lose();
    vi.advanceTimersByTime(300);
    last().open();
    last().hear(new ArrayBuffer(8));
    expect(told).toEqual(["opened", "lost", "opened"]);
  });

  it("tries again ever more rarely, and soon again once it was there", () => {
    const waits = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000];
    for (const wait of waits) {
      const before = dialled.length;
      last().lose();
      vi.advanceTimersByTime(wait - 1);
      expect(dialled.length).toBe(before);
      vi.advanceTimersByTime(1);
      expect(dialled.length).toBe(before + 1);
    }
    last().open();
    last().lose();
    vi.advanceTimersByTime(250);
    expect(dialled.length).toBe(waits.length + 2);
  });

  it("tries at once when the network is back, and once only", () => {
    last().lose();
    connection.hurry();
    connection.hurry();
    expect(dialled.length).toBe(2);
    vi.advanceTimersByTime(60_000);
    expect(dialled.length).toBe(2);
  });

  it("gives up a server that does not answer, and none that does", () => {
    last().open();
    vi.advanceTimersByTime(10_000);
    last().hear('{"type": "pong"}');
    vi.advanceTimersByTime(10_000);
    expect(told).not.toContain("lost");
    vi.advanceTimersByTime(10_000);
    expect(told).toContain("lost");
  });

  it("says nothing where nobody hears it", () => {
    expect(connection.say({ type: "pause", data: {} })).toBe(false);
    last().open();
    expect(connection.say({ type: "pause", data: {} })).toBe(true);
    expect(last().sent).toEqual(['{"type":"pause","data":{}}']);
  });
});
