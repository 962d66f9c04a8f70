import type { Initialiser, Tensor } from "../../graph/index.js";
import { parameter, scope } from "../../graph/index.js";
import { embedding } from "../../graph/operators/select/select.js";
import { normal } from "../init.js";

/** Options of `Embedding`. */
export interface EmbeddingOptions {
  /** Default: PyTorch's, normal with mean 0 and standard deviation 1. */
  readonly initialiser?: Initialiser;
}

/**
 * Replaces each integer by a row of a trained table, as PyTorch's `nn.Embedding` does. It maps integers of
 * any shape, int64 or int32 from 0 to entries - 1, to the same shape with an additional last axis of length
 * `features`. The table `weight` has the shape [entries, features].
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
