import { signal } from "@preact/signals";

/** Seconds that the last frame stays before the run plays again. */
const PAUSE = 2;

/** What a clock plays. */
export interface Played {
  /** The last position that exists so far; below 0 if there is none. */
  readonly end: () => number;
  /** Whether nothing will follow after the end. */
  readonly isWhole: () => boolean;
  /** Positions per second. */
  readonly speed: () => number;
}

/** A clock that plays a run again and again. A fraction of a position is between two frames. */
export class Clock {
  readonly time = signal(0);
  /** Stands still at first if the visitor has asked for little motion. */
  readonly isPlaying = signal(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  #rested = 0;

  constructor(private readonly played: Played) {}

  /** Advances the clock by some seconds; at the end, it waits and plays the run again. */
  advance(seconds: number): void {
    const end = this.played.end();
    if (!this.isPlaying.value || end < 0) return;
    const next = this.time.value + seconds * this.played.speed();
    if (next < end) this.time.value = next;
    else {
      this.time.value = end;
      if (!this.played.isWhole()) return;
      this.#rested += seconds;
      if (this.#rested > PAUSE) this.rewind();
    }
  }

  /** Stops the clock at a position. */
  seek(position: number): void {
    this.isPlaying.value = false;
    this.time.value = Math.min(this.played.end(), Math.max(0, position));
  }

  rewind(): void {
    this.time.value = 0;
    this.#rested = 0;
  }

  /** Plays the run from its start. */
  replay(): void {
    this.rewind();
    this.isPlaying.value = true;
  }
}
