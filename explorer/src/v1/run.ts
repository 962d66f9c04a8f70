import { batch, signal } from "@preact/signals";
import { LatestOnly } from "../parts/latest-only.js";
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

/** The results that the page shows. */
export class V1Run {
  readonly population = signal<Population | undefined>(undefined);
  readonly answer = signal<ShownAnswer | undefined>(undefined);
  readonly tuning = signal<Tuning | undefined>(undefined);
  /** The image of the latest request. */
  readonly asked = signal<Float32Array | undefined>(undefined);
  /** Median duration of the last answers in milliseconds. */
  readonly duration = signal<number | undefined>(undefined);

  readonly #times: number[] = [];
  readonly #computer: V1Computer;
  readonly #work = new LatestOnly<Wanted>((wanted) => this.#compute(wanted));

  constructor(computer: V1Computer) {
    this.#computer = computer;
  }

  get isBusy(): boolean {
    return this.#work.isBusy.value;
  }

  get problem(): string | undefined {
    return this.#work.problem.value;
  }

  request(wanted: Wanted): void {
    this.asked.value = wanted.pixels;
    this.#work.request(wanted);
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
