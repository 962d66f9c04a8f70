import type { Shape, Tensor } from "../../graph/index.js";
import { input } from "../../graph/index.js";

/** A part of a model. It has parameters as properties, and `forward` adds its operators to the graph. */
export interface Layer {
  /** Traces the layer: with `pass` for a training step, without it for evaluation. */
  forward(x: Tensor, pass?: TrainingPass): Tensor;
}

/**
 * A collector of what a model needs in training in addition to its output: new values of buffers (running statistics)
 * and the noise inputs of every step. Make one for each training graph, pass it to `forward`, and then pass `updates`
 * to `trainingStep`.
 */
export class TrainingPass {
  readonly #updates = new Map<Tensor, Tensor>();
  readonly #noise: Tensor[] = [];

  /** Pairs of a buffer and its next value, one per buffer. */
  get updates(): readonly (readonly [buffer: Tensor, next: Tensor])[] {
    return [...this.#updates];
  }

  /** Graph inputs that every step fills with new uniform numbers in [0, 1). */
  get noise(): readonly Tensor[] {
    return this.#noise;
  }

  /** The noise inputs by name, in the form of a task's `noise`. */
  get noiseKinds(): Readonly<Record<string, "uniform">> {
    return Object.fromEntries(this.#noise.map((_, i) => [noiseName(i), "uniform"] as const));
  }

  /**
   * The current value of a buffer, which is its latest update; a layer that is used twice therefore updates it twice.
   */
  current(buffer: Tensor): Tensor {
    return this.#updates.get(buffer) ?? buffer;
  }

  update(buffer: Tensor, next: Tensor): void {
    this.#updates.set(buffer, next);
  }

  /** A new input "noise:N" of the given shape. */
  uniform(shape: Shape): Tensor {
    const made = input(noiseName(this.#noise.length), shape);
    this.#noise.push(made);
    return made;
  }
}

const noiseName = (index: number): string => `noise:${index}`;
