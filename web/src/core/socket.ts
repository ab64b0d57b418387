/** The connection to the server: opened again whenever it is lost, and a payload always with its meta. */

import type { ChunkMeta, Request, Said } from "./messages";

/** As much of a WebSocket as is used here. */
export interface SocketLike {
  binaryType: BinaryType;
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface SocketListener {
  opened(): void;
  lost(): void;
  said(message: Said): void;
  samples(meta: ChunkMeta, payload: ArrayBuffer): void;
}

const OPEN = 1;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;
/** A server that says nothing for so long after it was asked is out of reach, whatever the network says. */
const PING_MS = 10_000;

export class Connection {
  private socket: SocketLike | null = null;
  private retryMs = FIRST_RETRY_MS;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pulse: ReturnType<typeof setInterval> | undefined;
  private heardSincePing = true;
  private meta: ChunkMeta | null = null;

  constructor(
    private readonly dial: () => SocketLike,
    private readonly listener: SocketListener,
  ) {}

  get open(): boolean {
    return this.socket?.readyState === OPEN;
  }

  connect(): void {
    clearTimeout(this.retry);
    const socket = this.dial();
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.heardSincePing = true;
      this.pulse = setInterval(() => {
        this.ping();
      }, PING_MS);
      this.listener.opened();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.heardSincePing = true;
      if (typeof data === "string") this.hear(data);
      else this.take(data as ArrayBuffer);
    };
    socket.onclose = () => {
      this.lose();
    };
  }

  /** Tries at once where it is waiting to try again: the network is back, or the page is looked at again. */
  hurry(): void {
    if (this.socket === null) this.connect();
  }

  /** False where nobody is there to hear it. */
  say(request: Request): boolean {
    if (!this.socket || !this.open) return false;
    this.socket.send(JSON.stringify(request));
    return true;
  }

  private hear(text: string): void {
    const message = JSON.parse(text) as { type: string; data: unknown };
    if (message.type === "audio_chunk_meta") this.meta = message.data as ChunkMeta;
    else this.listener.said(message as Said);
  }

  private take(payload: ArrayBuffer): void {
    const meta = this.meta;
    this.meta = null;
    if (meta) this.listener.samples(meta, payload);
  }

  private ping(): void {
    if (!this.heardSincePing) {
      this.lose();
      return;
    }
    this.heardSincePing = false;
    this.say({ type: "ping", data: {} });
  }

  private lose(): void {
    const socket = this.socket;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
    this.socket = null;
    this.meta = null;
    clearInterval(this.pulse);
    this.retry = setTimeout(() => {
      this.connect();
    }, this.retryMs);
    this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs * 2);
    this.listener.lost();
  }
}
