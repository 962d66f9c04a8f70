import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { applySingle } from "../../../src/graph/operator.js";
import type { Entry, Table } from "./entry.js";
import { ZERO } from "./entry.js";
import type { Values } from "./values.js";
import { awayFromZero, distinct, seeds, shapes, subsets, uniform, whole } from "./values.js";

type Make = (shape: readonly number[], seed: number) => Values;
const anywhere: Make = (shape, seed) => uniform(shape, seed);
const positive: Make = (shape, seed) => uniform(shape, seed, 0.5, 2);
/** Some of them 0: up to several in one product. */
const withZeros: Make = (shape, seed) => {
  const values = uniform(shape, seed);
  return { ...values, data: values.data.map((v) => (Math.abs(v) < 0.4 ? 0 : v)) };
};

type Reduce = (x: Tensor, axes?: g.Axes, options?: g.ReduceOptions) => Tensor;

function reduction(build: Reduce, make: Make = anywhere, twice = true): Entry {
  const cases = shapes(1, 4).chain((shape) =>
    fc.tuple(fc.constant(shape), fc.option(subsets(shape.length)), fc.boolean(), fc.boolean(), seeds),
  );
  return {
    count: 5,
    cases: cases.map(([shape, axes, keepAxes, batch, seed]) => ({
      label: `[${shape}] axes ${axes === null ? "all" : `[${axes}]`} keep ${keepAxes} seed ${seed}`,
      inputs: [{ ...make(shape, seed), batch }],
      build: (x) => build(x, axes ?? undefined, { keepAxes }),
      twice: twice && shape.length < 3,
    })),
  };
}

function alongAxis(build: (x: Tensor, axis: number) => Tensor, longest = 4): Entry {
  const cases = shapes(1, 4, longest).chain((shape) =>
    fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 }), seeds),
  );
  return {
    count: 4,
    cases: cases.map(([shape, axis, seed]) => ({
      label: `[${shape}] axis ${axis} seed ${seed}`,
      inputs: [{ ...distinct(shape, seed), batch: axis > 0 }],
      build: (x) => build(x, axis),
      twice: shape.length < 3,
    })),
  };
}

export const REDUCE: Table = {
  ReduceSum: reduction(g.sum),
  ReduceMean: reduction(g.mean),
  ReduceMax: reduction(g.max, (shape, seed) => distinct(shape, seed), false),
  ReduceMin: reduction(g.min, (shape, seed) => distinct(shape, seed), false),
  ReduceProd: reduction(g.product, withZeros),
  ReduceSumSquare: reduction(g.sumOfSquares),
  ReduceL1: reduction(g.l1Norm, (shape, seed) => awayFromZero(shape, seed)),
  ReduceL2: reduction(g.l2Norm, positive),
  ReduceLogSumExp: reduction(g.logSumExp),
  ReduceLogSum: reduction(g.logSum, positive),
  Softmax: alongAxis((x, axis) => g.softmax(x, axis)),
  Hardmax: ZERO,
  LogSoftmax: alongAxis((x, axis) => g.logSoftmax(x, axis)),
  ArgMax: ZERO,
  NonZero: ZERO,
  NonMaxSuppression: ZERO,
  ArgMin: ZERO,
  OneHot: {
    cases: fc.tuple(shapes(1, 2), fc.boolean(), seeds).map(([shape, first, seed]) => ({
      label: `[${shape}] new axis first ${first} seed ${seed}`,
      // A place that does not exist is nowhere.
      inputs: [whole(shape, seed, -3, 4), uniform([2], seed + 1, -1, 1, "float32")],
      build: (places: Tensor, values: Tensor) =>
        applySingle("OneHot", [places, g.constant(3, [], "int64"), values], { axis: first ? 0 : -1 }),
      twice: true,
    })),
  },
  TopK: {
    count: 4,
    cases: shapes(1, 3)
      .chain((shape) =>
        fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.boolean(), fc.nat(3), seeds),
      )
      .map(([shape, axis, largest, k, seed]) => ({
        label: `[${shape}] axis ${axis} largest ${largest} seed ${seed}`,
        inputs: [distinct(shape, seed)],
        build: (x: Tensor) => g.topK(x, 1 + (k % shape[axis]!), axis, { largest }).values,
      })),
  },
  CumSum: {
    count: 4,
    cases: shapes(1, 3)
      .chain((shape) =>
        fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.boolean(), fc.boolean(), seeds),
      )
      .map(([shape, axis, exclusive, reverse, seed]) => ({
        label: `[${shape}] axis ${axis} exclusive ${exclusive} reverse ${reverse} seed ${seed}`,
        inputs: [{ ...uniform(shape, seed), batch: true }],
        build: (x: Tensor) => g.cumulativeSum(x, axis, { exclusive, reverse }),
        twice: true,
      })),
  },
  Trilu: {
    count: 4,
    cases: fc
      .tuple(shapes(2, 4), fc.boolean(), fc.integer({ min: -3, max: 3 }), seeds)
      .map(([shape, up, k, seed]) => ({
        label: `[${shape}] upper ${up} k ${k} seed ${seed}`,
        inputs: [uniform(shape, seed)],
        build: (x: Tensor) => (up ? g.upperTriangle(x, k) : g.lowerTriangle(x, k)),
        twice: true,
      })),
  },
};

/** Operators that read or write by index. */
export const SELECT: Table = {
  Gather: {
    count: 8,
    cases: shapes(1, 4)
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.nat(shape.length - 1),
          shapes(0, 2),
          fc.boolean(),
          fc.boolean(),
          seeds,
        ),
      )
      .map(([shape, axis, places, constant, batch, seed]) => {
        const indices = whole(places, seed, -shape[axis]!, shape[axis]!);
        const x = { ...uniform(shape, seed + 1), batch: batch && axis > 0 };
        const label = `[${shape}] axis ${axis} indices [${indices.data}] of shape [${places}] constant ${constant}`;
        if (!constant) {
          return {
            label,
            inputs: [x, indices],
            build: (t: Tensor, i: Tensor) => g.gather(t, i, axis),
            twice: true,
          };
        }
        const build = (t: Tensor) => g.gather(t, g.constant(indices.data, places, "int64"), axis);
        return { label, inputs: [x], build, twice: true };
      }),
  },
  GatherGradient: { reason: "made by Gather's rule and checked there, also its own gradient" },
  GatherElements: byElement((x, i, _updates, axis) => g.gatherElements(x, i, axis), true),
  ScatterElements: byElement((x, i, updates, axis, reduction) =>
    g.scatterElements(x, i, updates, axis, reduction),
  ),
  GatherND: byVector((x, i) => g.gatherND(x, i), false),
  ScatterND: byVector((x, i, updates, reduction) => g.scatterND(x, i, updates, reduction), true),
};

const reductions = fc.constantFrom<g.ScatterReduction>("none", "add", "mul", "max", "min");

/** Where equal indices are not defined, every line gets an order of its own. */
function byElement(
  build: (x: Tensor, indices: Tensor, updates: Tensor, axis: number, reduction: g.ScatterReduction) => Tensor,
  readOnly = false,
): Entry {
  const cases = shapes(1, 3).chain((shape) =>
    fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), reductions, fc.nat(3), seeds),
  );
  return {
    count: 10,
    cases: cases.map(([shape, axis, reduction, rows, seed]) => {
      const adds = reduction !== "none";
      const length = shape[axis]!;
      const count = adds || readOnly ? 1 + rows : 1 + (rows % length);
      const places = shape.with(axis, count);
      const random = whole(places, seed, -length, length);
      // A different start for every line, then one after the other.
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const apart = random.data.map((_, at) => (Math.floor(at / inner) % count) % length);
      const indices = { ...random, data: adds || readOnly ? random.data : apart };
      const inputs = [uniform(shape, seed + 1), indices, ...(readOnly ? [] : [uniform(places, seed + 2)])];
      return {
        label: `[${shape}] axis ${axis} indices [${indices.data}] of shape [${places}] ${reduction}`,
        inputs,
        build: (...t: Tensor[]) => build(t[0]!, t[1]!, t[2] ?? t[0]!, axis, reduction),
        twice: reduction === "none" || reduction === "add",
      };
    }),
  };
}

function byVector(
  build: (x: Tensor, indices: Tensor, updates: Tensor, reduction: g.ScatterReduction) => Tensor,
  writes: boolean,
): Entry {
  const cases = shapes(1, 3).chain((shape) =>
    fc.tuple(
      fc.constant(shape),
      fc.integer({ min: 1, max: shape.length }),
      fc.integer({ min: 1, max: 3 }),
      reductions,
      seeds,
    ),
  );
  return {
    count: 10,
    cases: cases.map(([shape, depth, count, reduction, seed]) => {
      const adds = reduction !== "none";
      const places = Array.from({ length: adds ? count : 1 }, (_, i) =>
        Array.from({ length: depth }, (_unused, axis) => (seed + 3 * i + axis) % shape[axis]!),
      );
      const indices: Values = { shape: [places.length, depth], dtype: "int64", data: places.flat() };
      const rows = [places.length, ...shape.slice(depth)];
      return {
        label: `[${shape}] indices ${JSON.stringify(places)} ${reduction}`,
        inputs: [uniform(shape, seed + 1), indices, ...(writes ? [uniform(rows, seed + 2)] : [])],
        build: (...t: Tensor[]) => build(t[0]!, t[1]!, t[2] ?? t[0]!, reduction),
        twice: reduction === "none" || reduction === "add",
      };
    }),
  };
}
