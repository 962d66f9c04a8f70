import { StriateError } from "../../../util/errors.js";
import { isStatic } from "../../dims.js";
import { applySingle, floatAttribute, intAttribute, stringAttribute } from "../../operator.js";
import { add, cast, exp, mul, sigmoid, sub } from "../../operators/elementwise/elementwise.js";
import { matmul, transposeMatrix } from "../../operators/linear/matmul.js";
import { concat, split } from "../../operators/shape/join.js";
import { squeeze, transpose, unsqueeze } from "../../operators/shape/shape.js";
import { pad, slice } from "../../operators/shape/slice-pad.js";
import type { Tensor } from "../../tensor.js";
import { byHeads, shared, withoutHeads } from "./compose-attention.js";
import { withoutElements } from "./empty-tensors.js";
import type { ComposedCall, Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

/* Operators of opset 27 that carry a state from one call to the next, over a sequence of known length. */

const RULES = ["linear", "gated", "delta", "gated_delta"];

/** The slices of a tensor [batch, heads, length, width] along the length, each [batch, heads, width]. */
function places(x: Tensor, length: number): readonly Tensor[] {
  if (length === 1) return [squeeze(x, [2])];
  return split(x, Array<number>(length).fill(1), 2).map((slice) => squeeze(slice, [2]));
}

/**
 * Linear attention: the state S [batch, heads, keys, values] collects the outer products of keys and values, and a
 * query reads from it. "gated" lets S decay first; "delta" writes the difference between the value and what S already
 * gives for the key. The steps are computed in float32 one after the other.
 */
const linearAttention: Composition = (call) => {
  const { attributes } = call;
  const rule = stringAttribute(attributes, "update_rule", "gated_delta");
  if (!RULES.includes(rule))
    throw new StriateError(`expected an update_rule among ${RULES.join(", ")}, got "${rule}"`);
  const x = operand(call, 0);
  const length = x.shape[1];
  if (x.rank !== 3 || length === undefined || !isStatic(length))
    throw new StriateError(
      `expected queries [batch, length, features] of known length, got ${x.toString()}: fix the shapes of the inputs (inputShapes)`,
    );
  const [heads, own] = ["q_num_heads", "kv_num_heads"].map((name) => intAttribute(attributes, name, 0)) as [
    number,
    number,
  ];
  const wide = (index: number) => cast(operand(call, index), "float32");
  const key = byHeads(wide(1), own, "its keys");
  const [keys, values, queries] = [
    places(key, length),
    places(byHeads(wide(2), own, "its values"), length),
    places(byHeads(wide(0), heads, "its queries"), length),
  ];
  const gates = rule.startsWith("gated")
    ? places(exp(byHeads(wide(4), own, "its decay")), length)
    : undefined;
  const rates = rule.endsWith("delta")
    ? places(unsqueeze(transpose(wide(5), [0, 2, 1]), [3]), length)
    : undefined;
  const width = key.shape[3]!;
  const given = floatAttribute(attributes, "scale", 0);
  if (given === 0 && !isStatic(width)) throw new StriateError("the width of its keys must be known");
  const scale = given === 0 ? 1 / Math.sqrt(width as number) : given;

  let state = call.inputs[3] && cast(call.inputs[3], "float32");
  const results = Array.from({ length }, (_, t) => {
    const column = unsqueeze(keys[t]!, [-1]);
    if (state && gates) state = mul(state, unsqueeze(gates[t]!, [-1]));
    const retrieved = state && rates && squeeze(matmul(transposeMatrix(state), column), [-1]);
    const difference = retrieved ? sub(values[t]!, retrieved) : values[t]!;
    const written = matmul(column, unsqueeze(rates ? mul(rates[t]!, difference) : difference, [2]));
    state = state ? add(state, written) : written;
    const read = matmul(unsqueeze(queries[t]!, [2]), shared(state, heads));
    return mul(read, scale);
  });
  return [cast(withoutHeads(concat(results, 2)), x.dtype), cast(state!, call.inputs[3]?.dtype ?? x.dtype)];
};

/** A convolution of each channel with its past. The state is the end of the input, which the next call continues. */
const causalConvolution: Composition = (call) => {
  const [x, weight, bias, past] = [operand(call, 0), operand(call, 1), call.inputs[2], call.inputs[3]];
  const [channels, , kernel] = weight.shape;
  if (x.rank !== 3 || weight.rank !== 3 || !isStatic(channels!) || !isStatic(kernel!))
    throw new StriateError(
      `expected an input [batch, channels, length] and weights [channels, 1, kernel], got ${x.toString()} and ${weight.toString()}`,
    );
  const before = kernel - 1;
  const whole = past ? concat([past, x], 2) : before === 0 ? x : pad(x, [0, 0, before], [0, 0, 0]);
  const y = applySingle("Conv", bias ? [whole, weight, bias] : [whole, weight], { group: channels });
  return [activated(call, y), ...state()];

  function state(): Tensor[] {
    if (call.outputCount === 1) return [];
    if (before === 0) {
      // The state has no elements.
      const [batch] = x.shape;
      if (batch === undefined || !isStatic(batch))
        throw new StriateError(
          "its state has no elements, and the batch has no known length: fix it (inputShapes)",
        );
      return [withoutElements(x.dtype, [batch, channels as number, 0])];
    }
    return [slice(whole, [{ axis: 2, start: -before }])];
  }
};

function activated(call: ComposedCall, y: Tensor): Tensor {
  const activation = stringAttribute(call.attributes, "activation", "none");
  if (activation === "none") return y;
  if (activation !== "silu" && activation !== "swish")
    throw new StriateError(`expected an activation among none, silu, swish, got "${activation}"`);
  return mul(y, sigmoid(y));
}

export const STATE_OPERATORS: readonly (readonly [string, Composition])[] = [
  ["LinearAttention", linearAttention],
  ["CausalConvWithState", causalConvolution],
  [
    "SwiGLU",
    (call) => {
      const [gate, x] = [operand(call, 0), operand(call, 1)];
      const swish = mul(gate, sigmoid(mul(gate, floatAttribute(call.attributes, "alpha", 1))));
      return [mul(swish, x)];
    },
  ],
];
