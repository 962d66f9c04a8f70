import { normaliseAxis } from "../../dims.js";
import { applySingle, floatAttribute, intAttribute, intsAttribute, stringAttribute } from "../../operator.js";
import {
  add,
  div,
  equal,
  gelu,
  greater,
  less,
  mul,
  sigmoid,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "../../operators/elementwise/elementwise.js";
import { l1Norm, l2Norm, mean, standardDeviation } from "../../operators/reduce/reduce.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { ATTENTION } from "./compose-attention.js";
import { LOSSES } from "./compose-loss.js";
import { ML_OPERATORS } from "./compose-ml.js";
import { NGRAM_OPERATORS } from "./compose-ngrams.js";
import { SPACE_COMPOSITIONS } from "./compose-space.js";
import { STATE_OPERATORS } from "./compose-state.js";
import { TRAINING_OPERATORS } from "./compose-training.js";
import type { Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

/* Standard operators that Striate lacks, composed of Striate's operators. */

/** Makes a composition of an operator with one operand. */
function map(body: (x: Tensor, attributes: Attributes) => Tensor): Composition {
  return (call) => [body(operand(call, 0), call.attributes)];
}

function axesFrom(x: Tensor, axis: number): number[] {
  return Array.from({ length: x.rank - axis }, (_, i) => axis + i);
}

const rmsNormalization: Composition = (call) => {
  const [x, scale] = [operand(call, 0), operand(call, 1)];
  const axes = axesFrom(
    x,
    normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, "RMSNormalization"),
  );
  const epsilon = floatAttribute(call.attributes, "epsilon", 1e-5);
  return [mul(div(x, sqrt(add(mean(square(x), axes, { keepAxes: true }), epsilon))), scale)];
};

const meanVarianceNormalization = map((x, attributes) => {
  const axes = intsAttribute(attributes, "axes") ?? [0, 2, 3];
  const centred = sub(x, mean(x, axes, { keepAxes: true }));
  return div(centred, add(standardDeviation(x, axes, { keepAxes: true }), 1e-9));
});

/** A vector of zeros gives zeros, as in ONNX Runtime. */
const lpNormalization = map((x, attributes) => {
  const norm = intAttribute(attributes, "p", 2) === 1 ? l1Norm : l2Norm;
  const length = norm(x, intAttribute(attributes, "axis", -1), { keepAxes: true });
  const isZero = equal(length, 0);
  return where(isZero, 0, div(x, where(isZero, 1, length)));
});

export const COMPOSITIONS: ReadonlyMap<string, Composition> = new Map<string, Composition>([
  [
    "Gelu",
    map((x, attributes) => {
      if (stringAttribute(attributes, "approximate", "none") !== "tanh") return gelu(x);
      const inner = mul(add(x, mul(mul(square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
      return mul(mul(x, 0.5), add(tanh(inner), 1));
    }),
  ],
  ["Mish", map((x) => mul(x, tanh(softplus(x))))],
  ["Swish", map((x, attributes) => mul(x, sigmoid(mul(x, floatAttribute(attributes, "alpha", 1)))))],
  [
    "Celu",
    map((x, attributes) => {
      const alpha = floatAttribute(attributes, "alpha", 1);
      return mul(applySingle("Elu", [div(x, alpha)], { alpha: { float: 1 } }), alpha);
    }),
  ],
  [
    "Selu",
    map((x, attributes) => {
      const alpha = { float: floatAttribute(attributes, "alpha", 1.6732632423543772) };
      return mul(applySingle("Elu", [x], { alpha }), floatAttribute(attributes, "gamma", 1.0507009873554805));
    }),
  ],
  [
    "ThresholdedRelu",
    map((x, attributes) => where(greater(x, floatAttribute(attributes, "alpha", 1)), x, 0)),
  ],
  [
    "Shrink",
    map((x, attributes) => {
      const [edge, bias] = [floatAttribute(attributes, "lambd", 0.5), floatAttribute(attributes, "bias", 0)];
      return where(less(x, -edge), add(x, bias), where(greater(x, edge), sub(x, bias), 0));
    }),
  ],
  ["RMSNormalization", rmsNormalization],
  ["MeanVarianceNormalization", meanVarianceNormalization],
  ["LpNormalization", lpNormalization],
  ...SPACE_COMPOSITIONS,
  ...ATTENTION,
  ...LOSSES,
  ...STATE_OPERATORS,
  ...NGRAM_OPERATORS,
  ...ML_OPERATORS,
  ...TRAINING_OPERATORS,
]);
