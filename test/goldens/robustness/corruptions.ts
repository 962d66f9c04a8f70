import type { TensorData } from "../../../src/graph/index.js";
import { frostTexture, scaledFrost } from "../../../src/robustness/corruptions/pixels/frost-texture.js";
import { truncateToBytes } from "../../../src/robustness/corruptions/kind.js";
import type { ConstantSet } from "../../../src/robustness/corruptions/constants.js";
import type { CorruptionDraws, CorruptionName, Severity } from "../../../src/robustness/corruptions/kinds.js";
import { corruptedValues } from "../../../src/robustness/corruptions/corrupt.js";
import { CORRUPTIONS, corruptionName } from "../../../src/robustness/corruptions/kinds.js";
import type { RgbImage } from "../../../src/data/images/rgb-image.js";
import { crop } from "../../../src/data/images/rgb-image.js";
import { check } from "../../../src/util/errors.js";
import type { Comparison } from "../compare.js";
import { compare } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf, withPrefix } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";

export function imageOf(golden: GoldenCase): RgbImage {
  const { shape, data } = tensorOf(golden, "input.image");
  const [height, width] = shape;
  check(data instanceof Uint8Array && shape.length === 3, () => `${golden.file}: input.image is no image`);
  return { width: width!, height: height!, data };
}

function bytes({ width, height, data }: RgbImage): TensorData {
  return { dtype: "uint8", shape: [height, width, 3], data };
}

/** "at most 1 level, on at most 1% of values", and "float: 1e-3 absolute" where there are values before truncation. */
function judgeImage(golden: GoldenCase, name: string, expected: TensorData, results: Results): Comparison {
  const rule = String(golden.tolerance);
  if (expected.dtype !== "uint8") {
    const absolute = /float: ([\d.e+-]+) absolute/.exec(rule)?.[1];
    return compare(
      name,
      expected,
      results.get(name),
      absolute === undefined ? undefined : { absolute: +absolute },
    );
  }
  const [, levels, percent] = /at most (\d+) level,? on at most ([\d.]+)% of values/.exec(rule) ?? [];
  return judgeBytes(name, expected, results, levels, percent);
}

function judgeBytes(
  name: string,
  expected: TensorData,
  results: Results,
  levels: string | undefined,
  percent: string | undefined,
): Comparison {
  const actual = results.get(name);
  const worst = compare(name, expected, actual, levels === undefined ? undefined : { absolute: +levels });
  if (worst.failure !== undefined || actual === undefined) return worst;
  let differing = 0;
  for (let i = 0; i < expected.data.length; i++) if (actual.data[i] !== expected.data[i]) differing++;
  const share = differing / expected.data.length;
  const allowed = Number(percent) / 100;
  if (share <= allowed) return { name, difference: share, allowed };
  const failure = `${name}: ${differing} of ${expected.data.length} values differ, allowed ${percent ?? "?"} %`;
  return { name, difference: share, allowed, failure };
}

function nameOf(golden: GoldenCase): CorruptionName | undefined {
  const name = golden.config.corruption ?? golden.metadata.corruption;
  return typeof name === "string" ? corruptionName(name) : undefined;
}

/** Recorded draws in the form that the corruption takes; undefined for one without chance. */
function recordedDraws(
  name: CorruptionName,
  noise: ReadonlyMap<string, TensorData>,
): CorruptionDraws | undefined {
  const at = (key: string): TensorData => {
    const value = noise.get(key);
    check(value, () => `${name}: there are no recorded draws "${key}"`);
    return value;
  };
  const floats = (key: string): Float32Array => Float32Array.from(at(key).data, Number);
  switch (name) {
    case "gaussian_noise":
    case "speckle_noise":
      return { normal: floats("normal") };
    case "shot_noise":
      return { counts: Int32Array.from(at("poisson").data, Number) };
    case "impulse_noise":
      return {
        flipped: Uint8Array.from(at("flipped").data, Number),
        salted: Uint8Array.from(at("salted").data, Number),
      };
    case "glass_blur":
      return { offsets: Int8Array.from(at("dxdy").data, Number) };
    case "motion_blur":
      return { angle: floats("angle")[0]! };
    case "snow":
      return { layer: floats("layer"), angle: floats("angle")[0]! };
    case "fog":
      return { perturbations: floats("wibbles") };
    case "elastic_transform":
      return { points: floats("pts"), dx: floats("ux"), dy: floats("uy") };
    case "spatter":
      return { layer: floats("layer") };
    case "frost": {
      const [texture, row, column] = Array.from(at("idx_y_x").data, Number);
      return { texture: texture!, row: row!, column: column! };
    }
    default:
      return undefined;
  }
}

/** One corruption at several severities, with its draws. */
const oneCorruption: GoldenKind = {
  name: "corruption",
  matches: (golden) =>
    golden.tensors.has("input.image") &&
    nameOf(golden) !== undefined &&
    [...golden.tensors.keys()].some((name) => /^output\.s\d/.test(name)),
  run: (golden) => {
    const image = imageOf(golden);
    const name = nameOf(golden)!;
    const results = new Map<string, TensorData>();
    const wanted = [...golden.tensors.keys()].flatMap(
      (key) => /^output\.s([1-5])(?:_float)?$/.exec(key)?.[1] ?? [],
    );
    for (const severity of new Set(wanted)) {
      const draws = recordedDraws(name, withPrefix(golden, `noise.s${severity}.`));
      const values = corruptedValues(
        image,
        name,
        Number(severity) as Severity,
        draws === undefined ? {} : { draws },
      );
      const shape = [image.height, image.width, 3];
      results.set(`output.s${severity}`, { dtype: "uint8", shape, data: truncateToBytes(values) });
      results.set(`output.s${severity}_float`, { dtype: "float32", shape, data: Float32Array.from(values) });
      if (name === "frost") {
        const { texture, row, column } = draws as CorruptionDraws<"frost">;
        const frost = scaledFrost(frostTexture(texture), image.width as ConstantSet);
        results.set(
          `noise.s${severity}.frost_crop`,
          bytes(crop(frost, column, row, image.width, image.height)),
        );
      }
    }
    return Promise.resolve(results);
  },
  compares: (name) => name.endsWith(".frost_crop"),
  judge: judgeImage,
};

/** Several corruptions without chance at one severity. */
const severalCorruptions: GoldenKind = {
  name: "corruptions at one severity",
  matches: (golden) =>
    golden.tensors.has("input.image") && CORRUPTIONS.some((name) => golden.tensors.has(`output.${name}`)),
  run: (golden) => {
    const image = imageOf(golden);
    const severity = Number(golden.config.severity ?? golden.metadata.severity) as Severity;
    const names = CORRUPTIONS.filter((name) => golden.tensors.has(`output.${name}`));
    return Promise.resolve(
      new Map(
        names.map((name) => {
          const data = truncateToBytes(corruptedValues(image, name, severity));
          return [`output.${name}`, bytes({ ...image, data })];
        }),
      ),
    );
  },
  judge: judgeImage,
};

const TEXTURE = /^output\.(native_corner|scaled_(0\.\d))_(\d)$/;

/** Pieces of the frost that is made by rule. */
const frostTextures: GoldenKind = {
  name: "frost textures",
  matches: ({ tensors }) => tensors.size > 0 && [...tensors.keys()].every((name) => TEXTURE.test(name)),
  run: (golden) => {
    const results = new Map<string, TensorData>();
    for (const [name, { shape }] of golden.tensors) {
      const [, , scale, number] = TEXTURE.exec(name)!;
      const set = scale === "0.2" ? 32 : scale === "0.3" ? 64 : 224;
      const texture = scaledFrost(frostTexture(Number(number)), set);
      results.set(name, bytes(crop(texture, 0, 0, shape[1]!, shape[0]!)));
    }
    return Promise.resolve(results);
  },
  judge: (golden, name, expected, results) => {
    const rule = String(golden.tolerance);
    const [, levels, percent] =
      /native corner: at most (\d+) level on at most ([\d.]+)% of values/.exec(rule) ?? [];
    const scaled = /scaled: at most (\d+) level/.exec(rule)?.[1];
    return name.includes("scaled")
      ? compare(name, expected, results.get(name), scaled === undefined ? undefined : { absolute: +scaled })
      : judgeBytes(name, expected, results, levels, percent);
  },
};

export const corruptionKinds: readonly GoldenKind[] = [oneCorruption, severalCorruptions, frostTextures];
