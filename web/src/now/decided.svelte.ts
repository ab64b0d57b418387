/** The plan of the track that plays: the one in force, or, while the original is heard, the one that would be. */

import type { MasteringPlan } from "../core/types";
import type { Shown } from "../state/player.svelte";
import { planFor } from "./answers.svelte";

export class Decided {
  #would: { key: string; plan: MasteringPlan } | null = $state.raw(null);
  readonly #snapshot;
  readonly #key: string;
  /** whether the source passes untouched */
  readonly bypassed: boolean;
  /** null where nothing is known of the track yet */
  readonly plan: MasteringPlan | null;

  /** To be made while a component is set up. */
  constructor(shown: () => Shown) {
    this.#snapshot = $derived(shown().snapshot);
    this.#key = $derived.by(() => {
      const { track, mastering } = this.#snapshot;
      return `${track?.id} ${mastering.preset} ${mastering.intensity} ${mastering.level}`;
    });
    this.bypassed = $derived.by(() => {
      const { mastering, masteringState } = this.#snapshot;
      return !mastering.enabled || mastering.intensity === 0 || masteringState === "none";
    });
    this.plan = $derived.by(() => {
      const { track, plan } = this.#snapshot;
      if (plan && !plan.bypass && plan.track_id === track?.id && !this.bypassed) return plan;
      // Of the same track, what held before is shown until the new one is known.
      return this.#would?.plan.track_id === track?.id ? (this.#would?.plan ?? null) : null;
    });
    $effect(() => {
      const { plan, track, mastering } = this.#snapshot;
      if (!plan || plan.bypass || plan.track_id !== track?.id) return;
      const asked = plan.preset === mastering.preset && Math.abs(plan.intensity - mastering.intensity) < 1e-6;
      if (asked) this.#would = { key: this.#key, plan };
    });
    $effect(() => {
      const untold = this.bypassed || this.#snapshot.masteringState === null;
      if (untold && this.#would?.key !== this.#key) void this.#ask(this.#key);
    });
  }

  async #ask(key: string): Promise<void> {
    const { track, mastering } = this.#snapshot;
    if (!track) return;
    // At intensity 0 nothing would be done; the whole plan says what could be.
    const asked = { ...mastering, intensity: mastering.intensity || 1 };
    const plan =
      (await planFor(track.id, asked)) ??
      (mastering.level === "album" ? await planFor(track.id, { ...asked, level: "track" }) : null);
    if (plan && key === this.#key) this.#would = { key, plan };
  }
}
