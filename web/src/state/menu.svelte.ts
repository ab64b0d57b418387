/** The one menu that can be open: beside a button, or where the pointer is. */

import type { IconName } from "../parts/icons";

export interface Choice {
  name: string;
  icon: IconName;
  /** what it does: a function, or the address it leads to */
  run: (() => void) | string;
  danger?: boolean;
}

export interface Opened {
  label: string;
  choices: readonly Choice[];
  x: number;
  y: number;
  /** where the focus goes back to */
  from: HTMLElement | null;
}

export class Menu {
  opened: Opened | null = $state.raw(null);

  /** Opens below `button`. */
  beside(button: HTMLElement, label: string, choices: readonly Choice[]): void {
    const box = button.getBoundingClientRect();
    this.opened = { label, choices, x: box.right, y: box.bottom + 4, from: button };
  }

  at(x: number, y: number, from: HTMLElement | null, label: string, choices: readonly Choice[]): void {
    this.opened = { label, choices, x, y, from };
  }

  close(): void {
    const from = this.opened?.from;
    this.opened = null;
    from?.focus();
  }
}
