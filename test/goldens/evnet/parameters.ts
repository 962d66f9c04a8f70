import type { TensorData } from "../../../src/graph/index.js";
import type { Pathway } from "../../../src/systems/vonenet/index.js";
import {
  OPPONENCIES,
  PATHWAYS,
  PATHWAY_CONSTANTS,
  SubcorticalBlock,
  pathwaySizes,
} from "../../../src/systems/vonenet/index.js";
import { drawColours } from "../../../src/systems/vonenet/v1/colour-draw.js";
import { drawProperties } from "../../../src/systems/vonenet/v1/sampling.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject } from "../../../src/util/json.js";
import { NumpyRandom } from "../../../src/util/numpy-random.js";
import type { GoldenKind, Results } from "../harness.js";

const float32 = (shape: readonly number[], values: readonly number[]): TensorData => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});
const int64 = (shape: readonly number[], values: ArrayLike<number>): TensorData => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from(Array.from(values), BigInt),
});
const float64 = (values: Float64Array): TensorData => ({
  dtype: "float64",
  shape: [values.length],
  data: values,
});

/** The middle row of a pool's kernel. */
function middleRow({ shape, data }: TensorData): TensorData {
  const side = shape[2]!;
  const start = (side >> 1) * side;
  return float32([side], Array.from(data.slice(start, start + side) as ArrayLike<number>));
}

const constants: GoldenKind = {
  name: "constants and kernels",
  matches: ({ config }) => Array.isArray(config.geometries),
  run: ({ config }): Promise<Results> => {
    const results = new Map<string, TensorData>();
    for (const [imageSize, visualDegrees] of config.geometries as (readonly [number, number])[]) {
      const geometry = { imageSize, visualDegrees };
      const sizes = PATHWAYS.map((pathway) => pathwaySizes(pathway, geometry));
      const { weights } = new SubcorticalBlock(geometry);
      const rows = (...names: (keyof (typeof sizes)[number])[]) =>
        names.flatMap((name) => sizes.map((of) => of[name]));
      const prefix = `output.${imageSize}px_${visualDegrees}deg`;
      results.set(`${prefix}.radii`, float32([3, 2], rows("centreRadius", "surroundRadius", "poolRadius")));
      results.set(`${prefix}.kernels`, int64([2, 2], rows("kernel", "pool")));
      PATHWAYS.forEach((pathway, i) => {
        results.set(`${prefix}.dog.${i}`, weights[pathway]!.dog);
        results.set(`${prefix}.cn_row.${i}`, middleRow(weights[pathway]!.pool!));
      });
    }
    // The files hold the colours of the surround multiplied by its height.
    const types = PATHWAYS.flatMap((pathway) =>
      OPPONENCIES[pathway].flatMap(({ centre, surround }) => [
        ...centre,
        ...surround.map((weight) => weight * PATHWAY_CONSTANTS[pathway].ratio),
      ]),
    );
    const both = (name: "semiSaturation" | "exponent") =>
      float32(
        [2],
        PATHWAYS.map((pathway) => PATHWAY_CONSTANTS[pathway][name]),
      );
    const gains = (["P", "P", "P", "M"] as Pathway[]).map((pathway) => PATHWAY_CONSTANTS[pathway].gain);
    results.set("output.opponency", float32([4, 2, 3], types));
    results.set("output.c50", both("semiSaturation"));
    results.set("output.n", both("exponent"));
    results.set("output.k_exc", float64(Float64Array.from(gains)));
    return Promise.resolve(results);
  },
};

interface DrawnSet {
  readonly key: string;
  readonly simple: number;
  readonly complex: number;
  readonly seed: number;
  readonly color_prob: readonly number[] | null;
  readonly in_channels: number;
}

const draws: GoldenKind = {
  name: "receptive fields behind a retina",
  matches: ({ config }) => Array.isArray(config.sets),
  run: ({ config, file }): Promise<Results> => {
    const results = new Map<string, TensorData>();
    for (const set of config.sets as DrawnSet[]) {
      check(isJsonObject(set) && typeof set.key === "string", () => `${file}: a set without key`);
      const { key, simple, complex, seed, color_prob: probabilities, in_channels: channels } = set;
      const random = new NumpyRandom(seed);
      const cells = drawProperties(random, { variant: "biol", simple, complex, maxFrequency: 8 });
      // The list of colours goes beyond the cells, and all of it is compared.
      const list = drawColours(random, simple + complex, {
        channels,
        ...(probabilities && { probabilities }),
      });
      results.set(`output.${key}.sf`, float64(cells.spatialFrequency));
      results.set(`output.${key}.theta_deg`, float64(cells.orientation));
      results.set(`output.${key}.phase_deg`, float64(cells.phase));
      results.set(`output.${key}.nx`, float64(cells.nx));
      results.set(`output.${key}.ny`, float64(cells.ny));
      results.set(`output.${key}.color`, int64([list.length], list));
    }
    return Promise.resolve(results);
  },
};

export const parameterKinds: readonly GoldenKind[] = [constants, draws];
