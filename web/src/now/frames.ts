/** One loop for all that moves: nothing runs while the tab is hidden, nor for what is scrolled out of sight. */

import type { Attachment } from "svelte/attachments";

import type { Moment, Player } from "../core/types";

type Draw = (now: DOMHighResTimeStamp) => void;

const draws = new Set<Draw>();
let asked = 0;

function run(now: DOMHighResTimeStamp): void {
  asked = 0;
  for (const draw of draws) draw(now);
  ask();
}

function ask(): void {
  if (!asked && draws.size && !document.hidden) asked = requestAnimationFrame(run);
}

if (typeof document !== "undefined") {
  document.addEventListener("visibilitychange", () => {
    cancelAnimationFrame(asked);
    asked = 0;
    ask();
  });
}

/** Calls `draw` on every frame; returns what ends that. */
export function eachFrame(draw: Draw): () => void {
  draws.add(draw);
  ask();
  return () => draws.delete(draw);
}

/** Calls `draw` on every frame in which some of the element is on the screen. */
export function whileSeen(draw: Draw): Attachment<Element> {
  return (element) => {
    let end: (() => void) | null = null;
    const watch = new IntersectionObserver((entries) => {
      const seen = entries.some((entry) => entry.isIntersecting);
      if (seen && !end) end = eachFrame(draw);
      if (!seen && end) {
        end();
        end = null;
      }
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      end?.();
    };
  };
}

/** Whether the listener asked for less motion. */
export function calm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Keeps an element's text true of the moment that is heard, without the page being told of it. */
export function liveText(player: Player, words: (moment: Moment) => string): Attachment<Element> {
  return (element) => {
    let last = "";
    return whileSeen(() => {
      const text = words(player.moment());
      if (text !== last) element.textContent = last = text;
    })(element);
  };
}
