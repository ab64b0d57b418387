/** What can be done with a track, as its menu offers it. */

import type { Track } from "../core/types";
import type { Choice } from "./menu.svelte";
import type { Page } from "./page.svelte";

export function choicesFor(page: Page, track: Track): Choice[] {
  const favorite = page.favorites.has(track);
  const choices: Choice[] = [
    { name: "Play next", icon: "next", run: () => addNext(page, [track]) },
    { name: "Add to queue", icon: "queue", run: () => addToQueue(page, [track]) },
    {
      name: "Add to playlist …",
      icon: "plus",
      run: () => void (page.dialog = { addToPlaylist: [track] }),
    },
    {
      name: favorite ? "Remove from favourites" : "Add to favourites",
      icon: "heart",
      run: () => page.favorites.toggle(track),
    },
    { name: "More like this", icon: "alike", run: `/tracks/${track.id}/similar` },
  ];
  if (track.album_id !== null) {
    choices.push({ name: "Go to album", icon: "album", run: `/albums/${track.album_id}` });
  }
  if (track.artist !== null) {
    choices.push({
      name: "Go to artist",
      icon: "artist",
      run: () => void page.goToArtist(track.artist ?? ""),
    });
  }
  return choices;
}

export function addNext(page: Page, tracks: readonly Track[]): void {
  page.player.playNext(tracks);
  page.toasts.say(
    tracks.length === 1 ? `Plays next: ${tracks[0]?.title}` : `${tracks.length} tracks play next`,
  );
}

export function addToQueue(page: Page, tracks: readonly Track[]): void {
  page.player.enqueue(tracks);
  page.toasts.say(
    tracks.length === 1
      ? `Added to the queue: ${tracks[0]?.title}`
      : `${tracks.length} tracks added to the queue`,
  );
}
