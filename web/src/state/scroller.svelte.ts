/** The part of the page that scrolls, as reactive state: one event a frame at most. */

const CALM_MS = 110;

export class Scroller {
  element: HTMLElement | null = $state(null);
  top: number = $state(0);
  height: number = $state(0);
  width: number = $state(0);
  /** nothing has moved for a moment: time to fetch pictures */
  calm: boolean = $state(true);
  #timer = 0;

  /** Follows `element` until what this returns is called. For `{@attach}`. */
  follow = (element: HTMLElement): (() => void) => {
    this.element = element;
    const measure = new ResizeObserver(() => {
      this.height = element.clientHeight;
      this.width = element.clientWidth;
    });
    const moved = (): void => {
      this.top = element.scrollTop;
      this.calm = false;
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => (this.calm = true), CALM_MS);
    };
    measure.observe(element);
    element.addEventListener("scroll", moved, { passive: true });
    return () => {
      measure.disconnect();
      element.removeEventListener("scroll", moved);
      this.element = null;
    };
  };
}
