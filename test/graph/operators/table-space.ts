import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { applySingle } from "../../../src/graph/operator.js";
import type { GradientCase } from "./gradient-check.js";
import type { Entry, Table } from "./entry.js";
import { distinct, seeds, shapes, uniform } from "./values.js";

export interface Pool {
  readonly shape: readonly number[];
  readonly kernel: readonly number[];
  readonly options: g.MaxPoolOptions;
  readonly seed: number;
  readonly label: string;
}

/** Windows of every kind: overlapping, apart, padded on one side only, with a ragged end. */
export function pools(dilated: boolean): fc.Arbitrary<Pool> {
  const axis = fc
    .record({
      k: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 4 }),
      dilation: dilated ? fc.constantFrom(1, 1, 2) : fc.constant(1),
      before: fc.nat(2),
      after: fc.nat(2),
      extra: fc.nat(5),
    })
    .map((a) => {
      // No pad may hold a whole window.
      const [before, after] = [Math.min(a.before, a.k - 1), Math.min(a.after, a.k - 1)];
      return { ...a, before, after, length: (a.k - 1) * a.dilation + 1 + a.extra };
    });
  const axes = fc.oneof(
    { weight: 4, arbitrary: fc.array(axis, { minLength: 2, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.array(axis, { minLength: 1, maxLength: 1 }) },
  );
  return fc
    .tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 }), axes, fc.boolean(), seeds)
    .map(([batch, channels, list, ceilMode, seed]) => {
      const shape = [batch, channels, ...list.map((a) => a.length)];
      const kernel = list.map((a) => a.k);
      const options = {
        stride: list.map((a) => a.stride),
        dilation: list.map((a) => a.dilation),
        padding: [...list.map((a) => a.before), ...list.map((a) => a.after)],
        ceilMode,
      };
      return {
        shape,
        kernel,
        options,
        seed,
        label: `[${shape}] kernel ${kernel} ${JSON.stringify(options)} seed ${seed}`,
      };
    });
}

function pooling(count: number, dilated: boolean, make: (pool: Pool) => Omit<GradientCase, "label">): Entry {
  return { count, cases: pools(dilated).map((pool) => ({ label: pool.label, ...make(pool) })) };
}

/** Averages and interpolations are linear: a wide step costs nothing in single precision. */
const LINEAR_STEP = 0.5;

/** An output length; -1 halves an even input, where every source position may lie between two elements. */
const lengths = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(-1));

const resizes = fc
  .tuple(
    shapes(4, 4, 4),
    lengths,
    lengths,
    fc.constantFrom("nearest", "nearest", "linear", "cubic"),
    fc.constantFrom("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"),
    fc.constantFrom("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"),
    fc.boolean(),
    seeds,
  )
  .map(([[n, c, h, w], tall, wide, mode, coordinates, nearest, excludeOutside, seed]): GradientCase => {
    const input = [1 + (n! % 2), 1 + (c! % 2), tall < 0 ? 2 * h! : h!, wide < 0 ? 2 * w! : w!];
    const output = [tall < 0 ? h! : tall, wide < 0 ? w! : wide];
    return {
      label: `[${input}] to ${output} ${mode} ${coordinates} ${nearest} ${excludeOutside} seed ${seed}`,
      inputs: [uniform(input, seed, -1, 1, "float32")],
      build: (x: Tensor) =>
        applySingle("Resize", [x, undefined, undefined, g.integers([...input.slice(0, 2), ...output])], {
          mode,
          coordinate_transformation_mode: coordinates,
          ...(mode === "nearest" && { nearest_mode: nearest }),
          ...(mode === "cubic" && { exclude_outside: excludeOutside ? 1 : 0 }),
        }),
      step: LINEAR_STEP,
      twice: true,
    };
  });

const upsamplings = fc
  .tuple(shapes(3, 4, 3), fc.integer({ min: 1, max: 3 }), fc.boolean(), seeds)
  .map(([shape, factor, batch, seed]): GradientCase => ({
    label: `[${shape}] factor ${factor} seed ${seed}`,
    inputs: [{ ...uniform(shape, seed, -1, 1, "float32"), batch }],
    build: (x: Tensor) =>
      g.resizeNearest(
        x,
        shape.slice(2).map((dim) => dim * factor),
      ),
    step: LINEAR_STEP,
    twice: true,
  }));

export const SPACE: Table = {
  MaxPool: pooling(16, true, ({ shape, kernel, options, seed }) => ({
    inputs: [{ ...distinct(shape, seed, "float32"), batch: true }],
    build: (x) => g.maxPool(x, kernel, options),
    step: 1 / 32,
    twice: true,
  })),
  MaxPoolGradient: { reason: "made by MaxPool's rule and checked there, also its own gradient" },
  MaxPoolSelect: pooling(8, true, ({ shape, kernel, options, seed }) => ({
    inputs: [
      { ...distinct(shape, seed, "float32"), batch: true, fixed: true },
      { ...uniform(shape, seed + 1, -1, 1, "float32"), batch: true },
    ],
    build: (x, values) => g.maxPoolSelect(x, values, kernel, options),
    step: LINEAR_STEP,
    twice: true,
  })),
  AveragePool: pooling(16, false, ({ shape, kernel, options, seed }) => ({
    inputs: [{ ...uniform(shape, seed, -1, 1, "float32"), batch: true }],
    build: (x) => g.averagePool(x, kernel, { ...options, countPadding: seed % 2 === 0 }),
    step: LINEAR_STEP,
    twice: true,
  })),
  GlobalAveragePool: {
    cases: fc.tuple(shapes(3, 4), seeds).map(([shape, seed]) => ({
      label: `[${shape}] seed ${seed}`,
      inputs: [{ ...uniform(shape, seed, -1, 1, "float32"), batch: true }],
      build: (x: Tensor) => g.globalAveragePool(x),
      step: LINEAR_STEP,
      twice: true,
    })),
  },
  GlobalMaxPool: {
    cases: fc.tuple(shapes(3, 4), seeds).map(([shape, seed]) => ({
      label: `[${shape}] seed ${seed}`,
      inputs: [{ ...distinct(shape, seed, "float32"), batch: true }],
      build: (x: Tensor) => g.globalMaxPool(x),
      step: 1 / 32,
      twice: true,
    })),
  },
  Resize: {
    count: 60,
    cases: fc.oneof({ weight: 4, arbitrary: resizes }, { weight: 1, arbitrary: upsamplings }),
  },
};

/** Functions made of several operators that have properties of their own. */
export const ADAPTIVE: Table = Object.fromEntries(
  (["average", "max"] as const).map((kind): [string, Entry] => [
    `adaptive ${kind} pooling`,
    {
      count: 6,
      cases: fc
        .tuple(shapes(4, 4, 7), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), seeds)
        .map(([[n, c, h, w], height, width, seed]) => {
          const shape = [1 + (n! % 2), 1 + (c! % 2), h!, w!];
          const size = [Math.min(height, h!), Math.min(width, w!)];
          return {
            label: `[${shape}] to ${size} seed ${seed}`,
            inputs: [{ ...distinct(shape, seed, "float32"), batch: true }],
            build: (x: Tensor) =>
              kind === "max" ? g.adaptiveMaxPool(x, size) : g.adaptiveAveragePool(x, size),
            step: 1 / 32,
            twice: true,
          };
        }),
    },
  ]),
);
