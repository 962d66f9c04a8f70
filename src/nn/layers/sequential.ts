import type { Tensor } from "../../graph/index.js";
import { scope } from "../../graph/index.js";
import type { Layer, TrainingPass } from "./layer.js";

/**
 * A chain of layers and plain functions. Parameters are named after the position of their layer ("0.weight",
 * "2.bias"), as in PyTorch's `nn.Sequential`. Functions count as positions, too.
 */
export class Sequential implements Layer {
  readonly [position: number]: Layer | ((x: Tensor) => Tensor);
  readonly #steps: readonly (Layer | ((x: Tensor) => Tensor))[];

  constructor(...steps: readonly (Layer | ((x: Tensor) => Tensor))[]) {
    this.#steps = steps;
    Object.assign(this, steps);
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    return this.#steps.reduce(
      (value, step, position) =>
        scope(String(position), () => (typeof step === "function" ? step(value) : step.forward(value, pass))),
      x,
    );
  }
}
