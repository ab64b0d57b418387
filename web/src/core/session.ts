/** The system's own controls: lock screen, media keys, headphones. */

import type { Player, Snapshot, Track } from "./types";

const POSITION_EVERY_MS = 1_000;

/** Follows the player from here on. Does nothing where the browser knows no such controls. */
export function followWithMediaSession(player: Player): void {
  if (!("mediaSession" in navigator)) return;
  const session = navigator.mediaSession;
  const actions: [MediaSessionAction, MediaSessionActionHandler][] = [
    [
      "play",
      () => {
        player.resume();
      },
    ],
    [
      "pause",
      () => {
        player.pause();
      },
    ],
    [
      "stop",
      () => {
        player.stop();
      },
    ],
    [
      "nexttrack",
      () => {
        player.next();
      },
    ],
    [
      "previoustrack",
      () => {
        player.previous();
      },
    ],
    [
      "seekto",
      ({ seekTime }) => {
        if (seekTime !== undefined) player.seek(seekTime);
      },
    ],
    [
      "seekbackward",
      ({ seekOffset }) => {
        player.seek(player.moment().position - (seekOffset ?? 10));
      },
    ],
    [
      "seekforward",
      ({ seekOffset }) => {
        player.seek(player.moment().position + (seekOffset ?? 10));
      },
    ],
  ];
  for (const [action, handler] of actions) {
    try {
      session.setActionHandler(action, handler);
    } catch (error) {
      // An action that this browser does not know.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  let track: Track | null = null;
  player.subscribe((snapshot) => {
    if (snapshot.track !== track) {
      track = snapshot.track;
      session.metadata = track && described(track);
    }
    session.playbackState = playbackState(snapshot);
    tellPosition(session, player);
  });
  setInterval(() => {
    if (player.snapshot.state === "playing") tellPosition(session, player);
  }, POSITION_EVERY_MS);
}

function described(track: Track): MediaMetadata {
  const artwork = track.artwork_url ? [{ src: new URL(track.artwork_url, location.href).href }] : [];
  return new MediaMetadata({
    title: track.title,
    artist: track.artist ?? "",
    album: track.album ?? "",
    artwork,
  });
}

function playbackState({ state }: Snapshot): MediaSessionPlaybackState {
  if (state === "idle") return "none";
  return state === "paused" ? "paused" : "playing";
}

function tellPosition(session: MediaSession, player: Player): void {
  const { duration } = player.snapshot;
  if (!(duration > 0)) return;
  const position = Math.max(0, Math.min(duration, player.moment().position));
  session.setPositionState({ duration, position, playbackRate: 1 });
}
