import { batch, computed, signal } from "@preact/signals";
import { Clock } from "./clock.js";
import { LatestOnly } from "./latest-only.js";

/** All frames of a run, and how long a timestep took. */
export interface Computed<Frame> {
  readonly frames: readonly Frame[];
  /** Median duration of a timestep in milliseconds. */
  readonly milliseconds: number;
}

/** Something that computes whole runs: the worker of a view. `Facts` is what it knows once it is open. */
export interface Computer<Request, Frame, Facts> {
  open(): Promise<Facts>;
  run(request: Request): Promise<Computed<Frame>>;
}

/** The run that a view shows, and the clock that plays its frames. */
export class Player<Request, Frame, Facts> {
  readonly frames = signal<readonly Frame[]>([]);
  readonly facts = signal<Facts | undefined>(undefined);
  readonly milliseconds = signal<number | undefined>(undefined);
  readonly clock: Clock;
  readonly #work: LatestOnly<Request>;
  /** The frame that the clock is approaching or has reached. */
  readonly index = computed(() => Math.min(Math.ceil(this.clock.time.value), this.frames.value.length - 1));
  readonly current = computed(() => this.frames.value[this.index.value]);
  /** Whether the frames are not yet those of the latest request. */
  readonly isBusy = computed(() => this.frames.value.length === 0 || this.#work.isBusy.value);

  /** @param speed timesteps per second */
  constructor(computer: Computer<Request, Frame, Facts>, speed: () => number) {
    this.clock = new Clock({ end: () => this.frames.value.length - 1, isWhole: () => true, speed });
    this.#work = new LatestOnly(async (request) => {
      this.facts.value ??= await computer.open();
      const { frames, milliseconds } = await computer.run(request);
      batch(() => {
        this.frames.value = frames;
        this.milliseconds.value = milliseconds;
        this.clock.time.value = Math.min(this.clock.time.value, frames.length - 1);
      });
    });
  }

  get problem(): string | undefined {
    return this.#work.problem.value;
  }

  /** Asks for a run. The clock stays where it is, or at the last frame of a shorter run. */
  request(wanted: Request): void {
    this.#work.request(wanted);
  }
}
