/** Canvases that are as sharp as the screen and as light or dark as the page. */

const TOKENS = ["ink", "ink-2", "ink-3", "line", "accent", "source", "surface", "danger"] as const;
export type Colours = Record<(typeof TOKENS)[number], string>;

let colours: Colours | null = null;

function forget(): void {
  colours = null;
}

if (typeof matchMedia !== "undefined") {
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
    matchMedia(query).addEventListener("change", forget);
  }
}

/** The page's colours as they are now. A `light-dark()` is settled only where it is used, hence the element. */
export function theColours(): Colours {
  if (colours) return colours;
  const probe = document.body.appendChild(document.createElement("i"));
  const read = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  colours = Object.fromEntries(TOKENS.map((token) => [token, read(token)])) as Colours;
  probe.remove();
  return colours;
}

/** The canvas's pen, in CSS pixels, on an empty sheet; null while it has no size. */
export function sheet(
  canvas: HTMLCanvasElement,
): { pen: CanvasRenderingContext2D; width: number; height: number } | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pen = canvas.getContext("2d");
  if (!pen || !width || !height) return null;
  const sharp = Math.min(3, devicePixelRatio || 1);
  const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}
