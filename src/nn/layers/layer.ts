import type { Shape, Tensor } from "../../graph/index.js";
import { input } from "../../graph/index.js";

/** A part of a model: holds parameters as properties and writes its operators when called. */
export interface Layer {
  /** Without `pass` the layer is evaluated; with it, it is traced for a training step. */
  forward(x: Tensor, pass?: TrainingPass): Tensor;
}

/**
 * What tracing a model for training yields besides its output: new values of buffers (running statistics) and the
 * noise that every step must feed. Make one per training graph, hand it to `forward`, then hand `updates` to
 * `trainingStep`.
 */
export class TrainingPass {
  readonly #updates = new Map<Tensor, Tensor>();
  readonly #noise: Tensor[] = [];

  /** Pairs of a buffer and its next value, one per buffer. */
  get updates(): readonly (readonly [buffer: Tensor, next: Tensor])[] {
    return [...this.#updates];
  }

  /** Graph inputs to fill with fresh uniform numbers in [0, 1) for every step. */
  get noise(): readonly Tensor[] {
    return this.#noise;
  }

  /** The names of these inputs, as a task's `noise` wants them. */
  get noiseKinds(): Readonly<Record<string, "uniform">> {
    return Object.fromEntries(this.#noise.map((_, i) => [noiseName(i), "uniform"] as const));
  }

  /** The value that a buffer has by now: its latest update, so that a layer that is used twice updates twice. */
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
