/** The page's keys, and what the overlay says of them. */

import { hear } from "../now/compare";
import type { Page } from "./page.svelte";

export interface Key {
  /** as `KeyboardEvent.key` has it */
  key: string;
  shift?: boolean;
  /** as it is shown */
  shown: string;
  does: string;
  run: (page: Page) => void;
}

const SEEK_S = 5;
const VOLUME = 0.05;

export const KEYS: readonly Key[] = [
  { key: " ", shown: "Space", does: "Play or pause", run: ({ player }) => player.toggle() },
  { key: "n", shown: "N", does: "Next track", run: ({ player }) => player.next() },
  { key: "p", shown: "P", does: "Previous track", run: ({ player }) => player.previous() },
  { key: "ArrowLeft", shown: "←", does: "5 seconds back", run: (page) => seekBy(page, -SEEK_S) },
  { key: "ArrowRight", shown: "→", does: "5 seconds on", run: (page) => seekBy(page, SEEK_S) },
  { key: "s", shown: "S", does: "Original or mastered", run: turnOver },
  { key: "e", shown: "E", does: "Equal loudness on or off", run: equalise },
  { key: "ArrowUp", shift: true, shown: "Shift ↑", does: "Louder", run: (page) => volumeBy(page, VOLUME) },
  { key: "ArrowDown", shift: true, shown: "Shift ↓", does: "Softer", run: (page) => volumeBy(page, -VOLUME) },
  { key: "m", shown: "M", does: "Mute", run: ({ player }) => player.setMuted(!player.snapshot.muted) },
  { key: "l", shown: "L", does: "Favourite, or not any more", run: like },
  { key: "/", shown: "/", does: "Search", run: (page) => page.search() },
  { key: "q", shown: "Q", does: "The queue", run: ({ router }) => toggleView(router, "/queue") },
  { key: "o", shown: "O", does: "Now playing", run: ({ router }) => toggleView(router, "/now") },
  { key: "?", shown: "?", does: "These keys", run: (page) => void (page.dialog = "keys") },
];

/** Keys that the page's parts take, for the overlay. */
export const MORE_KEYS: readonly { shown: string; does: string }[] = [
  { shown: "↑ ↓", does: "The row before or after, in a list" },
  { shown: "Page ↑ ↓", does: "A screen up or down, in a list" },
  { shown: "Home End", does: "The first or last row, in a list" },
  { shown: "Enter", does: "Play from the chosen row" },
  { shown: "Shift F10", does: "What can be done with it" },
  { shown: "Alt ↑ ↓", does: "Move the row, in the queue or a playlist" },
  { shown: "Delete", does: "Take the row out" },
  { shown: "Esc", does: "Close, or leave a field" },
];

/** Does what the key stands for, unless it belongs to what has the focus. */
export function pressed(page: Page, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (page.dialog !== null || page.menu.opened || belongsTo(event)) return;
  const key = KEYS.find((each) => each.key === event.key.toLowerCase() || each.key === event.key);
  // Signs such as ? need shift on some keyboards and not on others: it is no part of them.
  const sign = /^[^a-z0-9 ]$/i.test(event.key);
  if (!key || (!sign && event.shiftKey !== (key.shift ?? false))) return;
  event.preventDefault();
  key.run(page);
}

/** Whether the element in focus makes something of this key itself. */
function belongsTo(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (
    target.closest(
      "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]",
    )
  ) {
    return true;
  }
  if (event.key === " ") return target.closest("button, a, input, summary, [role=slider]") !== null;
  if (event.key.startsWith("Arrow")) return target.closest("input, [role=slider], [role=menu]") !== null;
  return false;
}

function seekBy({ player }: Page, seconds: number): void {
  if (!player.snapshot.track) return;
  const wanted = player.moment().position + seconds;
  player.seek(Math.min(Math.max(0, wanted), Math.max(0, player.snapshot.duration - 0.5)));
}

function volumeBy({ player }: Page, change: number): void {
  player.setMuted(false);
  player.setVolume(Math.min(1, Math.max(0, player.snapshot.volume + change)));
}

function turnOver(page: Page): void {
  const enabled = !page.player.snapshot.mastering.enabled;
  hear(page.player, enabled);
  page.toasts.tell(enabled ? "Mastered" : "Original");
}

function equalise(page: Page): void {
  const levelMatch = !page.player.snapshot.mastering.levelMatch;
  page.player.setMastering({ levelMatch });
  page.toasts.tell(levelMatch ? "Equal loudness" : "Each at its own loudness");
}

function like(page: Page): void {
  const { track } = page.player.snapshot;
  if (track) page.favorites.toggle(track);
}

function toggleView(router: Page["router"], path: string): void {
  if (router.path === path) router.back("/");
  else router.go(path);
}
