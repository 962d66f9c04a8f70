import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { apply, applySingle } from "../../../src/graph/operator.js";
import type { GradientCase } from "./gradient-check.js";
import type { Entry, Table } from "./entry.js";
import { awayFromZero, seeds, shapes, uniform } from "./values.js";

/** [batch, channels, ...space] with something to take a variance of. */
const maps = fc
  .tuple(fc.integer({ min: 2, max: 3 }), fc.integer({ min: 1, max: 3 }), shapes(0, 2, 3))
  .map(([batch, channels, space]) => [batch, channels, ...space]);

/** ... and over each channel's own space. */
const wideMaps = fc
  .tuple(shapes(2, 2, 3), fc.integer({ min: 2, max: 4 }), shapes(0, 1, 3))
  .map(([front, length, rest]) => [...front, length, ...rest]);

const EPSILON = 0.1;

function perChannel(
  maps_: fc.Arbitrary<number[]>,
  dtype: "float32" | "float64",
  vectors: readonly (readonly [low: number, high: number])[],
  build: (x: Tensor, ...vectors: Tensor[]) => Tensor,
  twice = true,
): Entry {
  return {
    count: 4,
    cases: fc.tuple(maps_, seeds).map(([shape, seed]): GradientCase => ({
      label: `[${shape}] seed ${seed}`,
      inputs: [
        { ...uniform(shape, seed, -1, 1, dtype), batch: true },
        ...vectors.map(([low, high], i) => uniform([shape[1]!], seed + 1 + i, low, high, dtype)),
      ],
      build: (...t: Tensor[]) => build(t[0]!, ...t.slice(1)),
      twice,
    })),
  };
}

const scale = [0.5, 1.5] as const;
const bias = [-1, 1] as const;

const layers = wideMaps.chain((shape) =>
  fc.tuple(fc.constant(shape), fc.integer({ min: -2, max: -1 }), fc.boolean(), fc.boolean(), seeds),
);

function layer(dtype: "float32" | "float64"): fc.Arbitrary<GradientCase> {
  return layers.map(([shape, axis, biased, whole, seed]) => {
    const own = shape.slice(whole ? axis : -1);
    return {
      label: `[${shape}] axis ${axis} scale [${own}] ${dtype} seed ${seed}`,
      inputs: [
        { ...uniform(shape, seed, -1, 1, dtype), batch: true },
        uniform(own, seed + 1, 0.5, 1.5, dtype),
        ...(biased ? [uniform(own, seed + 2, -1, 1, dtype)] : []),
      ],
      build: (...t: Tensor[]) => g.layerNorm(t[0]!, t[1]!, t[2], { axis, epsilon: EPSILON }),
      twice: dtype === "float64",
    };
  });
}

/** Whichever of its results flows on: the values, their mean, the inverse deviation. */
const layerStatistics: fc.Arbitrary<GradientCase> = fc
  .tuple(wideMaps, fc.integer({ min: -2, max: -1 }), fc.constantFrom([1], [2], [0, 2], [0, 1, 2]), seeds)
  .map(([shape, axis, used, seed]) => ({
    label: `[${shape}] axis ${axis} outputs ${used.join()} seed ${seed}`,
    inputs: [
      { ...uniform(shape, seed, -1, 1, "float32"), batch: true },
      uniform(shape.slice(axis), seed + 1, 0.5, 1.5, "float32"),
      uniform(shape.slice(axis), seed + 2, -1, 1, "float32"),
    ],
    build: (x, scale, bias) => {
      const attributes = { axis, epsilon: { float: EPSILON } };
      const results = apply("LayerNormalization", [x, scale, bias], attributes, { outputs: 3 });
      return used.map((i) => g.cast(results[i]!, x.dtype)).reduce((a, b) => g.add(a, b));
    },
  }));

function grouped(
  build: (x: Tensor, groups: number, scale: Tensor, bias: Tensor) => Tensor,
  perGroup: boolean,
): Entry {
  return {
    count: 4,
    cases: fc
      .tuple(shapes(1, 2, 3), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), seeds)
      .map(([space, groups, each, seed]): GradientCase => {
        const channels = groups * each;
        const length = perGroup && seed % 2 === 0 ? groups : channels;
        const shape = [2, channels, ...space.with(0, space[0]! + 1)];
        return {
          label: `[${shape}] groups ${groups} vectors ${length} seed ${seed}`,
          inputs: [
            { ...uniform(shape, seed, -1, 1, "float32"), batch: true },
            uniform([length], seed + 1, 0.5, 1.5, "float32"),
            uniform([length], seed + 2, -1, 1, "float32"),
          ],
          build: (x, s, b) => build(x, groups, s, b),
        };
      }),
  };
}

export const NORMALISE: Table = {
  BatchNormalization: perChannel(maps, "float64", [scale, bias, bias, scale], (x, s, b, mean, variance) =>
    g.batchNormInference(x, s, b, { mean: mean, variance: variance }, EPSILON),
  ),
  BatchNormTraining: {
    count: 8,
    cases: fc
      .tuple(maps, fc.constantFrom("y", "mean", "variance", "all"), seeds)
      .map(([shape, output, seed]) => ({
        label: `[${shape}] output ${output} seed ${seed}`,
        inputs: [
          { ...uniform(shape, seed), batch: true },
          uniform([shape[1]!], seed + 1, 0.5, 1.5),
          uniform([shape[1]!], seed + 2),
        ],
        build: (x: Tensor, s: Tensor, b: Tensor) => {
          const result = g.batchNormTraining(x, s, b, EPSILON);
          if (output !== "all") return result[output as "y"];
          const perChannelSum = g.add(result.mean, g.mul(result.variance, result.count));
          return g.add(result.y, g.sum(perChannelSum));
        },
        twice: true,
      })),
  },
  InstanceNormalization: perChannel(
    wideMaps,
    "float32",
    [scale, bias],
    (x, s, b) => g.instanceNorm(x, s, b, EPSILON),
    false,
  ),
  GroupNormalization: grouped(
    (x, groups, s, b) =>
      applySingle("GroupNormalization", [x, s, b], { num_groups: groups, epsilon: { float: EPSILON } }),
    true,
  ),
  LayerNormalization: { count: 12, cases: fc.oneof(layer("float32"), layer("float64"), layerStatistics) },
  UnitVectors: {
    count: 6,
    cases: fc
      .tuple(wideMaps, fc.integer({ min: 0, max: 2 }), fc.constantFrom("float32", "float64"), seeds)
      .map(([shape, at, dtype, seed]): GradientCase => {
        const axis = Math.min(at, shape.length - 1);
        return {
          label: `[${shape}] axis ${axis} ${dtype} seed ${seed}`,
          inputs: [{ ...awayFromZero(shape, seed, dtype), batch: axis > 0 }],
          build: (x) => g.mul(g.unitVectors(x, axis), g.add(x, 2)),
          twice: dtype === "float64",
        };
      }),
  },
  LRN: {
    count: 4,
    cases: fc
      .tuple(shapes(4, 4, 3), fc.integer({ min: 1, max: 5 }), fc.constantFrom(1, 3, 5), seeds)
      .map(([shape, channels, size, seed]): GradientCase => ({
        label: `[${shape.with(1, channels)}] size ${size} seed ${seed}`,
        inputs: [{ ...uniform(shape.with(1, channels), seed, -1, 1, "float32"), batch: true }],
        build: (x) => g.localResponseNorm(x, size, { alpha: 0.9, beta: 0.6, bias: 1.2 }),
      })),
  },
};

export const GROUP_NORM: Table = {
  "group normalisation": grouped((x, groups, s, b) => g.groupNorm(x, groups, s, b, EPSILON), false),
};
