import type { Shape } from "../../dims.js";
import type { Attributes, Tensor } from "../../tensor.js";

/** Distribution of a noise input: standard normal, or uniform in [0, 1). */
export type NoiseKind = "normal" | "uniform";

/** A node of a file whose operands are tensors of the graph. */
export interface ImportedCall {
  readonly type: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
  /** Version of the standard operators that the file is written in. */
  readonly opset: number;
  /** Name of the first output. */
  readonly name: string;
  /** Adds an input for noise to the model. */
  readonly draw?: (kind: NoiseKind, shape: Shape) => Tensor;
}

/** The result of a conversion: another single call, or the results of several calls. */
export type Converted = ImportedCall | readonly Tensor[];
export type Conversion = (call: ImportedCall) => Converted;
