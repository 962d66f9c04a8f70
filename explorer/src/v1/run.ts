import { batch, signal } from "@preact/signals";
import type { Population, PopulationRequest, Tuning, V1Answer } from "../compute/v1-frame.js";

/** Something that computes V1, such as the worker. */
export interface V1Computer {
  draw(request: PopulationRequest): Promise<Population>;
  respond(pixels: Float32Array): Promise<V1Answer>;
  tuning(cell: number): Promise<Tuning>;
}

/** What the page shows of V1: a population, an image and a chosen cell. */
export interface Wanted extends PopulationRequest {
  readonly pixels: Float32Array;
  readonly cell: number;
}

/** An answer with the image to which it belongs. */
export interface ShownAnswer extends V1Answer {
  readonly pixels: Float32Array;
}

/** Number of answers whose median duration is shown. */
const TIMED = 30;

/**
 * The results that the page shows. Requests are computed one at a time; of those that arrive meanwhile, only
 * the latest is kept.
 */
export class V1Run {
  readonly population = signal<Population | undefined>(undefined);
  readonly answer = signal<ShownAnswer | undefined>(undefined);
  readonly tuning = signal<Tuning | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  /** The image of the latest request. */
  readonly asked = signal<Float32Array | undefined>(undefined);
  /** Median duration of the last answers in milliseconds. */
  readonly duration = signal<number | undefined>(undefined);

  readonly #times: number[] = [];
  readonly #computer: V1Computer;
  #wanted: Wanted | undefined;
  #isBusy = false;

  constructor(computer: V1Computer) {
    this.#computer = computer;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  request(wanted: Wanted): void {
    this.#wanted = wanted;
    this.asked.value = wanted.pixels;
    if (!this.#isBusy && this.problem.value === undefined) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#compute(next);
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
    this.#isBusy = false;
  }

  #take(): Wanted | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  async #compute({ pixels, cell, variant, seed, noise }: Wanted): Promise<void> {
    let population = this.population.value;
    const isOther = population?.variant !== variant || population.seed !== seed || population.noise !== noise;
    if (isOther) population = await this.#computer.draw({ variant, seed, noise });
    const tuning =
      isOther || this.tuning.value?.cell !== cell ? await this.#computer.tuning(cell) : this.tuning.value;
    batch(() => {
      this.population.value = population;
      this.tuning.value = tuning;
      if (isOther) this.answer.value = undefined;
    });
    const answer = await this.#computer.respond(pixels);
    this.#times.push(answer.milliseconds);
    if (this.#times.length > TIMED) this.#times.shift();
    batch(() => {
      this.answer.value = { ...answer, pixels };
      this.duration.value = this.#times.toSorted((a, b) => a - b)[this.#times.length >> 1];
    });
  }
}
