import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { applySingle } from "../../../src/graph/operator.js";
import type { GradientCase } from "./gradient-check.js";
import type { Entry, Table } from "./entry.js";
import { ZERO } from "./entry.js";
import type { Values } from "./values.js";
import { awayFromZero, broadcastPairs, distinct, flags, seeds, shapes, uniform } from "./values.js";

type Make = (shape: readonly number[], seed: number) => Values;
const anywhere: Make = (shape, seed) => uniform(shape, seed);
const kinked: Make = (shape, seed) => awayFromZero(shape, seed);
const within =
  (low: number, high: number): Make =>
  (shape, seed) =>
    uniform(shape, seed, low, high);
/** ONNX Runtime's CPU provider has these in single precision only. */
const single =
  (low: number, high: number): Make =>
  (shape, seed) =>
    uniform(shape, seed, low, high, "float32");

function unary(build: (x: Tensor) => Tensor, make: Make = anywhere, twice = true): Entry {
  return {
    cases: fc.tuple(shapes(0, 4), seeds, fc.boolean()).map(([shape, seed, batch]): GradientCase => ({
      label: `[${shape}] seed ${seed}`,
      inputs: [{ ...make(shape, seed), batch: batch && shape.length > 0 }],
      build,
      twice: twice && shape.length < 3,
    })),
  };
}

function binary(
  build: (a: Tensor, b: Tensor) => Tensor,
  left: Make = anywhere,
  right: Make = left,
  twice = true,
): Entry {
  return {
    count: 6,
    cases: fc.tuple(broadcastPairs, seeds).map(([[a, b], seed]): GradientCase => ({
      label: `[${a}] and [${b}] seed ${seed}`,
      inputs: [left(a, seed), right(b, seed + 1)],
      build,
      twice: twice && a.length < 3 && b.length < 3,
    })),
  };
}

/** Two operands without ties: the distinct values of one lie between those of the other. */
function ordered(build: (a: Tensor, b: Tensor) => Tensor): Entry {
  const left: Make = (shape, seed) => distinct(shape, seed, "float64", 0.2);
  const right: Make = (shape, seed) => {
    const values = distinct(shape, seed, "float64", 0.2);
    return { ...values, data: values.data.map((v) => v + 0.053) };
  };
  return binary(build, left, right, false);
}

export const ELEMENTWISE: Table = {
  Identity: unary(g.identity),
  Dropout: unary((x) => g.dropout(x, 0.3)),
  Neg: unary(g.neg),
  Abs: unary(g.abs, kinked),
  Sign: ZERO,
  Exp: unary(g.exp),
  Log: unary(g.log, within(0.5, 2)),
  Sqrt: unary(g.sqrt, within(0.5, 2)),
  Reciprocal: unary(g.reciprocal, within(0.5, 2)),
  Sin: unary(g.sin),
  Cos: unary(g.cos),
  Tan: unary(g.tan, single(-0.8, 0.8), false),
  Asin: unary(g.asin, single(-0.7, 0.7), false),
  Acos: unary(g.acos, single(-0.7, 0.7), false),
  Atan: unary(g.atan, single(-1, 1)),
  AtanGradient: { reason: "made by Atan's rule and checked there, also its own gradient" },
  Sinh: unary(g.sinh, single(-1, 1), false),
  Cosh: unary(g.cosh, single(-1, 1), false),
  Tanh: unary(g.tanh),
  Asinh: unary(g.asinh, single(-2, 2), false),
  Acosh: unary(g.acosh, single(1.5, 3), false),
  Atanh: unary(g.atanh, single(-0.7, 0.7), false),
  Sigmoid: unary(g.sigmoid),
  Erf: unary(g.erf, single(-1, 1), false),
  Relu: unary(g.relu, kinked),
  Softplus: unary(g.softplus),
  Softsign: unary(g.softsign, kinked),
  Floor: ZERO,
  Ceil: ZERO,
  Round: ZERO,
  StopGradient: ZERO,
  UnitStep: ZERO,
  LeakyRelu: unary((x) => g.leakyRelu(x, 0.2), kinked),
  Elu: unary((x) => g.elu(x, 0.7), kinked),
  HardSigmoid: unary((x) => g.hardSigmoid(x, 0.3, 0.4), kinked),
  HardSwish: unary(g.hardSwish),
  Add: binary(g.add),
  Sub: binary(g.sub),
  Mul: binary(g.mul),
  Div: binary(g.div, anywhere, kinked),
  ScaledAdd: {
    cases: fc.tuple(shapes(0, 3), seeds).map(([shape, seed]) => ({
      label: `[${shape}] seed ${seed}`,
      inputs: [uniform(shape, seed), uniform([], seed + 1), uniform(shape, seed + 2)],
      build: (x: Tensor, scale: Tensor, y: Tensor) => g.scaledAdd(x, scale, y),
      twice: true,
    })),
  },
  Pow: binary(g.pow, within(0.5, 2)),
  Hypot: binary(g.hypot, anywhere, kinked),
  Max: ordered(g.maximum),
  Min: ordered(g.minimum),
  Mod: {
    count: 6,
    // Quotients from 3.2 to 3.8 of either sign: away from the jumps.
    cases: fc.tuple(broadcastPairs, fc.constantFrom(1, -1), seeds).map(([[a, b], sign, seed]) => ({
      label: `[${a}] and [${b}] sign ${sign} seed ${seed}`,
      inputs: [uniform(a, seed, 3.4 * sign, 3.6 * sign), uniform(b, seed + 1, 0.97, 1.03)],
      build: (x: Tensor, y: Tensor) => g.mod(x, y),
    })),
  },
  Equal: ZERO,
  Greater: ZERO,
  GreaterOrEqual: ZERO,
  Less: ZERO,
  LessOrEqual: ZERO,
  And: ZERO,
  Or: ZERO,
  Xor: ZERO,
  Not: ZERO,
  IsNaN: ZERO,
  IsInf: ZERO,
  Where: {
    count: 6,
    cases: fc.tuple(broadcastPairs, fc.boolean(), seeds).map(([[a, b], small, seed]) => ({
      label: `[${a}] and [${b}] seed ${seed}`,
      inputs: [flags(small ? a : b, seed), uniform(a, seed + 1), uniform(b, seed + 2)],
      build: (condition: Tensor, x: Tensor, y: Tensor) => g.where(condition, x, y),
    })),
  },
  Clip: {
    count: 10,
    cases: fc
      .tuple(
        shapes(0, 3),
        fc.constantFrom<readonly (number | undefined)[]>(
          [-0.2, 0.25],
          [-0.21, undefined],
          [undefined, 0.22],
          [0.4, -0.1],
        ),
        fc.boolean(),
        seeds,
      )
      .map(([shape, bounds, trained, seed]): GradientCase => {
        const given = bounds.filter((bound) => bound !== undefined);
        const tensors = trained
          ? given.map((bound) => ({ shape: [], dtype: "float64" as const, data: [bound] }))
          : [];
        return {
          label: `[${shape}] bounds ${bounds.join()} trained ${trained} seed ${seed}`,
          inputs: [kinked(shape, seed), ...tensors],
          build: (x, ...bound) => {
            const [low, high] = bounds.map((value) =>
              value === undefined || !trained ? value : bound.shift(),
            );
            return g.clip(x, low, high);
          },
        };
      }),
  },
  PRelu: {
    cases: fc.tuple(shapes(1, 4), fc.boolean(), seeds).map(([shape, scalar, seed]) => ({
      label: `[${shape}] seed ${seed}`,
      inputs: [awayFromZero(shape, seed), uniform(scalar ? [1] : shape.slice(1), seed + 1)],
      build: (x: Tensor, slope: Tensor) => g.prelu(x, slope),
    })),
  },
  Cast: {
    cases: fc.tuple(shapes(0, 4), seeds).map(([shape, seed]) => ({
      label: `[${shape}] seed ${seed}`,
      // Multiples of 1/8 moved by 1/8: exact in single precision.
      inputs: [
        { ...uniform(shape, seed), data: uniform(shape, seed).data.map((v) => Math.round(8 * v) / 8) },
      ],
      step: 1 / 8,
      build: (x: Tensor) => g.cast(g.cast(x, "float32"), "float64"),
    })),
  },
  Sum: unary((x) => addition("Sum", x)),
  Mean: unary((x) => addition("Mean", x), single(-1, 1)),
};

function addition(type: "Sum" | "Mean", x: Tensor): Tensor {
  return applySingle(type, [x, g.sin(x), x]);
}
