/** The page's player, joined from its parts. */

import { browserStore, keep, recall, type Kept } from "./memory";
import { WorkletOutput } from "./output";
import { DEFAULT_MASTERING, ListeningPlayer } from "./player";
import { Preferences } from "./preferences";
import { followWithMediaSession } from "./session";
import { Connection } from "./socket";
import { StreamedWay } from "./streamed";
import type { Player } from "./types";

const KEEP_POSITION_MS = 5_000;

declare global {
  interface Window {
    /** For tests and the curious; nothing here goes by it. */
    tonearm?: { player: Player; context: AudioContext | null; output: AudioNode | null };
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
  const player = new ListeningPlayer(
    {
      volume: kept?.volume ?? 1,
      muted: kept?.muted ?? false,
      mastering: {
        ...DEFAULT_MASTERING,
        enabled: kept?.enabled ?? true,
        levelMatch: kept?.levelMatch ?? false,
      },
      way: "worklet",
      wayReason: null,
    },
    {
      masteringChosen: (mastering) => {
        preferences.keep(mastering);
      },
      worthKeeping: () => {
        if (ready) keep(store, worth(player));
      },
    },
    Math.random,
  );
  let ready = false;
  const output = new WorkletOutput(new AudioContext({ latencyHint: "interactive" }));
  speak(player, output, async () => {
    const preferred = await preferences.load();
    if (preferred) player.prefer(preferred);
  });
  if (kept) {
    player.setRepeat(kept.repeat);
    player.restore(kept.tracks, kept.index, kept.position);
  }
  ready = true;
  setInterval(() => {
    if (player.snapshot.state === "playing") keep(store, worth(player));
  }, KEEP_POSITION_MS);
  window.addEventListener("pagehide", () => {
    keep(store, worth(player));
  });
  followWithMediaSession(player);
  window.tonearm = { player, context: output.context, output: output.volume };
  return player;
}

/** Joins player, connection and the way through the socket. */
function speak(player: ListeningPlayer, output: WorkletOutput, opened: () => Promise<void>): void {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const dial = () => new WebSocket(`${scheme}//${location.host}/ws?transport=binary`);
  let way: StreamedWay | null = null;
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
      way?.said(message);
    },
    samples: (meta, payload) => way?.samples(meta, payload),
  });
  player.voice((listener) => {
    const streamed = new StreamedWay(output, (request) => connection.say(request), listener);
    output.onBlocked = listener.blocked.bind(listener);
    output.onInterrupted = listener.interrupted.bind(listener);
    way = streamed;
    return Object.assign(streamed, {
      kind: "worklet" as const,
      analyser: output.analyser,
      outputRate: output.rate,
      setGain: (gain: number) => {
        output.setGain(gain);
      },
      wake: () => {
        output.wake();
      },
    });
  });
  window.addEventListener("online", () => {
    connection.hurry();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) connection.hurry();
  });
  connection.connect();
}

function worth(player: ListeningPlayer): Kept {
  const { queue, index, shuffle, repeat, volume, muted, mastering, state } = player.snapshot;
  const position = state === "idle" ? 0 : player.moment().position;
  const { enabled, levelMatch } = mastering;
  return { tracks: [...queue], index, position, shuffle, repeat, volume, muted, enabled, levelMatch };
}
