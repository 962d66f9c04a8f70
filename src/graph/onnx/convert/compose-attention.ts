import { StriateError } from "../../../util/errors.js";
import type { Dim } from "../../dims.js";
import { isStatic } from "../../dims.js";
import type { DType } from "../../dtype.js";
import { dtypeFromOnnx } from "../../dtype.js";
import { applySingle, floatAttribute, intAttribute } from "../../operator.js";
import { dimTensor } from "../../operators/broadcast.js";
import {
  add,
  and,
  cast,
  greaterOrEqual,
  less,
  lessOrEqual,
  mul,
  sub,
  tanh,
  where,
} from "../../operators/elementwise/elementwise.js";
import { expand } from "../../operators/shape/expand.js";
import { concat, split } from "../../operators/shape/join.js";
import { matmul, transposeMatrix } from "../../operators/linear/matmul.js";
import { countedTo } from "../../operators/select/rank.js";
import { gather } from "../../operators/select/select.js";
import { reshape, transpose, unsqueeze } from "../../operators/shape/shape.js";
import { pad, slice } from "../../operators/shape/slice-pad.js";
import { maskedSoftmax, softmax } from "../../operators/reduce/softmax.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import type { ComposedCall, Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

const HEADS_OUTSIDE = [0, 2, 1, 3];

/**
 * Reshapes [batch, length, heads * width] to [batch, heads, length, width]. A tensor with four axes already
 * has this form.
 */
export function byHeads(x: Tensor, heads: number, what: string): Tensor {
  if (x.rank === 4) return x;
  if (x.rank !== 3)
    throw new StriateError(`${what}: expected 3 axes, or 4 with one for heads, got ${x.toString()}`);
  const width = x.shape[2]!;
  if (heads < 1 || (isStatic(width) && width % heads !== 0))
    throw new StriateError(`${what}: ${width} features cannot be divided among ${heads} heads`);
  return transpose(applySingle("Reshape", [x, integers([0, 0, heads, -1])]), HEADS_OUTSIDE);
}

/** The inverse of {@link byHeads}. */
export function withoutHeads(x: Tensor): Tensor {
  return applySingle("Reshape", [transpose(x, HEADS_OUTSIDE), integers([0, 0, -1])]);
}

/** Repeats every head of keys or values for each head of queries that shares it: h0, h0, h1, h1 ... */
export function shared(x: Tensor, heads: Dim): Tensor {
  const own = x.shape[1]!;
  if (own === heads) return x;
  if (!isStatic(own) || !isStatic(heads) || heads % own !== 0)
    throw new StriateError(`${heads} heads of queries cannot share ${own} heads of keys and values`);
  const [batch, , length, width] = x.shape as readonly [Dim, Dim, Dim, Dim];
  const stretched = expand(unsqueeze(x, [2]), [batch, own, heads / own, length, width]);
  return reshape(stretched, [batch, heads, length, width]);
}

function lengthOf(x: Tensor, axis: number): Tensor {
  return dimTensor(x.shape[axis]!, [x]);
}

interface Masked {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly pastKey: Tensor | undefined;
  /** Number of keys of each sample that are not padding, [batch]. */
  readonly count: Tensor | undefined;
}

/**
 * Mask of the keys whose position allows a query to attend to them; undefined if it may attend to all keys.
 */
function visible(call: ComposedCall, { query, key, pastKey, count }: Masked): Tensor | undefined {
  const isCausal = intAttribute(call.attributes, "is_causal", 0) === 1;
  const left = intAttribute(call.attributes, "left_window_size", -1);
  const right = intAttribute(call.attributes, "right_window_size", -1);
  const keys = countedTo(key, 2);
  const counts = count && reshape(cast(count, "int64"), [-1, 1, 1, 1]);
  const conditions = counts ? [less(keys, counts)] : [];
  const before = pastKey ? lengthOf(pastKey, 2) : counts && sub(counts, lengthOf(query, 2));
  const rows = unsqueeze(countedTo(query, 2), [1]);
  const own = before ? add(rows, before) : rows;
  if (isCausal) conditions.push(lessOrEqual(keys, own));
  if (left >= 0) conditions.push(greaterOrEqual(keys, sub(own, left)));
  if (right >= 0) conditions.push(lessOrEqual(keys, add(own, right)));
  const [first, ...others] = conditions;
  return first && others.reduce((all, next) => and(all, next), first);
}

/** If the last axis of a mask is shorter than the keys, the remaining keys are masked out. */
function wholeMask(mask: Tensor, keys: Dim): Tensor {
  const length = mask.shape.at(-1);
  if (length === undefined || !isStatic(length) || !isStatic(keys) || length >= keys) return mask;
  const none = mask.shape.map(() => 0);
  const after = none.with(-1, keys - length);
  // Not every runtime can pad booleans.
  if (mask.dtype === "bool") return cast(pad(cast(mask, "int32"), none, after), "bool");
  return pad(mask, none, after, { value: -Infinity });
}

/**
 * Attention by scaled dot products with soft cap and mask (opsets 23 to 25). A query whose keys are all
 * masked gives zeros, as the standard requires since its errata of 2026.
 */
const attention: Composition = (call) => {
  const { attributes } = call;
  const given = operand(call, 0);
  const heads = (name: string, x: Tensor) =>
    byHeads(x, intAttribute(attributes, name, 0), `Attention with ${name}`);
  const query = heads("q_num_heads", given);
  const [newKey, newValue] = [operand(call, 1), operand(call, 2)].map((x) => heads("kv_num_heads", x)) as [
    Tensor,
    Tensor,
  ];
  const [mask, pastKey, pastValue, count] = call.inputs.slice(3);
  if ((pastKey === undefined) !== (pastValue === undefined))
    throw new StriateError("expected past_key and past_value together, got one of them");
  const key = pastKey ? concat([pastKey, newKey], 2) : newKey;
  const value = pastValue ? concat([pastValue, newValue], 2) : newValue;

  const width = query.shape[3]!;
  if (!isStatic(width)) throw new StriateError("the width of a head must be known: give it in inputShapes");
  const root = Math.sqrt(floatAttribute(attributes, "scale", 1 / Math.sqrt(width)));
  const sharedKey = shared(key, query.shape[1]!);
  const raw = matmul(mul(query, root), transposeMatrix(mul(sharedKey, root)));
  const cap = floatAttribute(attributes, "softcap", 0);
  const capped = cap === 0 ? raw : mul(tanh(mul(raw, 1 / cap)), cap);

  const open = visible(call, { query, key, pastKey, count });
  const whole = mask && wholeMask(mask, key.shape[2]!);
  const added = whole && whole.dtype !== "bool" ? add(capped, whole) : capped;
  const conditions = [whole?.dtype === "bool" ? whole : undefined, open].filter((x) => x !== undefined);
  const biased = conditions.reduce((scores, condition) => where(condition, scores, -Infinity), added);

  const precision = softmaxType(call, query.dtype);
  const scores = cast(biased, precision);
  const weights = cast(biased === capped ? softmax(scores) : maskedSoftmax(scores), query.dtype);
  const y = matmul(weights, shared(value, query.shape[1]!));
  const stage = [raw, capped, biased, weights][intAttribute(attributes, "qk_matmul_output_mode", 0)];
  if (stage === undefined) throw new StriateError("qk_matmul_output_mode must be 0, 1, 2 or 3");
  return [given.rank === 3 ? withoutHeads(y) : y, key, value, stage];
};

function softmaxType({ attributes }: ComposedCall, own: DType): DType {
  const code = intAttribute(attributes, "softmax_precision", 0);
  return code === 0 ? own : dtypeFromOnnx(code, "softmax_precision");
}

/**
 * Rotary embedding: rotates pairs of features by the angle of their position (opset 23). Features after
 * `rotary_embedding_dim` do not change.
 */
const rotaryEmbedding: Composition = (call) => {
  const { attributes } = call;
  const [given, positions] = [operand(call, 0), call.inputs[3]];
  const x = byHeads(given, intAttribute(attributes, "num_heads", 0), "RotaryEmbedding with num_heads");
  const width = x.shape[3]!;
  const rotated = intAttribute(attributes, "rotary_embedding_dim", 0) || width;
  if (!isStatic(rotated) || rotated % 2 !== 0)
    throw new StriateError(`expected an even number of features to rotate, got ${rotated}`);
  // Both tensors are [batch, 1, positions, rotated / 2].
  const [cos, sin] = [operand(call, 1), operand(call, 2)].map((table) =>
    unsqueeze(positions ? gather(table, positions) : table, [1]),
  ) as [Tensor, Tensor];
  const isPartial = rotated !== width;
  const part = isPartial ? slice(x, [{ axis: 3, start: 0, end: rotated }]) : x;
  const isInterleaved = intAttribute(attributes, "interleaved", 0) === 1;
  const [a, b] = isInterleaved
    ? [0, 1].map((start) => slice(part, [{ axis: 3, start, step: 2 }]))
    : split(part, [rotated / 2, rotated / 2], 3);
  const real = sub(mul(cos, a!), mul(sin, b!));
  const imaginary = add(mul(sin, a!), mul(cos, b!));
  const pairs = isInterleaved
    ? applySingle("Reshape", [
        concat([unsqueeze(real, [4]), unsqueeze(imaginary, [4])], 4),
        integers([0, 0, 0, -1]),
      ])
    : concat([real, imaginary], 3);
  const y = isPartial ? concat([pairs, slice(x, [{ axis: 3, start: rotated }])], 3) : pairs;
  return [given.rank === 3 ? withoutHeads(y) : y];
};

export const ATTENTION: readonly (readonly [string, Composition])[] = [
  ["Attention", attention],
  ["RotaryEmbedding", rotaryEmbedding],
];
