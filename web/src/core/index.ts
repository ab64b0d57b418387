/** The page's player, joined from its parts. */

import { ElementWay } from "./element";
import { browserStore, keep, recall, type Kept } from "./memory";
import { WorkletOutput } from "./output";
import { ListeningPlayer } from "./player";
import { Preferences } from "./preferences";
import { followWithMediaSession } from "./session";
import { DEFAULT_MASTERING } from "./shown";
import { Connection } from "./socket";
import { StreamedWay } from "./streamed";
import type { Player } from "./types";
import type { SoundWay, WayListener } from "./way";
import { elementFormat, whyNoWorklet } from "./ways";

const KEEP_POSITION_MS = 5_000;

declare global {
  interface Window {
    /** For tests and the curious; nothing here goes by it. `output` is the last node before the loudspeaker. */
    tonearm?: {
      player: Player;
      context: AudioContext | null;
      output: AudioNode | null;
      elements: readonly HTMLAudioElement[];
    };
  }
}

/** The one player of the page. */
export function createPlayer(): Player {
  const store = browserStore();
  const kept = recall(store);
  const preferences = new Preferences(
    (url, init) => fetch(url, init),
    (text) => {
      player.tell({ text, code: null, wayOn: null });
    },
  );
  const player = new ListeningPlayer(remembered(kept), {
    masteringChosen: (mastering) => {
      preferences.keep(mastering);
    },
    worthKeeping: () => {
      keep(store, worth(player));
    },
  });
  speak(player, async () => {
    const preferred = await preferences.load();
    if (preferred) player.prefer(preferred);
  });
  if (kept) player.restore(kept);
  setInterval(() => {
    if (player.snapshot.state === "playing") keep(store, worth(player));
  }, KEEP_POSITION_MS);
  window.addEventListener("pagehide", () => {
    keep(store, worth(player));
  });
  followWithMediaSession(player);
  return player;
}

/** Joins player, connection and the way of the sound; `opened` is called after each connection. */
function speak(player: ListeningPlayer, opened: () => Promise<void>): void {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const dial = () => new WebSocket(`${scheme}//${location.host}/ws?transport=binary`);
  let way: SoundWay | null = null;
  let streamed: StreamedWay | null = null;
  const connection = new Connection(dial, {
    opened: () => {
      player.connected(true);
      way?.opened();
      void opened();
    },
    lost: () => {
      player.connected(false);
      way?.lost();
    },
    said: (message) => {
      player.said(message);
      streamed?.said(message);
    },
    samples: (meta, payload) => streamed?.samples(meta, payload),
  });
  const byElement = (reason: string) => {
    streamed = null;
    player.voice((listener) => (way = elementWay(player, listener)), reason);
    if (connection.open) way?.opened();
  };
  const reason = whyNoWorklet();
  if (reason) {
    byElement(reason);
  } else {
    const output = new WorkletOutput(new AudioContext({ latencyHint: "interactive" }));
    const say = connection.say.bind(connection);
    player.voice((listener) => (way = streamed = new StreamedWay(output, say, listener)), null);
    window.tonearm = { player, context: output.context, output: output.volume, elements: [] };
    output.ready.catch((error: unknown) => {
      byElement(
        `The browser's own player plays, as its audio worklet could not be opened (${String(error)}).`,
      );
    });
  }
  window.addEventListener("online", () => {
    connection.hurry();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) connection.hurry();
  });
  connection.connect();
}

function elementWay(player: Player, listener: WayListener): ElementWay {
  const elements: [HTMLAudioElement, HTMLAudioElement] = [new Audio(), new Audio()];
  window.tonearm = { player, context: null, output: null, elements };
  return new ElementWay(elements, elementFormat(elements[0]), (url, init) => fetch(url, init), listener);
}

function remembered(kept: Kept | null) {
  const { volume = 1, muted = false, enabled = true, levelMatch = false } = kept ?? {};
  return { volume, muted, mastering: { ...DEFAULT_MASTERING, ...kept?.taste, enabled, levelMatch } };
}

function worth(player: ListeningPlayer): Kept {
  const { queue, index, shuffle, repeat, volume, muted, mastering, state } = player.snapshot;
  const position = state === "idle" ? 0 : player.moment().position;
  const { enabled, levelMatch, preset, intensity, level } = mastering;
  const taste = { preset, intensity, level };
  return { tracks: [...queue], index, position, shuffle, repeat, volume, muted, enabled, levelMatch, taste };
}
