/** Numbers as words for people. */

/** 245.3 -> "4:05", 3725 -> "1:02:05" */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 0.5));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** 245.3 -> "4 minutes", 7300 -> "2 hours 2 minutes" */
export function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return "under a minute";
  if (minutes < 60) return counted(minutes, "minute");
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  if (days) return hours ? `${counted(days, "day")} ${counted(hours, "hour")}` : counted(days, "day");
  return minutes % 60
    ? `${counted(hours, "hour")} ${counted(minutes % 60, "minute")}`
    : counted(hours, "hour");
}

/** 1, "track" -> "1 track"; 1200, "track" -> "1,200 tracks" */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** How long ago `moment` was, seen from `now`: "just now", "3 hours ago", "12 March 2026". */
export function ago(moment: string, now: Date): string {
  const then = new Date(moment);
  const minutes = Math.floor((now.getTime() - then.getTime()) / 60_000);
  if (minutes < 2) return "just now";
  if (minutes < 60) return `${counted(minutes, "minute")} ago`;
  if (minutes < 24 * 60) return `${counted(Math.floor(minutes / 60), "hour")} ago`;
  if (minutes < 7 * 24 * 60) return `${counted(Math.floor(minutes / 1440), "day")} ago`;
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

/** What a track is as a file: "FLAC 24/96", "Vorbis 44.1". */
export function quality(format: string, bits: number | null, rate: number): string {
  const names: Record<string, string> = { vorbis: "Vorbis", opus: "Opus" };
  const kilohertz = `${Number((rate / 1000).toFixed(1))}`;
  const name = names[format] ?? (format.startsWith("pcm") ? "PCM" : format.toUpperCase());
  return bits ? `${name} ${bits}/${kilohertz}` : `${name} ${kilohertz}`;
}
