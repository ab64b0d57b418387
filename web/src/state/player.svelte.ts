/** The page's one player, and what it says of itself as reactive state. */

import type { Player, Snapshot } from "../core/types";

/** Follows a player: `shown.snapshot` is read in templates and effects. */
export class Shown {
  snapshot: Snapshot = $state.raw() as Snapshot;

  constructor(readonly player: Player) {
    this.snapshot = player.snapshot;
    player.subscribe((snapshot) => {
      this.snapshot = snapshot;
    });
  }
}
