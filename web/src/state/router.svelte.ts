/** Where the listener is: the History API as reactive state, with scroll positions that come back. */

import { type Route, routeOf } from "./routes";

const PATIENCE_MS = 3000;

/** What the page scrolls. */
export interface Scrolled {
  scrollTop: number;
}

export class Router {
  /** the address within this server */
  path: string = $state("");
  readonly route: Route = $derived(routeOf(...split(this.path)));
  /** counts arrivals at another view, so that the focus can follow */
  arrivals: number = $state(0);
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing shows it
  readonly #positions = new Map<string, number>();
  #key = "";
  #restoring = 0;

  constructor(private readonly scrolled: () => Scrolled | null) {
    history.scrollRestoration = "manual";
    this.path = location.pathname + location.search;
    this.#key = this.#keyOf(history.state) ?? this.#newKey();
    history.replaceState({ key: this.#key }, "");
    addEventListener("popstate", (event) => this.#popped(event.state));
    addEventListener("click", (event) => this.#clicked(event));
  }

  /** Opens the view at `path`. */
  go(path: string): void {
    if (path === this.path) return;
    this.#leave();
    this.#key = this.#newKey();
    history.pushState({ key: this.#key }, "", path);
    this.#arrive(path, 0);
  }

  /** The same view, as it now is: its address changes, and there is nothing to go back to. */
  replace(path: string): void {
    if (path === this.path) return;
    history.replaceState({ key: this.#key }, "", path);
    this.path = path;
  }

  /** Back to where the listener came from, or to `otherwise` if this is where they came in. */
  back(otherwise: string): void {
    if (this.#positions.size) history.back();
    else this.go(otherwise);
  }

  #popped(state: unknown): void {
    this.#leave();
    this.#key = this.#keyOf(state) ?? this.#newKey();
    this.#arrive(location.pathname + location.search, this.#positions.get(this.#key) ?? 0);
  }

  #leave(): void {
    this.#positions.set(this.#key, this.scrolled()?.scrollTop ?? 0);
  }

  #arrive(path: string, top: number): void {
    this.path = path;
    this.arrivals++;
    this.#scrollTo(top);
  }

  /** Tries until the view is long enough, or the listener scrolls. */
  #scrollTo(top: number): void {
    const attempt = ++this.#restoring;
    const until = performance.now() + PATIENCE_MS;
    const stop = (): void => void this.#restoring++;
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      addEventListener(kind, stop, { once: true, passive: true });
    }
    const step = (): void => {
      const place = this.scrolled();
      if (attempt !== this.#restoring || !place) return;
      place.scrollTop = top;
      if (Math.abs(place.scrollTop - top) > 1 && performance.now() < until) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash || link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }

  #keyOf(state: unknown): string | null {
    const key = (state as { key?: unknown } | null)?.key;
    return typeof key === "string" ? key : null;
  }

  #newKey(): string {
    return `${performance.timeOrigin + performance.now()}`;
  }
}

function split(path: string): [string, string] {
  const [pathname = "", search = ""] = path.split("?", 2);
  return [pathname, search];
}
