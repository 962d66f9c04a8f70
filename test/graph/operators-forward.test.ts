import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { applySingle } from "../../src/graph/operator.js";
import { CONFIGURATIONS } from "./operators/gradient-check.js";
import type { Dense, Resize2, Window2 } from "./operators/reference.js";
import {
  adaptivePool2,
  averagePool2,
  conv2,
  convTranspose2,
  dense,
  element,
  maxPool2,
  normalised,
  padded,
  resize2,
  sourcePosition,
} from "./operators/reference.js";
import type { Result } from "./operators/run-graph.js";
import { runGraph } from "./operators/run-graph.js";
import { convOptions, geometries, geometryLabel, leavesSomething } from "./operators/table-linear.js";
import type { Pool } from "./operators/table-space.js";
import { pools } from "./operators/table-space.js";
import type { Values } from "./operators/values.js";
import { seeds, shapes, uniform } from "./operators/values.js";

const SEED = Number(process.env.STRIATE_TEST_SEED ?? 20240607);

interface ForwardCase {
  readonly label: string;
  readonly inputs: readonly Values[];
  readonly build: (...inputs: Tensor[]) => Tensor;
  readonly expected: Dense;
}

/** All cases in one graph, in every configuration; one line for each that differs from its expectation. */
async function mismatches(cases: readonly ForwardCase[]): Promise<string[]> {
  const values = cases.flatMap((item) => item.inputs);
  const build = (...leaves: Tensor[]) => {
    const rest = [...leaves];
    return Object.fromEntries(
      cases.map((item, i) => [`y${i}`, item.build(...rest.splice(0, item.inputs.length))]),
    );
  };
  const found: string[] = [];
  for (const configuration of CONFIGURATIONS) {
    const results = await runGraph(values, build, configuration);
    for (const [i, item] of cases.entries()) {
      const problem = compare(results[`y${i}`]!, item.expected);
      const where = `${configuration.target}/${configuration.optimisation}`;
      if (problem !== undefined) found.push(`${item.label} ${where}: ${problem}`);
    }
  }
  return found;
}

function compare(got: Result, expected: Dense): string | undefined {
  if (got.shape.join() !== expected.shape.join()) return `shape [${got.shape}], expected [${expected.shape}]`;
  const scale = Math.max(1, ...expected.data.map(Math.abs));
  const at = expected.data.findIndex((value, i) => !(Math.abs(got.data[i]! - value) <= 2e-5 * scale));
  return at < 0 ? undefined : `element ${at} is ${got.data[at]}, expected ${expected.data[at]}`;
}

function draw<T>(from: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(from, { numRuns: count, seed: SEED });
}

const float = (shape: readonly number[], seed: number) => uniform(shape, seed, -1, 1, "float32");

/** The window of a case with two spatial axes. */
function window2({ kernel, options }: Pool): Window2 {
  return {
    kernel,
    stride: options.stride as number[],
    dilation: options.dilation as number[],
    padding: options.padding as number[],
    ceilMode: options.ceilMode === true,
  };
}

const flat = (pool: Pool) => pool.kernel.length === 2;

describe("values against a second implementation", () => {
  it("max pooling: stride, dilation, uneven padding, ceil mode", async () => {
    const cases = draw(pools(true).filter(flat), 40).map((pool): ForwardCase => {
      const x = float(pool.shape, pool.seed);
      const build = (t: Tensor) => g.maxPool(t, pool.kernel, pool.options);
      return { label: pool.label, inputs: [x], build, expected: maxPool2(x, window2(pool)) };
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("average pooling: padding that counts and that does not, ceil mode, dilation", async () => {
    const cases = draw(pools(true).filter(flat), 60).map((pool, i): ForwardCase => {
      const x = float(pool.shape, pool.seed);
      const build = (t: Tensor) =>
        applySingle("AveragePool", [t], {
          kernel_shape: pool.kernel,
          strides: pool.options.stride as number[],
          dilations: pool.options.dilation as number[],
          pads: pool.options.padding as number[],
          ceil_mode: pool.options.ceilMode === true ? 1 : 0,
          count_include_pad: i % 2,
        });
      const expected = averagePool2(x, window2(pool), i % 2 === 1);
      return { label: `${pool.label} counts padding ${i % 2}`, inputs: [x], build, expected };
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("adaptive pooling by PyTorch's rule", async () => {
    const sizes = fc.tuple(
      shapes(4, 4, 9),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      seeds,
    );
    const cases = draw(sizes, 20).flatMap(([[n, c, h, w], height, width, seed]): ForwardCase[] => {
      const size = [Math.min(height, h!), Math.min(width, w!)];
      const x = float([1 + (n! % 2), 1 + (c! % 3), h!, w!], seed);
      return (["average", "max"] as const).map((kind) => ({
        label: `${kind} [${x.shape}] to ${size}`,
        inputs: [x],
        build: (t: Tensor) => (kind === "max" ? g.adaptiveMaxPool(t, size) : g.adaptiveAveragePool(t, size)),
        expected: adaptivePool2(x, size, kind),
      }));
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("resizing in every mode that has a gradient", async () => {
    const how: fc.Arbitrary<Resize2> = fc.record({
      mode: fc.constantFrom("nearest", "linear", "cubic"),
      coordinates: fc.constantFrom("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"),
      nearest: fc.constantFrom("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"),
      excludeOutside: fc.boolean(),
    });
    const size = fc.integer({ min: 1, max: 11 });
    const drawn = fc
      .tuple(shapes(4, 4, 6), size, size, how, seeds)
      .filter(([[, , h, w], height, width, { mode, coordinates }]) =>
        mode === "nearest" ? decided(h!, height, coordinates) && decided(w!, width, coordinates) : true,
      );
    const cases = draw(drawn, 80).map(([[n, c, h, w], height, width, mode, seed]): ForwardCase => {
      const x = float([1 + (n! % 2), 1 + (c! % 2), h!, w!], seed);
      return {
        label: `[${x.shape}] to ${height}x${width} ${JSON.stringify(mode)}`,
        inputs: [x],
        build: (t) =>
          applySingle(
            "Resize",
            [t, undefined, undefined, g.integers([...x.shape.slice(0, 2), height, width])],
            {
              mode: mode.mode,
              coordinate_transformation_mode: mode.coordinates,
              ...(mode.mode === "nearest" && { nearest_mode: mode.nearest }),
              ...(mode.mode === "cubic" && { exclude_outside: mode.excludeOutside ? 1 : 0 }),
            },
          ),
        expected: resize2(x, [height, width], mode),
      };
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("the resizing functions: PyTorch's nearest, bilinear and bicubic, with corners aligned or not", async () => {
    const size = fc.integer({ min: 1, max: 9 });
    const cases = draw(fc.tuple(shapes(4, 4, 5), size, size, fc.boolean(), seeds), 12).flatMap(
      ([[n, c, h, w], height, width, alignCorners, seed]): ForwardCase[] => {
        const x = float([n!, c!, h!, w!], seed);
        const target = [height, width];
        const coordinates = alignCorners ? "align_corners" : "half_pixel";
        const how = { coordinates, nearest: "floor", excludeOutside: false };
        const label = `[${x.shape}] to ${target} aligned ${alignCorners}`;
        const smooth = (["linear", "cubic"] as const).map((mode) => ({
          label: `${mode} ${label}`,
          inputs: [x],
          build: (t: Tensor) =>
            (mode === "linear" ? g.resizeBilinear : g.resizeBicubic)(t, target, { alignCorners }),
          expected: resize2(x, target, { ...how, mode }),
        }));
        if (!decided(h!, height, "asymmetric") || !decided(w!, width, "asymmetric")) return smooth;
        const nearest = {
          label: `nearest ${label}`,
          inputs: [x],
          build: (t: Tensor) => g.resizeNearest(t, target),
          expected: resize2(x, target, { ...how, mode: "nearest", coordinates: "asymmetric" }),
        };
        return [nearest, ...smooth];
      },
    );
    expect(await mismatches(cases)).toEqual([]);
  });

  it("padding in every mode", async () => {
    const drawn = fc.tuple(
      fc.array(fc.integer({ min: 3, max: 5 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
      fc.constantFrom("constant", "reflect", "edge", "wrap"),
      seeds,
    );
    const cases = draw(drawn, 24).map(([shape, pads, mode, seed]): ForwardCase => {
      const x = float(shape, seed);
      const [before, after] = [pads.slice(0, shape.length), pads.slice(4, 4 + shape.length)];
      return {
        label: `[${shape}] ${mode} before ${before} after ${after}`,
        inputs: [x],
        build: (t) => applySingle("Pad", [t, g.integers([...before, ...after])], { mode }),
        expected: padded(x, before, after, mode),
      };
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("convolution: stride, dilation, groups, uneven padding", async () => {
    const cases = draw(
      geometries.filter(({ kernel }) => kernel.length === 2),
      25,
    ).map((geometry): ForwardCase => {
      const { batch, into, out, groups, kernel, space, seed } = geometry;
      const x = float([batch, into, ...space], seed);
      const weight = float([out, into / groups, ...kernel], seed + 1);
      const bias = geometry.bias ? float([out], seed + 2) : undefined;
      return {
        label: geometryLabel(geometry),
        inputs: [x, weight, ...(bias ? [bias] : [])],
        build: (t, w, b) => g.conv(t, w, b, convOptions(geometry)),
        expected: conv2(x, weight, bias, { ...geometry, ceilMode: false }, groups),
      };
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("transposed convolution: stride, dilation, groups, uneven and output padding", async () => {
    const cases = draw(
      geometries.filter((geometry) => geometry.kernel.length === 2 && leavesSomething(geometry)),
      25,
    ).map((geometry, i): ForwardCase => {
      const { batch, into, out, groups, kernel, space, stride, seed } = geometry;
      const x = float([batch, into, ...space], seed);
      const weight = float([into, out / groups, ...kernel], seed + 1);
      const bias = geometry.bias ? float([out], seed + 2) : undefined;
      const outputPadding = stride.map((s) => (i % 2 === 0 ? 0 : s - 1));
      return {
        label: `${geometryLabel(geometry)} output padding ${outputPadding}`,
        inputs: [x, weight, ...(bias ? [bias] : [])],
        build: (t, w, b) => g.convTranspose(t, w, b, { ...convOptions(geometry), outputPadding }),
        expected: convTranspose2(x, weight, bias, { ...geometry, ceilMode: false }, groups, outputPadding),
      };
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("normalisation over batch, instance, group and layer", async () => {
    const drawn = fc.tuple(
      shapes(2, 2, 3),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 }),
      seeds,
    );
    const cases = draw(drawn, 8).flatMap(([space, groups, each, seed]): ForwardCase[] => {
      const channels = groups * each;
      const x = float([2, channels, space[0]! + 1, space[1]!], seed);
      const [scale, bias] = [float([channels], seed + 1), float([channels], seed + 2)];
      const affine = (y: Dense) =>
        dense(x.shape, (n, c, h, w) => element(y, n, c, h, w) * scale.data[c]! + bias.data[c]!);
      const label = `[${x.shape}] seed ${seed}`;
      const inputs = [x, scale, bias];
      const last = float([x.shape[3]!], seed + 3);
      return [
        {
          label: `batch ${label}`,
          inputs,
          build: (t, s, b) => g.batchNormTraining(t, s, b, 0.01).y,
          expected: affine(normalised(x, 0.01, (_, c) => `${c}`)),
        },
        {
          label: `instance ${label}`,
          inputs,
          build: (t, s, b) => g.instanceNorm(t, s, b, 0.01),
          expected: affine(normalised(x, 0.01, (n, c) => `${n} ${c}`)),
        },
        {
          label: `group ${label} ${groups} groups`,
          inputs,
          build: (t, s, b) => g.groupNorm(t, groups, s, b, 0.01),
          expected: affine(normalised(x, 0.01, (n, c) => `${n} ${Math.floor(c / each)}`)),
        },
        {
          label: `layer ${label}`,
          inputs: [x, last],
          build: (t, s) => g.layerNorm(t, s, undefined, { epsilon: 0.01 }),
          expected: ((y) => dense(x.shape, (n, c, h, w) => element(y, n, c, h, w) * last.data[w]!))(
            normalised(x, 0.01, (n, c, h) => `${n} ${c} ${h}`),
          ),
        },
      ];
    });
    expect(await mismatches(cases)).toEqual([]);
  });

  it("local response normalisation, pixel shuffling and running sums", async () => {
    const cases = draw(fc.tuple(shapes(4, 4, 3), seeds), 5).flatMap(([[n, c, h, w], seed]): ForwardCase[] => {
      const x = float([n!, 2 * c!, h!, w!], seed);
      const deep = float([n!, 4 * c!, h!, w!], seed);
      const response = (i: number, k: number, y: number, z: number) => {
        let squares = 0;
        for (let j = k - 1; j <= k + 1; j++)
          if (j >= 0 && j < x.shape[1]!) squares += element(x, i, j, y, z) ** 2;
        return element(x, i, k, y, z) / (1.5 + (0.6 / 3) * squares) ** 0.75;
      };
      return [
        {
          label: `local response [${x.shape}]`,
          inputs: [x],
          build: (t) => g.localResponseNorm(t, 3, { alpha: 0.6, beta: 0.75, bias: 1.5 }),
          expected: dense(x.shape, response),
        },
        {
          label: `pixel shuffle [${deep.shape}]`,
          inputs: [deep],
          build: (t) => g.depthToSpace(t, 2),
          expected: dense([n!, c!, 2 * h!, 2 * w!], (i, k, y, z) =>
            element(deep, i, 4 * k + 2 * (y % 2) + (z % 2), Math.floor(y / 2), Math.floor(z / 2)),
          ),
        },
        {
          label: `running sum [${x.shape}]`,
          inputs: [x],
          build: (t) => g.cumulativeSum(t, 1, { exclusive: true }),
          expected: dense(x.shape, (i, k, y, z) =>
            Array.from({ length: k }, (_, j) => element(x, i, j, y, z)).reduce((a, b) => a + b, 0),
          ),
        },
      ];
    });
    expect(await mismatches(cases)).toEqual([]);
  });
});

/** Whether rounding cannot decide which element a nearest-neighbour read takes: whole ratios are exact everywhere. */
function decided(length: number, count: number, coordinates: string): boolean {
  if (count % length === 0 || length % count === 0) return coordinates !== "align_corners";
  return Array.from({ length: count }, (_, i) => sourcePosition(i, length, count, coordinates)).every(
    (position) => Math.abs(2 * position - Math.round(2 * position)) > 1e-3,
  );
}
