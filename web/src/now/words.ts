/** What the player and the server say, in plain words. */

import type { Level, Policy, Preset, Snapshot } from "../core/types";
import type { PresetDescription } from "./answers.svelte";
import { fixed, signed } from "./numbers";

/** Less than this is not worth a sentence, dB. */
const HEARD_DB = 0.05;

export const BAND_WORDS: Record<string, string> = {
  sub_bass: "Sub bass",
  bass: "Bass",
  low_mid: "Low mids",
  mid: "Mids",
  upper_mid: "Upper mids",
  presence: "Presence",
  air: "Air",
};

export const PRESET_WORDS: Record<Preset, string> = {
  adaptive: "Adaptive",
  gentle: "Gentle",
  warm: "Warm",
  bright: "Bright",
  punchy: "Punchy",
  live: "Live",
};

export const LEVEL_WORDS: Record<Level, { name: string; meaning: string }> = {
  track: { name: "Each track", meaning: "Every track is brought to the loudness you prefer by itself." },
  album: {
    name: "Whole album",
    meaning: "One gain for the whole album: quiet tracks stay quieter than loud ones.",
  },
};

export const POLICY_WORDS: Record<Policy, { name: string; meaning: string }> = {
  restore: {
    name: "Restore",
    meaning: "Loud and squashed: turned down first, then attacks are opened up again.",
  },
  preserve: { name: "Preserve", meaning: "Loud and still alive: one gain, and nothing else is touched." },
  master: {
    name: "Master",
    meaning: "Quiet or moderate: there is room for tone, gentle dynamics and level.",
  },
};

const FORMATS: Record<string, string> = {
  vorbis: "Ogg Vorbis",
  opus: "Opus",
  wavpack: "WavPack",
  alac: "Apple Lossless",
};

/** The format of a file as people call it. */
export function formatWords(format: string): string {
  return FORMATS[format] ?? (format.startsWith("pcm") ? "PCM" : format.toUpperCase());
}

/** On what the sound rests, as a headline and a sentence. */
export interface Standing {
  kind: "fingerprint" | "provisional" | "standard" | "none" | "waiting";
  headline: string;
  sentence: string;
}

/** What the listener hears now, and why. */
export function standing(snapshot: Snapshot): Standing {
  const { masteringState, plan, progress, mastering } = snapshot;
  switch (masteringState) {
    case null:
      return snapshot.state === "loading"
        ? { kind: "waiting", headline: "Getting ready", sentence: "The server is preparing this track." }
        : { kind: "waiting", headline: "Not playing", sentence: "Press play to hear this track." };
    case "fingerprint":
      return {
        kind: "fingerprint",
        headline: "Mastered from its fingerprint",
        sentence: "All of this track was measured, and every setting follows from what was found.",
      };
    case "provisional": {
      const heard = plan?.measured["heard_s"];
      const of =
        typeof heard === "number" ? `${fixed(heard, 0)} s of this track` : "a few seconds of this track";
      return {
        kind: "provisional",
        headline: "First impression",
        sentence: `Level and some tone, judged by ${of}. The rest glides in when all of it has been measured.`,
      };
    }
    case "standard":
      return {
        kind: "standard",
        headline: "Standard mastering",
        sentence: standardSentence(progress?.message),
      };
    case "none":
      return original(mastering.enabled && mastering.intensity > 0, snapshot);
  }
}

function standardSentence(message: string | undefined): string {
  // The server's sentence ends with what the headline already says.
  const why = message?.replace(/\s*Playing with standard mastering\.$/, "");
  return (
    `${why ?? "The fingerprint server did not answer in time."} Level and tone go carefully by what is heard, ` +
    "and go on moving: the settings below are those it began with."
  );
}

function original(wanted: boolean, snapshot: Snapshot): Standing {
  const reason = snapshot.plan?.parameters["gain_db"]?.reason;
  const down = snapshot.levelMatchGainDb ?? 0;
  const touched =
    down < -HEARD_DB ? `Turned down by ${fixed(-down)} dB, and nothing else.` : "The source, bit for bit.";
  if (wanted) {
    return { kind: "none", headline: "Left as it is", sentence: reason ? sentence(reason) : touched };
  }
  const headline = snapshot.mastering.enabled ? "Intensity 0: the original" : "The original";
  return { kind: "none", headline, sentence: touched };
}

/** A reason as a sentence: a capital letter, true minus signs, none before nothing, and a full stop. */
export function sentence(reason: string): string {
  const text = reason
    .trim()
    .replace(/(?<![\w.)])[+-](0\.0+)(?![\d])/g, "$1")
    .replace(/(?<![\w.)])-(?=\d)/g, "\u2212");
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** `not applied: why` as it is told of a stage that rests; null where the stage is at work. */
export function leftAlone(reason: string | undefined): string | null {
  const match = reason?.match(/^(?:not applied|flat)[:,]\s*(.*)$/s);
  return match?.[1] ? sentence(match[1]) : null;
}

/** What equal loudness does to what is heard now. */
export function matchWords(snapshot: Snapshot): string {
  const { mastering, levelMatchGainDb: gain } = snapshot;
  if (!mastering.levelMatch)
    return "Louder always seems better. Compare at equal loudness to judge the sound alone.";
  if (!snapshot.track) return "Both are heard at equal loudness, so that you compare sound, not volume.";
  if (gain === null) return "How loud this track is, is not known yet: nothing is turned down.";
  const [heard, other] = mastering.enabled
    ? ["Mastered", "the original"]
    : ["The original", "the mastered one"];
  if (gain < -HEARD_DB)
    return `${heard} is turned down by ${fixed(-gain)} dB so that you compare sound, not volume.`;
  return `${heard} is the quieter of the two: ${other} is turned down to it.`;
}

/** What a preset moves, one short phrase for each. */
export function movesWords(moves: PresetDescription["moves"]): string[] {
  const said = Object.entries(moves.tone_db)
    .filter(([, gain]) => gain)
    .map(([band, gain]) => `${BAND_WORDS[band] ?? band} ${signed(gain)} dB`);
  const corrections = [...new Set(Object.values(moves.correction_scale))];
  const everywhere = corrections.length === 1 ? "Tone correction" : "Tone correction at the top";
  const scales: [string, number][] = [
    [everywhere, Math.min(...corrections)],
    ["Compression", moves.compression_scale],
    ["Re-opened attacks", moves.restoration_scale],
    ["Width", moves.width_scale],
  ];
  for (const [what, scale] of scales) {
    if (scale !== 1) said.push(scale === 0 ? `${what} off` : `${what} \u00d7 ${scale}`);
  }
  if (moves.target_offset_db) said.push(`Target ${signed(moves.target_offset_db)} dB`);
  return said;
}
