import type { TensorData } from "../../../src/graph/index.js";
import type { ReceptiveFields, Variant } from "../../../src/systems/vonenet/index.js";
import {
  gaborKernel,
  inPixels,
  interpolate,
  sampleReceptiveFields,
} from "../../../src/systems/vonenet/index.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject, parseStrictJson } from "../../../src/util/json.js";
import { normalCdf } from "../../../src/util/normal-cdf.js";
import { NumpyRandom } from "../../../src/util/numpy-random.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Verdict } from "../harness.js";

const float64 = (values: ArrayLike<number>): TensorData => ({
  dtype: "float64",
  shape: [values.length],
  data: Float64Array.from(values),
});

/** What the authors' flags mean: the 2020 code knows no `diff_n`. */
export function fieldsOf(
  args: Readonly<Record<string, unknown>>,
  simple: number,
  complex: number,
): ReceptiveFields {
  const original = !("diff_n" in args);
  const variant: Variant = original
    ? args.rand_flag === true
      ? "orig-rand"
      : "orig-biol"
    : args.rand_flag !== true
      ? "biol"
      : args.diff_n === true
        ? "unif1"
        : "unif3";
  const known = { seed: "seed", torch_seed: "colourSeed", sf_corr: "correlation", dnstd: "jitter" } as const;
  const ranges = { sf_min: "minFrequency", sf_max: "maxFrequency" } as const;
  const options: Record<string, number> = {};
  for (const [theirs, ours] of Object.entries({ ...known, ...ranges })) {
    if (typeof args[theirs] === "number") options[ours] = args[theirs];
  }
  return sampleReceptiveFields({ variant, simple, complex, ...options });
}

/** Pixel units of a population by the names that the files use. */
export function pixelTensors(
  fields: ReceptiveFields,
  geometry: { readonly imageSize: number; readonly visualDegrees: number },
): Record<string, TensorData> {
  const { frequency, sigmaX, sigmaY, orientation, phase } = inPixels(fields, geometry);
  const named = { sf: frequency, sigx: sigmaX, sigy: sigmaY, theta: orientation, phase };
  return Object.fromEntries(Object.entries(named).map(([name, values]) => [name, float64(values)]));
}

/** The colours, under one name or under two. */
export function colourTensors(golden: GoldenCase, prefix: string, fields: ReceptiveFields) {
  return golden.tensors.has(`${prefix}color`)
    ? { [`${prefix}color`]: float64(fields.colour) }
    : {
        [`${prefix}color_q0`]: float64(fields.colour),
        [`${prefix}color_q1`]: float64(fields.quadratureColour),
      };
}

const parameterDraw: GoldenKind = {
  name: "receptive fields",
  matches: ({ tensors, metadata }) => tensors.has("output.sf_cpd") && metadata.args !== undefined,
  run: (golden) => {
    const { metadata } = golden;
    const args = parseStrictJson(metadata.args!, "args");
    check(isJsonObject(args), () => `${golden.file}: args are no object`);
    const cells = tensorOf(golden, "output.sf_cpd").data.length;
    const simple = Number(metadata.n_simple ?? cells);
    const fields = fieldsOf(args, simple, cells - simple);
    const geometry = {
      imageSize: Number(metadata.image_size),
      visualDegrees: Number(metadata.visual_degrees),
    };
    const pixels = Object.entries(pixelTensors(fields, geometry));
    return Promise.resolve(
      new Map(
        Object.entries({
          "output.sf_cpd": float64(fields.spatialFrequency),
          "output.theta_deg": float64(fields.orientation),
          "output.phase_deg": float64(fields.phase),
          "output.nx": float64(fields.nx),
          "output.ny": float64(fields.ny),
          ...colourTensors(golden, "output.", fields),
          ...Object.fromEntries(pixels.map(([name, value]) => [`output.px.${name}`, value])),
        }),
      ),
    );
  },
};

const kernels: GoldenKind = {
  name: "Gabor kernels",
  matches: ({ tensors }) => tensors.has("input.params") && tensors.has("output.kernel"),
  run: (golden) => {
    const { shape, data } = tensorOf(golden, "input.params");
    const [count, columns] = shape as [number, number];
    const size = tensorOf(golden, "output.kernel").shape[1]!;
    const made = new Float32Array(count * size * size);
    for (let i = 0; i < count; i++) {
      const row = Array.from(data.slice(i * columns, (i + 1) * columns), Number);
      const [frequency, sigmaX, sigmaY, orientation, phase] = row as [number, number, number, number, number];
      made.set(gaborKernel({ frequency, sigmaX, sigmaY, orientation, phase }, size), i * size * size);
    }
    const value: TensorData = { dtype: "float32", shape: [count, size, size], data: made };
    return Promise.resolve(new Map([["output.kernel", value]]));
  },
};

/** Draws of one freshly seeded generator by the names of the file; undefined for a name that is not known. */
function stream(name: string, seed: number, expected: unknown): number[] | undefined {
  const random = new NumpyRandom(seed);
  const count = Array.isArray(expected) ? expected.length : 0;
  const many = (length: number, next: () => number) => Array.from({ length }, next);
  const words = /^uint32_(?:first(\d+)|(\d+)_to_(\d+))$/.exec(name);
  if (words) {
    many(Number(words[2] ?? 0), () => random.word());
    return many(count, () => random.word());
  }
  const whole = /^randint_0_(\d+)(_next\d+)?$/.exec(name);
  if (whole) {
    // "_next40" goes on where the ten draws of the plain name end.
    many(whole[2] === undefined ? 0 : 10, () => random.integer(Number(whole[1])));
    return many(count, () => random.integer(Number(whole[1])));
  }
  const torch = /^torch_randint_0_(\d+)$/.exec(name);
  if (torch) return many(count, () => random.word() % Number(torch[1]));
  const pairs = /^multivariate_normal_corr_(m?)(\d+(?:_\d+)?)$/.exec(name);
  if (pairs) {
    const rho = Number(pairs[2]!.replace("_", ".")) * (pairs[1] === "m" ? -1 : 1);
    return Array.from({ length: count }, () => random.correlatedPair(rho)).flat();
  }
  if (name === "random_sample" || name === "rand") return many(count, () => random.uniform());
  if (name.startsWith("standard_normal")) return many(count, () => random.normal());
  if (name === "normal_loc_array_scale_0_22" && isJsonObject(expected))
    return (expected.loc as number[]).map((loc) => loc + 0.22 * random.normal());
  if (name === "mixed_gauss_uniform_gauss_gauss_randint3_uniform") {
    const [normal, uniform] = [() => random.normal(), () => random.uniform()];
    return [normal(), uniform(), normal(), normal(), random.integer(3), uniform()];
  }
  return undefined;
}

const randomStreams: GoldenKind = {
  name: "random streams",
  matches: ({ content }) =>
    isJsonObject(content) && isJsonObject(content.seeds) && isJsonObject(content.norm_cdf),
  run: () => Promise.resolve(new Map()),
  verify: ({ content }) => {
    const failures: string[] = [];
    let compared = 0;
    const compare = (
      name: string,
      actual: readonly number[],
      expected: readonly unknown[],
      allowed: number,
    ) => {
      const flat = expected.flat().map(Number);
      compared += flat.length;
      if (flat.length !== actual.length)
        failures.push(`${name}: ${actual.length} values, expected ${flat.length}`);
      flat.forEach((value, i) => {
        const difference = Math.abs(actual[i]! - value);
        if (!(difference <= allowed)) failures.push(`${name}[${i}]: ${actual[i]!}, expected ${value}`);
      });
    };
    const { seeds, norm_cdf, svd_2x2_corr, np_interp } = content as Record<string, Record<string, unknown>>;
    for (const [seed, streams] of Object.entries(seeds!)) {
      for (const [name, expected] of Object.entries(streams as Record<string, unknown>)) {
        const label = `seed ${seed}, ${name}`;
        const actual = stream(name, Number(seed), expected);
        const values = isJsonObject(expected) ? expected.values : expected;
        const exact = /uint32|randint_0|^rand/.test(name);
        if (actual === undefined || !Array.isArray(values)) failures.push(`${label}: an unknown stream`);
        else compare(label, actual, values, exact ? 0 : 1e-14);
      }
    }
    const cdf = norm_cdf as { x: number[]; values: number[] };
    compare("normal distribution function", cdf.x.map(normalCdf), cdf.values, 1e-15);
    for (const [rho, { s, v }] of Object.entries(
      svd_2x2_corr as Record<string, { s: number[]; v: number[][] }>,
    )) {
      // A pair is (g0, g1) diag(sqrt S) V: the expected factors applied to the draws that ours are made from.
      const [draws, pairs] = [new NumpyRandom(1), new NumpyRandom(1)];
      const [g0, g1] = [draws.normal() * Math.sqrt(s[0]!), draws.normal() * Math.sqrt(s[1]!)];
      const expected = [0, 1].map((column) => g0 * v[0]![column]! + g1 * v[1]![column]!);
      compare(`factors for ${rho}`, pairs.correlatedPair(Number(rho)), expected, 1e-14);
    }
    const { x, xp, fp, values } = np_interp as Record<string, number[]>;
    const interpolated = x!.map((value) => interpolate(value, xp!, fp!));
    compare("interpolation", interpolated, values!, 0);
    const verdict: Verdict = { failures, compared };
    return Promise.resolve(verdict);
  },
};

export const filterKinds: readonly GoldenKind[] = [randomStreams, parameterDraw, kernels];
