import type { Shape, Tensor } from "../../graph/index.js";
import { input } from "../../graph/index.js";

/**
 * A part of a model. Its parameters are properties of the object, and `forward` adds its operators to the
 * graph.
 */
export interface Layer {
  /**
   * Adds the layer's operators to the graph: those for training if `pass` is given, otherwise those for
   * evaluation.
   */
  forward(x: Tensor, pass?: TrainingPass): Tensor;
}

/**
 * Collects what layers produce in training besides their outputs: new values of buffers (running statistics),
 * and inputs for the noise of every step. Make one for each training graph, pass it to `forward`, and then
 * pass its `updates` to `trainingStep`.
 */
export class TrainingPass {
  readonly #updates = new Map<Tensor, Tensor>();
  readonly #noise: Tensor[] = [];

  /** Each buffer that has an update, together with its next value. */
  get updates(): readonly (readonly [buffer: Tensor, next: Tensor])[] {
    return [...this.#updates];
  }

  /** Graph inputs that must be filled at every step with new uniform random numbers in [0, 1). */
  get noise(): readonly Tensor[] {
    return this.#noise;
  }

  /** The kind of each noise input by name, in the form that a task's `noise` has. */
  get noiseKinds(): Readonly<Record<string, "uniform">> {
    return Object.fromEntries(this.#noise.map((_, i) => [noiseName(i), "uniform"] as const));
  }

  /**
   * The current value of a buffer: its latest update if it has one. A layer that is used twice in a graph
   * therefore updates its buffers twice.
   */
  current(buffer: Tensor): Tensor {
    return this.#updates.get(buffer) ?? buffer;
  }

  update(buffer: Tensor, next: Tensor): void {
    this.#updates.set(buffer, next);
  }

  /** Adds a noise input of the given shape, named "noise:N" with N counted from 0. */
  uniform(shape: Shape): Tensor {
    const made = input(noiseName(this.#noise.length), shape);
    this.#noise.push(made);
    return made;
  }
}

const noiseName = (index: number): string => `noise:${index}`;
