import type { Initialiser, Tensor } from "../../graph/index.js";
import { parameter, scope } from "../../graph/index.js";
import { embedding } from "../../graph/operators/select/select.js";
import { normal } from "../init.js";

/** Options of `Embedding`. */
export interface EmbeddingOptions {
  /** Default: normal with mean 0 and deviation 1, PyTorch's. */
  readonly initialiser?: Initialiser;
}

/**
 * Looks up a row of a trained table for each integer: maps [...] (int64 or int32, from 0 to entries - 1) to [...,
 * features]. `weight` [entries, features]. As PyTorch's `nn.Embedding`.
 */
export class Embedding {
  readonly weight: Tensor;

  constructor(
    readonly entries: number,
    readonly features: number,
    options: EmbeddingOptions = {},
  ) {
    this.weight = parameter([entries, features], options.initialiser ?? normal());
  }

  forward(indices: Tensor): Tensor {
    return scope("embedding", () => embedding(indices, this.weight));
  }
}
