/** What the listener prefers of the sound, as the server keeps it for all devices. */

import type { Mastering } from "./types";

const URL = "/api/settings";
const STORE_AFTER_MS = 600;

type Stored = Record<string, unknown> & Partial<Pick<Mastering, "preset" | "intensity" | "level">>;

/** `fetch`, or a stand-in. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

export class Preferences {
  /** As the server last said; what is not of the player (the loudness aimed at) is given back as it came. */
  private stored: Stored | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `failed` is told, in a sentence, what could not be kept. */
  constructor(
    private readonly fetch: Fetch,
    private readonly failed: (text: string) => void,
  ) {}

  /** What is kept; null where the server cannot say it now. */
  async load(): Promise<Pick<Mastering, "preset" | "intensity" | "level"> | null> {
    try {
      const answer = await this.fetch(URL);
      if (!answer.ok) return null;
      this.stored = (await answer.json()) as Stored;
    } catch (error) {
      // Out of reach: the connection says so, and brings this back when it is there again.
      if (error instanceof TypeError) return null;
      throw error;
    }
    const { preset, intensity, level } = this.stored;
    return preset && intensity !== undefined && level ? { preset, intensity, level } : null;
  }

  /** Keeps what is of the listener's taste, once it has not changed for a moment. */
  keep({ preset, intensity, level }: Mastering): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      void this.store({ preset, intensity, level });
    }, STORE_AFTER_MS);
  }

  private async store(wanted: Stored): Promise<void> {
    try {
      if (!this.stored) await this.load();
      const body = JSON.stringify({ ...this.stored, ...wanted });
      const answer = await this.fetch(URL, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body,
      });
      if (answer.ok) this.stored = (await answer.json()) as Stored;
      else this.failed("The server did not keep this setting for the next time.");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.failed("The server cannot be reached, so this setting is not kept for the next time.");
    }
  }
}
