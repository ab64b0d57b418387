/**
 * The way through <audio> elements: for pages without worklets, and for phones, where only an element goes on
 * sounding when the screen is locked.
 *
 * Two decks. What follows is loaded on the other one while the first still plays, and started when that has come
 * to its end; another sound of the same track is loaded some tenths of a second ahead and taken over when the
 * first arrives there. Either is exact to some hundredths of a second, not to the sample.
 */

import { Deck, type AudioLike } from "./deck";
import { describe, matchGainDb, whyNot } from "./described";
import type { Fetch } from "./preferences";
import type { Mastering, Moment, Track } from "./types";
import { NO_FACTS, type Failure, type SoundState, type SoundWay, type WayListener } from "./way";

const FOLLOW_S = 5;
/** So far ahead another sound of what plays is asked for, to be there in time. */
const AHEAD_S = 0.5;
const LOOK_MS = 25;
/** Ended so long before the end, it was broken off. */
const CUT_OFF_S = 1.5;
const RETRY_MS = 2_000;
const ALBUM_LEVEL = new Set(["NO_ALBUM", "ALBUM_NOT_MEASURED"]);

export class ElementWay implements SoundWay {
  readonly kind = "element";
  readonly analyser = null;
  readonly outputRate = null;
  private readonly decks: [Deck, Deck];
  private active: Deck;
  /** What the other deck is loaded for. */
  private loaded: "nothing" | "switch" | "follow" = "nothing";
  private running = false;
  private connected = false;
  /** Where it broke off, to go on there. */
  private lostAt: number | null = null;
  private underruns = 0;
  private mastering: Mastering | null = null;
  private told: SoundState = "idle";
  private looking: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private unlocked = false;

  constructor(
    elements: [AudioLike, AudioLike],
    private readonly format: string,
    private readonly fetch: Fetch,
    private readonly listener: WayListener,
  ) {
    this.decks = [new Deck(elements[0]), new Deck(elements[1])];
    this.active = this.decks[0];
    for (const deck of this.decks) this.follow(deck);
  }

  // ---- what the listener wants -------------------------------------------------------------------

  start(track: Track, position: number, mastering: Mastering, running: boolean): void {
    this.mastering = mastering;
    this.running = running;
    this.lostAt = null;
    this.unload();
    this.active.setFade(1);
    this.active.open(track, position, mastering, this.format);
    this.unlock();
    if (running) this.sound(this.active);
    this.learn(this.active);
    this.watch();
    this.tell();
  }

  change(mastering: Mastering): void {
    this.mastering = mastering;
    const { active } = this;
    if (!active.track) return;
    if (!this.running || !this.heard) {
      this.start(active.track, active.position, mastering, this.running);
      return;
    }
    this.spare.setFade(0);
    this.spare.open(active.track, active.position + AHEAD_S, mastering, this.format);
    this.loaded = "switch";
  }

  pause(): void {
    this.running = false;
    if (this.loaded === "switch") this.unload();
    this.active.element.pause();
    this.tell();
  }

  resume(): void {
    this.running = true;
    if (this.active.track && this.active.mastering !== this.mastering && this.mastering) {
      this.start(this.active.track, this.active.position, this.mastering, true);
    } else {
      this.sound(this.active);
    }
    this.watch();
    this.tell();
  }

  stop(): void {
    clearTimeout(this.retry);
    this.lostAt = null;
    this.unload();
    this.active.close();
    this.watch();
    this.listener.facts(NO_FACTS);
    this.tell();
  }

  followingChanged(): void {
    if (this.loaded === "follow" && this.spare.track?.id !== this.listener.following(1)?.id) this.unload();
  }

  setGain(gain: number): void {
    for (const deck of this.decks) deck.setGain(gain);
  }

  /** A gesture was made. */
  wake(): void {
    if (this.running) this.sound(this.active);
  }

  moment(): Moment {
    const { active } = this;
    const position = this.lostAt ?? active.position;
    return { position, buffered: active.buffered, meter: null, highestTruePeakDbtp: null, clipped: false };
  }

  opened(): void {
    this.connected = true;
    this.goOn();
  }

  lost(): void {
    this.connected = false;
    this.tell();
  }

  // ---- what the elements tell --------------------------------------------------------------------

  private get spare(): Deck {
    return this.active === this.decks[0] ? this.decks[1] : this.decks[0];
  }

  private get heard(): boolean {
    return this.told === "playing";
  }

  private follow(deck: Deck): void {
    const { element } = deck;
    for (const event of ["playing", "pause", "play"] as const)
      element.addEventListener(event, () => {
        this.tell();
      });
    element.addEventListener("waiting", () => {
      if (deck === this.active && this.heard) this.listener.underruns(++this.underruns);
      this.tell();
    });
    element.addEventListener("ended", () => {
      if (deck === this.active) this.over();
    });
    element.addEventListener("error", () => {
      if (deck.track) void this.broke(deck);
    });
  }

  /** The active deck has played all that came. */
  private over(): void {
    const { active } = this;
    const { track, position } = active;
    if (!track) return;
    if (track.duration - position > CUT_OFF_S) {
      this.interrupted(position);
    } else if (this.loaded === "follow" && this.spare.track) {
      this.takeOver(false);
      this.listener.entered(this.active.track as Track);
      this.learn(this.active);
    } else {
      active.close();
      this.tell();
      this.listener.ended();
    }
  }

  private async broke(deck: Deck): Promise<void> {
    const { url, track, position, mastering } = deck;
    const failure = await whyNot(this.fetch, url);
    if (deck.url !== url || !track || !mastering) return;
    if (deck !== this.active) {
      // What was only loaded ahead is asked for again when its time has come.
      this.unload();
    } else if (failure && ALBUM_LEVEL.has(failure.code) && mastering.level === "album") {
      this.listener.told(`${failure.text} It plays at the level of the track.`);
      this.start(track, position, { ...mastering, level: "track" }, this.running);
    } else if (failure) {
      this.fail(track, failure);
    } else {
      this.interrupted(position);
    }
  }

  private fail(track: Track, failure: Failure): void {
    const when = this.heard ? "playing" : "asked";
    this.stop();
    this.listener.failed(track, failure, when);
  }

  /** The server is out of reach, or was for a moment. */
  private interrupted(position: number): void {
    this.lostAt = position;
    this.tell();
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      if (this.connected) this.goOn();
    }, RETRY_MS);
  }

  private goOn(): void {
    const { track } = this.active;
    if (this.lostAt !== null && track && this.mastering)
      this.start(track, this.lostAt, this.mastering, this.running);
    else this.tell();
  }

  // ---- the two decks -----------------------------------------------------------------------------

  private watch(): void {
    clearInterval(this.looking);
    if (this.active.track)
      this.looking = setInterval(() => {
        this.look();
      }, LOOK_MS);
  }

  private look(): void {
    const { active, spare } = this;
    if (!active.track || !this.running) return;
    if (this.loaded === "switch") {
      if (spare.ready && active.position >= spare.position) this.takeOver(true);
      return;
    }
    const left = active.track.duration - active.position;
    const following =
      this.loaded === "nothing" && left < FOLLOW_S && this.heard ? this.listener.following(1) : null;
    if (!following || !this.mastering) return;
    spare.setFade(1);
    spare.open(following, 0, this.mastering, this.format);
    this.loaded = "follow";
  }

  private takeOver(fade: boolean): void {
    const before = this.active;
    this.active = this.spare;
    this.loaded = "nothing";
    this.active.setFade(fade ? 0 : 1);
    this.sound(this.active);
    if (fade) {
      this.active.fadeTo(1);
      before.fadeTo(0);
      this.learn(this.active);
    } else {
      before.close();
    }
  }

  private unload(): void {
    this.spare.close();
    this.loaded = "nothing";
  }

  private sound(deck: Deck): void {
    deck.element.play().then(
      () => {
        this.listener.blocked(false);
      },
      (error: unknown) => {
        if (!(error instanceof DOMException)) throw error;
        // AbortError: something else was asked for meanwhile. What cannot be played is told by `error`.
        if (error.name === "NotAllowedError") this.listener.blocked(true);
      },
    );
  }

  /** In a gesture both elements may be let sound; later only those that were. */
  private unlock(): void {
    if (this.unlocked) return;
    this.unlocked = true;
    this.spare.element.load();
  }

  /** Asks what is played, and tells it if it is still played when the answer comes. */
  private learn(deck: Deck): void {
    const { track, mastering, url } = deck;
    if (!track || !mastering) return;
    void describe(this.fetch, url, track, mastering).then((said) => {
      if (this.active.url !== url || !said) return;
      const matched = mastering.enabled && mastering.levelMatch && said.plan ? matchGainDb(said.plan) : null;
      const facts = { ...NO_FACTS, duration: track.duration, streamRate: track.sample_rate };
      this.listener.facts({
        ...facts,
        masteringState: said.state,
        plan: said.plan,
        levelMatchGainDb: matched,
      });
    });
  }

  private tell(): void {
    const state = this.state;
    if (state === this.told) return;
    this.told = state;
    this.listener.state(state);
  }

  private get state(): SoundState {
    const { track, element } = this.active;
    if (!track) return "idle";
    if (!this.running) return "paused";
    if (this.lostAt !== null) return "reconnecting";
    return !element.paused && this.active.ready ? "playing" : "loading";
  }
}
