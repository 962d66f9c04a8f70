import type { Dim } from "../../dims.js";
import type { Call, TensorType } from "../../operator.js";
import { defineOperator, intAttribute, rejectCall, required, stringAttribute } from "../../operator.js";

/*
 * Recurrent operators for sequences that have a named length or are too long to unroll. For these, they stay
 * single operators; for all other sequences, the reader unrolls them.
 */

/** The number of matrices [hidden, ...] in a weight and the number of results, by type of operator. */
const KINDS = {
  RNN: { gates: 1, results: 2 },
  GRU: { gates: 3, results: 2 },
  LSTM: { gates: 4, results: 3 },
};

function infer(call: Call, gates: number, results: number): TensorType[] {
  const [x, weight, recurrent] = [required(call, 0, "x"), required(call, 1, "w"), required(call, 2, "r")];
  const hidden = recurrent.shape[2];
  const directions = stringAttribute(call.attributes, "direction", "forward") === "bidirectional" ? 2 : 1;
  const fits =
    x.rank === 3 &&
    weight.rank === 3 &&
    recurrent.rank === 3 &&
    weight.shape[0] === directions &&
    typeof hidden === "number" &&
    weight.shape[1] === gates * hidden;
  if (!fits)
    rejectCall(
      call,
      `expected [length, batch, features] and weights for ${directions} directions and ${gates} gates`,
    );
  const isBatchFirst = intAttribute(call.attributes, "layout", 0) === 1;
  const [length, batch] = (isBatchFirst ? [x.shape[1], x.shape[0]] : x.shape) as [Dim, Dim];
  const all = isBatchFirst ? [batch, length, directions, hidden] : [length, directions, batch, hidden];
  const last = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  return Array.from({ length: Math.min(call.outputCount, results) }, (_, i) => ({
    dtype: x.dtype,
    shape: i === 0 ? all : last,
  }));
}

for (const [type, { gates, results }] of Object.entries(KINDS)) {
  defineOperator({
    type,
    infer: (call) => infer(call, gates, results),
    gradient: (call) =>
      rejectCall(
        call,
        "only sequences of a known length of at most 1024 timesteps have a gradient: give the length in inputShapes when the file is read",
      ),
  });
}

/** The types of the operators that are defined here. */
export const RECURRENT_OPERATORS: readonly string[] = Object.keys(KINDS);
