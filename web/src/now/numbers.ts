/** Numbers as people read them: a true minus sign, a fixed number of digits, and a dash where there is none. */

const MINUS = "\u2212";
export const NONE = "\u2013";

/** `-3.25` -> `−3.3`; `digits` after the point. What rounds to zero has no sign. */
export function fixed(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** As `fixed`, with a plus before what is above zero. */
export function signed(value: number | null | undefined, digits = 1): string {
  const text = fixed(value, digits);
  return typeof value === "number" && value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** A number with its unit, or the dash alone. */
export function withUnit(text: string, unit: string): string {
  return text === NONE || unit === "" ? text : unit === "%" ? `${text} %` : `${text} ${unit}`;
}

/** Seconds as a clock shows them: `3:05`, `1:02:05`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part: number) => String(part).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds as they are spoken: `1 hour 2 minutes 5 seconds`. */
export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts
    .filter(([count]) => count)
    .map(([count, name]) => `${count} ${name}${count > 1 ? "s" : ""}`);
  return said.join(" ") || "0 seconds";
}

/** `44100` -> `44.1 kHz`. */
export function kilohertz(rate: number): string {
  return `${Number((rate / 1000).toFixed(2))} kHz`;
}

/** A frequency on an axis: `63`, `1k`, `20k`. */
export function shortHertz(hertz: number): string {
  return hertz >= 1000 ? `${Number((hertz / 1000).toFixed(1))}k` : String(Math.round(hertz));
}
