import { checkWhole } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { Classifier, ImageBatch } from "../classifier.js";
import type { Attack } from "./attack.js";
import type { Norm } from "./ball.js";
import { pickImages, pickWhole, putImages } from "./ball.js";
import type { Uniforms } from "./square-moves.js";
import { firstSquares, nextSquares } from "./square-moves.js";

/*
 * Square: Andriushchenko et al. 2020, "Square Attack: a query-efficient black-box adversarial attack via
 * random search" (arXiv:1912.00049), algorithms 1 to 3. The attack lowers the margin z_y - max_{i != y} z_i
 * of the logits z with label y. It follows AutoAttack's code, in which all images of a batch share the window
 * and (for Linf) the colours of a query, so results depend on how images are batched.
 */

/** Input and options of one run of the Square attack (Andriushchenko et al. 2020). */
export interface SquareOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  /** Number of squares tried after the start. Default 5000. */
  readonly queries?: number;
  /** Fraction of the pixels that the first squares cover. Default 0.8. */
  readonly firstShare?: number;
  /**
   * Whether to stretch or shrink the schedule of fractions, which was made for 10,000 queries, to the number
   * of queries. Default false.
   */
  readonly stretchSchedule?: boolean;
  readonly uniforms: Uniforms;
  readonly signal?: AbortSignal | undefined;
  /** Called with the margins of the queried images at every query. */
  readonly onQuery?: (margins: Float32Array) => void;
}

/** Results of one run of the Square attack. */
export interface SquareRun {
  readonly images: ImageBatch;
  readonly queries: Int32Array;
  /** 1 if the margin stayed above 0, otherwise 0. */
  readonly robust: Uint8Array;
}

/** Runs the Square attack: a random search with shrinking squares. It needs no gradient. */
export async function squareRun(
  classifier: Classifier,
  clean: ImageBatch,
  labels: Int32Array,
  options: SquareOptions,
): Promise<SquareRun> {
  const { norm, epsilon, queries = 5000, firstShare = 0.8, uniforms, signal, onQuery } = options;
  checkWhole("Square: queries", queries);
  check(
    firstShare > 0 && firstShare <= 1,
    () => `Square: expected a first share of pixels in (0, 1], got ${firstShare}`,
  );
  const { imageShape } = classifier.network;
  const count = clean.count;
  const ask = async (images: ImageBatch, of: Int32Array): Promise<Float32Array> => {
    const found = margins(await classifier.logits(images), of);
    onQuery?.(found);
    return found;
  };
  const start = firstSquares(clean, imageShape, norm, epsilon, uniforms);
  const best = start.data;
  const bestMargin = (await ask(start, labels)).slice();
  const bestLoss = bestMargin.slice();
  const used = new Int32Array(count).fill(1);
  for (let query = 0; query < queries; query++) {
    signal?.throwIfAborted();
    const active = Array.from(bestMargin.keys()).filter((i) => bestMargin[i]! > 0);
    if (active.length === 0) break;
    const moved = nextSquares(
      pickImages({ count, data: best }, active),
      pickImages(clean, active),
      imageShape,
      { norm, epsilon, share: shareAt(query, queries, firstShare, options.stretchSchedule ?? false) },
      uniforms,
    );
    const margin = await ask(moved, pickWhole(labels, active));
    const accepted: number[] = [];
    active.forEach((image, i) => {
      used[image]! += 1;
      const better = margin[i]! < bestLoss[image]!;
      if (better) bestLoss[image] = margin[i]!;
      if (!better && margin[i]! > 0) return;
      bestMargin[image] = margin[i]!;
      accepted.push(i);
    });
    putImages(
      best,
      accepted.map((i) => active[i]!),
      pickImages(moved, accepted),
    );
  }
  return {
    images: { count, data: best },
    queries: used,
    robust: Uint8Array.from(bestMargin, (margin) => (margin > 0 ? 1 : 0)),
  };
}

const HALVINGS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** The fraction of the pixels that the square of a query covers. */
function shareAt(query: number, queries: number, first: number, stretch: boolean): number {
  const at = stretch ? Math.trunc((query / queries) * 10_000) : query;
  const past = HALVINGS.filter((limit) => at > limit).length;
  return first / 2 ** past;
}

/** The margin z_y - max_{i != y} z_i of each image. */
export function margins(logits: Float32Array, labels: Int32Array): Float32Array {
  const classes = logits.length / labels.length;
  return Float32Array.from(labels, (label, row) => {
    let rival = -Infinity;
    for (let i = 0; i < classes; i++) if (i !== label) rival = Math.max(rival, logits[row * classes + i]!);
    return logits[row * classes + label]! - rival;
  });
}

/** Options of `squareAttack` (Andriushchenko et al. 2020). */
export interface SquareAttackOptions {
  /** Norm of the ball. Default "Linf". */
  readonly norm?: Norm;
  /** Number of squares tried after the start. Default 5000. */
  readonly queries?: number;
}

/** The Square attack with one restart. */
export function squareAttack(options: SquareAttackOptions = {}): Attack {
  const { norm = "Linf", queries = 5000 } = options;
  return {
    name: `Square${norm === "L2" ? " L2" : ""}`,
    norm,
    settings: { queries },
    needsGradient: false,
    run: async (classifier, { images, labels, epsilon, random, signal }) => {
      const uniforms = (count: number) => random.fillUniform(new Float32Array(count));
      const run = await squareRun(classifier, images, labels, { norm, epsilon, queries, uniforms, signal });
      return run.images;
    },
  };
}
