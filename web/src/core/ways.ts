/** Which way the sound can go in this browser. */

const PHONE = /Android|iPhone|iPad|iPod/;

/** Why it cannot, or should not, be the worklet, in a sentence; null where it is. */
export function whyNoWorklet(): string | null {
  const { userAgent, maxTouchPoints } = navigator;
  const tabletThatSaysMac = userAgent.includes("Macintosh") && maxTouchPoints > 1;
  if (PHONE.test(userAgent) || tabletThatSaysMac) {
    return "The browser's own player plays, as only that goes on when the screen is locked.";
  }
  if (!window.isSecureContext) {
    return (
      "The browser's own player plays, as this page did not come over https: " +
      "changes of the mastering take half a second, and tracks join almost without a gap."
    );
  }
  if (!("AudioWorkletNode" in window)) return "The browser's own player plays, as it has no audio worklets.";
  return null;
}

/** In what the sound comes to an element: without loss where that can be played as it comes. */
export function elementFormat(element: HTMLAudioElement): string {
  // WebKit asks for parts of what it plays, and only of this the server can give any part at once.
  if (navigator.vendor.startsWith("Apple")) return "wav";
  return element.canPlayType("audio/flac") ? "flac" : "mp3";
}
