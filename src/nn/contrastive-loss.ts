import type { Tensor } from "../graph/index.js";
import {
  add,
  concat,
  constant,
  maximum,
  gemm,
  mul,
  neg,
  scope,
  showShape,
  sqrt,
  sub,
  sum,
  transpose,
  unitVectors,
} from "../graph/index.js";
import { checkOneOf, checkPositive } from "../util/check.js";
import { check } from "../util/errors.js";
import { crossEntropy } from "./losses.js";

/** Options of `contrastiveLoss` (Chen et al. 2020). */
export interface ContrastiveOptions {
  /** The temperature tau, by which similarities are divided. Default 0.1. */
  readonly temperature?: number;
  /** Whether embeddings are first normalised to length 1. Default true. */
  readonly normalise?: boolean;
  /**
   * The similarity of two embeddings a and b: "innerProduct" (default) is a · b, "euclidean" is -|a - b|, and
   * "squaredEuclidean" is -|a - b|^2.
   */
  readonly similarity?: "innerProduct" | "euclidean" | "squaredEuclidean";
}

/**
 * Subtracted from the logit of each embedding with itself, so that no embedding is chosen as its own partner.
 */
const SELF = 1e8;

/**
 * SimCLR's contrastive loss (NT-Xent; Chen et al. 2020, arXiv:2002.05709, eq. 1). `first` and `second` are
 * the embeddings of two views of the same N images, each of shape [N, width]. For each of the 2 N embeddings,
 * the task is to find the other view of its image among the other 2 N - 1 embeddings. The logits are the
 * similarities divided by the temperature, and the loss is the mean cross-entropy.
 *
 * @throws StriateError if the views differ in shape, N is not fixed, or the similarity is unknown
 */
export function contrastiveLoss(first: Tensor, second: Tensor, options: ContrastiveOptions = {}): Tensor {
  const { temperature = 0.1, normalise = true, similarity = "innerProduct" } = options;
  check(
    first.rank === 2 && first.shape.join() === second.shape.join() && typeof first.shape[0] === "number",
    () =>
      `contrastive loss: expected two views [N, width], got ${showShape(first.shape)} and ${showShape(second.shape)}`,
  );
  checkPositive("contrastive loss: temperature", temperature);
  checkOneOf("contrastive loss: similarity", similarity, ["innerProduct", "euclidean", "squaredEuclidean"]);
  const count = first.shape[0];
  return scope("contrastiveLoss", () => {
    const both = concat([first, second], 0);
    const rows = normalise ? unitVectors(both) : both;
    const self = identity(2 * count);
    const logits = mul(alike(rows, self, similarity), 1 / temperature);
    const partners = Array.from({ length: 2 * count }, (_, i) => (i + count) % (2 * count));
    return crossEntropy(sub(logits, mul(self, SELF)), constant(partners, [2 * count], "int64"));
  });
}

function alike(rows: Tensor, self: Tensor, similarity: string): Tensor {
  const products = gemm(rows, rows, undefined, { transB: 1 });
  if (similarity === "innerProduct") return products;
  const lengths = sum(mul(rows, rows), 1, { keepAxes: true });
  const squares = sub(add(lengths, transpose(lengths, [1, 0])), mul(products, 2));
  if (similarity === "squaredEuclidean") return neg(squares);
  // The square root has no derivative at 0, so put ones on the diagonal. Its logits have no influence on the
  // loss.
  return neg(sqrt(add(maximum(squares, 0), self)));
}

function identity(size: number): Tensor {
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return constant({ dtype: "float32", shape: [size, size], data });
}
