/** Going over from one to the other, so that it is a comparison of sound and not of volume. */

import type { Player } from "../core/types";

let offered = false;

/**
 * Lets the original (`enabled` false) or the mastered one be heard. The first time, equal loudness is turned on with
 * it; after that it is as the listener leaves it.
 */
export function hear(player: Player, enabled: boolean): void {
  player.setMastering(offered ? { enabled } : { enabled, levelMatch: true });
  offered = true;
}
