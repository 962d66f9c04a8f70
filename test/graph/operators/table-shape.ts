import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { applySingle } from "../../../src/graph/operator.js";
import type { Entry, Table } from "./entry.js";
import { ZERO } from "./entry.js";
import { orders, seeds, shapes, subsets, uniform } from "./values.js";

function plain(
  cases: fc.Arbitrary<{ shape: number[]; label: string; build: (x: Tensor) => Tensor; batch?: boolean }>,
): Entry {
  return {
    count: 4,
    cases: fc.tuple(cases, seeds).map(([{ shape, label, build, batch = false }, seed]) => ({
      label: `[${shape}] ${label} seed ${seed}`,
      inputs: [{ ...uniform(shape, seed), batch }],
      build,
      twice: true,
    })),
  };
}

const ranges = (length: number) =>
  fc
    .tuple(fc.nat(length - 1), fc.integer({ min: 1, max: length }), fc.constantFrom(1, 2, 3, -1, -2))
    .map(([start, count, step]) => {
      if (step > 0) return { start, end: Math.min(length, start + count), step };
      return { start, end: start - count < 0 ? -length - 1 : start - count, step };
    });

export const SHAPE: Table = {
  Reshape: plain(
    shapes(1, 4).chain((shape) =>
      fc.constantFrom([-1], [1, -1], [-1, 1], [0, -1], [...shape].reverse()).map((to) => ({
        shape,
        label: `to [${to}]`,
        build: (x: Tensor) => g.reshape(x, to),
        batch: to[0] === 0,
      })),
    ),
  ),
  Flatten: plain(
    shapes(1, 4).chain((shape) =>
      fc
        .nat(shape.length)
        .map((axis) => ({ shape, label: `axis ${axis}`, build: (x) => g.flatten(x, axis), batch: true })),
    ),
  ),
  Squeeze: plain(
    shapes(1, 3).map((shape) => ({
      shape: [shape[0]!, 1, ...shape.slice(1)],
      label: "",
      build: (x) => g.squeeze(x, [1]),
      batch: true,
    })),
  ),
  Unsqueeze: plain(
    shapes(0, 3).chain((shape) =>
      subsets(shape.length + 2).map((axes) => ({
        shape,
        label: `axes [${axes.slice(0, 2)}]`,
        build: (x: Tensor) =>
          g.unsqueeze(
            x,
            axes
              .slice(0, 2)
              .map((axis) => Math.min(axis, shape.length + Math.min(2, axes.length) - 1))
              .filter((axis, i, all) => all.indexOf(axis) === i),
          ),
      })),
    ),
  ),
  Transpose: plain(
    shapes(1, 4).chain((shape) =>
      orders(shape.length).map((order) => ({
        shape,
        label: `order [${order}]`,
        build: (x) => g.transpose(x, order),
        batch: true,
      })),
    ),
  ),
  Concat: {
    count: 4,
    cases: shapes(1, 3)
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.nat(shape.length - 1),
          fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
          fc.boolean(),
          seeds,
        ),
      )
      .map(([shape, axis, lengths, batch, seed]) => ({
        label: `[${shape}] axis ${axis} lengths [${lengths}] seed ${seed}`,
        inputs: lengths.map((length, i) => ({
          ...uniform(shape.with(axis, length), seed + i),
          batch: batch && axis > 0,
        })),
        build: (...parts: Tensor[]) => g.concat(parts, axis),
        twice: true,
      })),
  },
  Split: plain(
    shapes(1, 3).chain((rest) =>
      fc
        .tuple(
          fc.nat(rest.length),
          fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
          fc.nat(2),
        )
        .map(([axis, sizes, used]) => ({
          shape: rest.toSpliced(
            axis,
            0,
            sizes.reduce((a, b) => a + b, 0),
          ),
          label: `axis ${axis} sizes [${sizes}]`,
          // One part stays unused, so that a gradient is missing.
          build: (x: Tensor) =>
            g
              .split(x, sizes, axis)
              .filter((_, i) => sizes.length === 1 || i !== used)
              .map(g.sin)
              .reduce((a, b) => g.add(g.sum(a), b)),
          batch: axis > 0,
        })),
    ),
  ),
  Slice: {
    ...plain(
      shapes(1, 3, 5).chain((shape) =>
        fc.tuple(...shape.map(ranges), subsets(shape.length)).map((drawn) => {
          const axes = drawn.at(-1) as number[];
          const picked = axes.map((axis) => ({
            axis,
            ...(drawn[axis] as { start: number; end: number; step: number }),
          }));
          return {
            shape,
            label: JSON.stringify(picked),
            build: (x: Tensor) => g.slice(x, picked),
            batch: !axes.includes(0),
          };
        }),
      ),
    ),
    count: 10,
  },
  Pad: {
    count: 16,
    cases: fc
      .tuple(
        fc.constantFrom("constant", "constant", "reflect", "edge", "wrap"),
        fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        seeds,
      )
      .chain(([mode, shape, filled, seed]) =>
        fc
          .tuple(
            ...shape.map((dim) =>
              mode === "constant"
                ? fc.tuple(fc.integer({ min: -1, max: 3 }), fc.nat(3))
                : fc.tuple(fc.nat(dim - 1), fc.nat(dim - 1)),
            ),
          )
          .map((pads) => ({
            label: `[${shape}] ${mode} ${JSON.stringify(pads)} value ${filled} seed ${seed}`,
            inputs: [
              { ...uniform(shape, seed), batch: pads[0]![0] === 0 && pads[0]![1] === 0 },
              ...(filled ? [uniform([], seed + 1)] : []),
            ],
            build: (x: Tensor, value?: Tensor) => {
              const numbers = [...pads.map(([n]) => n), ...pads.map(([, n]) => n)];
              return applySingle("Pad", [x, g.integers(numbers), value], { mode });
            },
            twice: true,
          })),
      ),
  },
  CropLike: { reason: "made by Conv's rule for named axes and checked with those" },
  PadLike: { reason: "made by the rule of CropLike and checked with it" },
  Expand: plain(
    shapes(1, 3).chain((shape) =>
      fc.tuple(subsets(shape.length, 0), shapes(0, 2)).map(([ones, front]) => ({
        shape: shape.map((dim, axis) => (ones.includes(axis) ? 1 : dim)),
        label: `to [${[...front, ...shape]}]`,
        build: (x: Tensor) => g.expand(x, [...front, ...shape]),
      })),
    ),
  ),
  Tile: plain(
    shapes(1, 4, 3).chain((shape) =>
      fc
        .array(fc.integer({ min: 1, max: 3 }), { minLength: shape.length, maxLength: shape.length })
        .map((repeats) => ({
          shape,
          label: `repeats [${repeats}]`,
          build: (x: Tensor) => g.tile(x, repeats),
          batch: true,
        })),
    ),
  ),
  Shape: ZERO,
  Size: ZERO,
  ConstantOfShape: ZERO,
  Range: {
    cases: fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom(1, -1), seeds)
      .map(([count, sign, seed]) => ({
        label: `${count} numbers, sign ${sign}, seed ${seed}`,
        inputs: [
          uniform([], seed),
          { shape: [], dtype: "float64" as const, data: [sign * (count - 0.5) + uniform([], seed).data[0]!] },
          { shape: [], dtype: "float64" as const, data: [sign] },
        ],
        build: (start: Tensor, limit: Tensor, delta: Tensor) => applySingle("Range", [start, limit, delta]),
      })),
  },
  DepthToSpace: plain(
    fc
      .tuple(shapes(4, 4, 3), fc.integer({ min: 1, max: 3 }), fc.constantFrom("DCR", "CRD"))
      .map(([shape, block, mode]) => ({
        shape: shape.with(1, shape[1]! * block * block),
        label: `block ${block} ${mode}`,
        build: (x: Tensor) => applySingle("DepthToSpace", [x], { blocksize: block, mode }),
        batch: true,
      })),
  ),
  SpaceToDepth: plain(
    fc.tuple(shapes(4, 4, 3), fc.integer({ min: 1, max: 3 })).map(([shape, block]) => ({
      shape: shape.with(2, shape[2]! * block).with(3, shape[3]! * block),
      label: `block ${block}`,
      build: (x: Tensor) => g.spaceToDepth(x, block),
      batch: true,
    })),
  ),
};
