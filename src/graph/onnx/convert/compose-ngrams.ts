import { StriateError } from "../../../util/errors.js";
import { isStatic } from "../../dims.js";
import { intAttribute, intsAttribute, stringAttribute } from "../../operator.js";
import { add, and, cast, equal, minimum, mul } from "../../operators/elementwise/elementwise.js";
import { matmul } from "../../operators/linear/matmul.js";
import { sum } from "../../operators/reduce/reduce.js";
import { squeeze, unsqueeze } from "../../operators/shape/shape.js";
import { slice } from "../../operators/shape/slice-pad.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import type { ComposedCall, Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

/** Sequences of the same length, in the order of the file. */
interface Grams {
  readonly length: number;
  readonly grams: readonly (readonly number[])[];
}

/** The pool of a call by length. `ngram_counts` holds the start of each length in the pool. */
function poolOf({ attributes }: ComposedCall): readonly Grams[] {
  const pool = intsAttribute(attributes, "pool_int64s");
  if (pool === undefined) throw new StriateError("its pool is text, which Striate does not have");
  const starts = intsAttribute(attributes, "ngram_counts") ?? [];
  return starts.map((start, i) => {
    const length = i + 1;
    const all = pool.slice(start, starts[length] ?? pool.length);
    const grams = Array.from({ length: Math.floor(all.length / length) }, (_, at) =>
      all.slice(at * length, (at + 1) * length),
    );
    return { length, grams };
  });
}

/** How often each sequence occurs in each row of x, [rows, sequences], with `skip` elements between its elements. */
function occurrences(x: Tensor, width: number, { length, grams }: Grams, skip: number): Tensor | undefined {
  const starts = width - (length - 1) * (skip + 1);
  if (starts < 1) return undefined;
  const found = Array.from({ length }, (_, t) => {
    const from = t * (skip + 1);
    const elements = unsqueeze(slice(x, [{ axis: 1, start: from, end: from + starts }]), [2]);
    return equal(elements, integers(grams.map((gram) => gram[t]!)));
  }).reduce((all, next) => and(all, next));
  return sum(cast(found, "float32"), [1]);
}

/**
 * TfIdfVectorizer over integers: counts the sequences of its pool in each row. A sequence may leave out up to
 * `max_skip_count` elements between two of its own.
 */
const vectorizer: Composition = (call) => {
  const { attributes } = call;
  const given = operand(call, 0);
  const width = given.shape.at(-1);
  if ((given.rank !== 1 && given.rank !== 2) || width === undefined || !isStatic(width))
    throw new StriateError(
      `expected [rows, length] of known length, got ${given.toString()}: fix the shapes of the inputs (inputShapes)`,
    );
  const x = cast(given.rank === 1 ? unsqueeze(given, [0]) : given, "int64");
  const [least, most] = [
    intAttribute(attributes, "min_gram_length", 1),
    intAttribute(attributes, "max_gram_length", 1),
  ];
  const skips = intAttribute(attributes, "max_skip_count", 0);
  const indices = intsAttribute(attributes, "ngram_indexes") ?? [];
  const places = Math.max(-1, ...indices) + 1;
  const { weights } = attributes;
  const mode = stringAttribute(attributes, "mode", "TF");
  if (places < 1) throw new StriateError("its ngram_indexes are missing");
  if (!["TF", "IDF", "TFIDF"].includes(mode))
    throw new StriateError(`expected the mode TF, IDF or TFIDF, got "${mode}"`);
  const weightOf = (gram: number): number =>
    mode !== "TF" && typeof weights === "object" && "floats" in weights ? (weights.floats[gram] ?? 0) : 1;
  let y: Tensor | undefined;
  let before = 0;
  for (const all of poolOf(call)) {
    const { length, grams } = all;
    const first = before;
    before += grams.length;
    if (length < least || length > most || grams.length === 0) continue;
    let found: Tensor | undefined;
    for (let skip = 0; skip <= (length === 1 ? 0 : skips); skip++) {
      const more = occurrences(x, width, all, skip);
      if (more) found = found ? add(found, more) : more;
    }
    if (found === undefined) continue;
    // Places the count of each sequence in the result.
    const matrix = grams.flatMap((_, i) =>
      Array.from({ length: places }, (_, place) => (indices[first + i] === place ? weightOf(first + i) : 0)),
    );
    const counted = mode === "IDF" ? minimum(found, 1) : found;
    const placed = matmul(counted, constant(matrix, [grams.length, places]));
    y = y ? add(y, placed) : placed;
  }
  y ??= matmul(
    cast(sum(mul(x, 0), [1], { keepAxes: true }), "float32"),
    constant(Array<number>(places).fill(0), [1, places]),
  );
  return [given.rank === 1 ? squeeze(y, [0]) : y];
};

export const NGRAM_OPERATORS: readonly (readonly [string, Composition])[] = [["TfIdfVectorizer", vectorizer]];
