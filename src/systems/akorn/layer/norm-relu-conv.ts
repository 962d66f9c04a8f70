import type { Tensor } from "../../../graph/index.js";
import { add, relu, scope } from "../../../graph/index.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import type { Layer, TrainingPass } from "../../../nn/layers/layer.js";
import { BatchNorm2d, GroupNorm } from "../../../nn/layers/normalisation.js";
import { checkOneOf } from "../../../util/check.js";
import { ReadOutConv } from "./readout.js";

/** Normalisation in read-out blocks: batch normalisation, group normalisation with eight groups, or none. */
export type ReadOutNorm = "batch" | "group" | "none";

/** A norm, then ReLU, then a convolution. The result has the shape of the input. */
export class NormReluConv implements Layer {
  readonly norm: BatchNorm2d | GroupNorm | undefined;
  readonly conv: Conv2d;

  constructor(channels: number, kernel: number, norm: ReadOutNorm) {
    this.norm = normOf(norm, channels);
    this.conv = new Conv2d(channels, channels, kernel, { padding: kernel >> 1 });
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    const normal = this.norm === undefined ? x : (this.norm as Layer).forward(x, pass);
    return this.conv.forward(relu(normal));
  }
}

/** Options of a read-out block. */
export interface ReadOutBlockOptions {
  readonly channels: number;
  /** N, the number of components of each vector in the read-out. */
  readonly components: number;
  /** Side of all convolution kernels. */
  readonly kernel: number;
  readonly norm: ReadOutNorm;
}

/**
 * A read-out with result z, then a residual part z + FF(z), then a last {@link NormReluConv}. FF is two
 * NormReluConv in sequence.
 */
export class ReadOutBlock implements Layer {
  readonly readout: ReadOutConv;
  readonly residual: readonly NormReluConv[];
  readonly last: NormReluConv;

  constructor({ channels, components, kernel, norm }: ReadOutBlockOptions) {
    const part = () => new NormReluConv(channels, kernel, norm);
    this.readout = new ReadOutConv(channels, channels, components, kernel);
    this.residual = [part(), part()];
    this.last = part();
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    const z = this.readout.forward(x);
    const change = scope("residual", () =>
      this.residual.reduce((value, part) => part.forward(value, pass), z),
    );
    return scope("last", () => this.last.forward(add(z, change), pass));
  }
}

function normOf(norm: ReadOutNorm, channels: number): BatchNorm2d | GroupNorm | undefined {
  checkOneOf("read-out norm", norm, ["batch", "group", "none"]);
  switch (norm) {
    case "batch":
      return new BatchNorm2d(channels);
    case "group":
      return new GroupNorm(8, channels);
    case "none":
      return undefined;
  }
}
