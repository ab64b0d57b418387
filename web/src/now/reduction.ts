/** Gain reduction as it is shown: a needle that falls at once and comes back slowly, and its deepest point held. */

/** dB a second with which the needle comes back. */
const BACK = 12;
const HOLD_MS = 2000;

export class Needle {
  /** dB, >= 0 */
  value = 0;
  held = 0;
  #before = 0;
  #heldAt = 0;

  /** @param now ms; @param reduction_db what the limiter takes off now */
  move(now: number, reduction_db: number): void {
    const back = (BACK * Math.min(200, Math.max(0, now - this.#before))) / 1000;
    this.#before = now;
    this.value = Math.max(reduction_db, this.value - back, 0);
    if (this.value >= this.held) {
      this.held = this.value;
      this.#heldAt = now;
    } else if (now - this.#heldAt > HOLD_MS) {
      this.held = Math.max(this.value, this.held - back);
    }
  }
}

/** How far down a reduction stands on its scale of 0..6 dB, 0..1: the first dB has the most room. */
export function depth(reduction_db: number): number {
  return Math.min(1, Math.sqrt(Math.max(0, reduction_db) / 6));
}

export const MARKS_DB = [0.5, 1, 2, 4, 6] as const;
