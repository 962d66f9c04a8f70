import { computed, signal } from "@preact/signals";
import type { ObjectFrame, ObjectRequest, ObjectRun } from "../compute/akorn-frame.js";

/** Something that computes AKOrN: the worker. */
export interface ObjectComputer {
  open(): Promise<readonly { readonly name: string; readonly value: number }[]>;
  run(request: ObjectRequest): Promise<ObjectRun>;
}

/** Seconds that the last frame stays before the run plays again. */
const PAUSE = 2;

/**
 * The run that the page shows, and a clock that plays its frames. One run is computed at a time; meanwhile, only the
 * latest of the following requests is remembered.
 */
export class ObjectPlayer {
  readonly frames = signal<readonly ObjectFrame[]>([]);
  /** Position of the clock in frames: a fraction is between two frames. */
  readonly time = signal(0);
  readonly isPlaying = signal(true);
  readonly isBusy = signal(true);
  readonly figures = signal<readonly { readonly name: string; readonly value: number }[]>([]);
  readonly milliseconds = signal<number | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  /** The frame that the clock is approaching or has reached. */
  readonly index = computed(() => Math.min(Math.ceil(this.time.value), this.frames.value.length - 1));
  readonly current = computed(() => this.frames.value[this.index.value]);

  #wanted: ObjectRequest | undefined;
  #ended = 0;
  #isWorking = false;

  constructor(
    private readonly computer: ObjectComputer,
    /** Timesteps per second. */
    private readonly speed: () => number,
  ) {}

  /** Asks for a run. The clock stays where it is, or at the last frame of a shorter run. */
  request(wanted: ObjectRequest): void {
    this.#wanted = wanted;
    this.isBusy.value = true;
    if (!this.#isWorking && this.problem.value === undefined) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    try {
      if (this.figures.value.length === 0) this.figures.value = await this.computer.open();
      for (let next = this.#take(); next !== undefined; next = this.#take()) {
        const { frames, milliseconds } = await this.computer.run(next);
        this.frames.value = frames;
        this.milliseconds.value = milliseconds;
        this.time.value = Math.min(this.time.value, frames.length - 1);
      }
      this.isBusy.value = false;
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
    this.#isWorking = false;
  }

  #take(): ObjectRequest | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  /** Advances the clock by some seconds; at the end, it waits and plays the run again. */
  advance(seconds: number): void {
    const end = this.frames.value.length - 1;
    if (!this.isPlaying.value || end < 0) return;
    const next = this.time.value + seconds * this.speed();
    if (next < end) this.time.value = next;
    else {
      this.time.value = end;
      this.#ended += seconds;
      if (this.#ended > PAUSE) {
        this.#ended = 0;
        this.time.value = 0;
      }
    }
  }

  /** Stops the clock at a frame. */
  seek(frame: number): void {
    this.isPlaying.value = false;
    this.time.value = Math.min(this.frames.value.length - 1, Math.max(0, frame));
  }

  /** Plays the run from its first frame. */
  replay(): void {
    this.time.value = 0;
    this.#ended = 0;
    this.isPlaying.value = true;
  }
}
