/** Short sentences about what has just been done, some with a way back. */

import { sentence } from "../api/problem";

const SHOWN_MS = 7000;

export interface Toast {
  id: number;
  text: string;
  action: { name: string; run: () => void } | null;
}

export class Toasts {
  shown: readonly Toast[] = $state.raw([]);
  /** what a screen reader is told besides, without anything to see */
  told: string = $state("");
  #next = 0;

  say(text: string, action: Toast["action"] = null): void {
    const toast = { id: this.#next++, text, action };
    this.shown = [...this.shown.slice(-2), toast];
    setTimeout(() => this.drop(toast.id), SHOWN_MS);
  }

  tell(text: string): void {
    this.told = text;
  }

  drop(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  /** Waits for `work` and says so if it fails; true if it did not. */
  async or<T>(work: Promise<T>, done?: (value: T) => void): Promise<boolean> {
    try {
      const value = await work;
      done?.(value);
      return true;
    } catch (error) {
      this.say(sentence(error));
      return false;
    }
  }
}
