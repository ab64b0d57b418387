/**
 * Which rows of a list of any length are in view, and where they stand.
 *
 * Browsers draw nothing below some height (Firefox 17.9 million pixels, others 33.5 million), so a longer list is
 * drawn on a shorter element: each pixel scrolled then stands for a little more than one of the list.
 */

export interface View {
  /** rows in the list */
  count: number;
  /** pixels of one row */
  row: number;
  /** pixels by which the list's beginning is scrolled out of view; negative while it is below the top */
  top: number;
  /** pixels of what is visible */
  height: number;
  /** pixels that an element may have at most */
  limit: number;
}

export interface Placed {
  /** pixels of the element that holds the list */
  length: number;
  /** the rows to draw: `first` to `last` (excluded) */
  first: number;
  last: number;
  /** pixels from the element's top to row `first` */
  offset: number;
}

/** rows drawn beyond either end of the view */
export const SPARE = 6;

export function place(view: View): Placed {
  const whole = view.count * view.row;
  const length = Math.min(whole, view.limit);
  const inside = Math.min(Math.max(0, view.top), Math.max(0, length - view.height));
  const shown = inside * shownPerScrolled(whole, length, view.height);
  const first = Math.max(0, Math.floor(shown / view.row) - SPARE);
  const last = Math.min(view.count, Math.ceil((shown + view.height) / view.row) + SPARE);
  return { length, first, last, offset: first * view.row + (inside - shown) };
}

/** Where to scroll, in pixels from the element's top, so that row `index` is in view; null if it is already. */
export function scrollTo(view: View, index: number): number | null {
  const whole = view.count * view.row;
  const length = Math.min(whole, view.limit);
  const factor = shownPerScrolled(whole, length, view.height);
  const shown = Math.max(0, view.top) * factor;
  const [above, below] = [index * view.row, (index + 1) * view.row - view.height];
  if (above < shown) return above / factor;
  if (below > shown) return below / factor;
  return null;
}

function shownPerScrolled(whole: number, length: number, height: number): number {
  return whole <= length || length <= height ? 1 : (whole - height) / (length - height);
}

/** Pixels that an element of this browser may have. */
export function heightLimit(): number {
  const wanted = 30_000_000;
  const probe = document.createElement("div");
  probe.style.cssText = `position:absolute;visibility:hidden;width:1px;height:${wanted}px`;
  document.body.append(probe);
  const got = probe.getBoundingClientRect().height;
  probe.remove();
  return got >= wanted ? wanted : 15_000_000;
}
