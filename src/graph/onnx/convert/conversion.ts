import type { Shape } from "../../dims.js";
import type { Attributes, Tensor } from "../../tensor.js";

/** Distribution of a noise input: standard normal, or uniform in [0, 1). */
export type NoiseKind = "normal" | "uniform";

/** A node of a file, its operands already ours. */
export interface ImportedCall {
  readonly type: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
  /** Version of the standard operators that the file is written in. */
  readonly opset: number;
  /** Name of the first output. */
  readonly name: string;
  /** Makes an input of the model that is fed with noise. */
  readonly draw?: (kind: NoiseKind, shape: Shape) => Tensor;
}

/** What a call became: another single call, or the results of several. */
export type Converted = ImportedCall | readonly Tensor[];
export type Conversion = (call: ImportedCall) => Converted;
