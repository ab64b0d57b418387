/** What is asked of the server, one thing at a time: a later wish takes the place of an earlier one. */

import { requestFor, type Asked } from "./asking";
import type { Request } from "./messages";

/** Requests are at least so far apart; of those between only the last is made. */
const APART_MS = 100;
const REFUSED_RETRY_MS = 600;

export class Requests {
  /** What was asked for and has not been answered. */
  asked: Asked | null = null;
  /** What the server goes by on this connection. */
  private latest: Asked | null = null;
  private madeAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `say` sends a request, and says whether somebody was there to hear it; `brought` brings what is asked for up to
   * the moment at which it is sent; `sent` is told.
   */
  constructor(
    private readonly say: (request: Request) => boolean,
    private readonly brought: (asked: Asked) => Asked,
    private readonly sent: (request: Request) => void,
  ) {}

  ask(asked: Asked): void {
    this.asked = asked;
    const wait = this.madeAt + APART_MS - performance.now();
    if (wait <= 0) this.make();
    else this.makeIn(wait);
  }

  /** What was asked for is wanted no longer. */
  forget(): void {
    clearTimeout(this.timer);
    this.asked = null;
  }

  /** Asks again for what is not answered: the connection is new, or what was said has been dropped. */
  again(): void {
    this.makeIn(REFUSED_RETRY_MS);
  }

  reconnected(): void {
    this.latest = null;
    this.make();
  }

  stop(): void {
    this.say({ type: "stop", data: {} });
    this.latest = null;
  }

  private makeIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.make();
    }, ms);
  }

  private make(): void {
    clearTimeout(this.timer);
    if (!this.asked) return;
    this.asked = this.brought(this.asked);
    const request = requestFor(this.asked, this.latest);
    if (!this.say(request)) return;
    this.madeAt = performance.now();
    this.latest = this.asked;
    this.sent(request);
  }
}
