import type { Tensor } from "../../../graph/index.js";
import { add, relu, scope } from "../../../graph/index.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import type { Layer, TrainingPass } from "../../../nn/layers/layer.js";
import { BatchNorm2d, GroupNorm } from "../../../nn/layers/normalisation.js";
import { StriateError } from "../../../util/errors.js";
import { ReadOutConv } from "./readout.js";

/** Batch statistics, eight groups of channels, or nothing. */
export type ReadOutNorm = "batch" | "group" | "none";

/** Norm, rectifier and convolution; channels and space stay. */
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

/** The sizes of a block that reads oscillators out. */
export interface ReadOutBlockOptions {
  readonly channels: number;
  /** N of the read-out's vectors. */
  readonly components: number;
  /** Side of all kernels. */
  readonly kernel: number;
  readonly norm: ReadOutNorm;
}

/** Read-out z, then z + FF(z) with FF two times norm, rectifier, convolution, then the same once more. */
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
  switch (norm) {
    case "batch":
      return new BatchNorm2d(channels);
    case "group":
      return new GroupNorm(8, channels);
    case "none":
      return undefined;
    default:
      throw new StriateError(`read-out norm: expected batch, group or none, got "${String(norm)}"`);
  }
}
