import { renderShapes, SHAPE_TEMPLATES } from "../../../src/data/scenes/shapes.js";
import type { TensorData } from "../../../src/graph/index.js";
import { tensorData } from "../../../src/graph/index.js";
import { boardAccuracy } from "../../../src/metrics/board-accuracy.js";
import { adjustedRandIndex } from "../../../src/metrics/clustering.js";
import { averageLinkage, cutTree } from "../../../src/metrics/hierarchical-clustering.js";
import { principalComponents } from "../../../src/metrics/principal-components.js";
import { segmentationScores } from "../../../src/metrics/segmentation.js";
import { NOISE, segmentImages, shiftedCopies } from "../../../src/systems/akorn/index.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject } from "../../../src/util/json.js";
import { objectNetwork } from "./networks.js";
import { inputFor, load, parametersOf } from "./support.js";
import type { Comparison } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";

/** The elements of a tensor as plain numbers. */
function numbersOf(golden: GoldenCase, name: string): Float64Array {
  return Float64Array.from(tensorOf(golden, name).data as ArrayLike<number | bigint>, Number);
}

function settingOf({ config, file }: GoldenCase, name: string): number {
  const value = config[name];
  check(typeof value === "number", () => `${file}: its configuration has no number "${name}"`);
  return value;
}

function double(values: ArrayLike<number>, shape: readonly number[] = [values.length]): TensorData {
  return { dtype: "float64", shape, data: Float64Array.from(values) };
}

const segmentationMetrics: GoldenKind = {
  name: "segmentation metrics",
  matches: ({ tensors }) => tensors.has("input.gt") && tensors.has("input.pred") && tensors.has("output.mbo"),
  run: (golden): Promise<Results> => {
    const { shape } = tensorOf(golden, "input.gt");
    const scores = segmentationScores(
      numbersOf(golden, "input.gt"),
      numbersOf(golden, "input.pred"),
      shape.slice(1).reduce((a, b) => a * b, 1),
    );
    return Promise.resolve(
      new Map([
        ["output.fgari", double(scores.foregroundAri)],
        // The authors mark images without objects by -1.
        ["output.mbo", double(scores.bestOverlap.map((value) => (Number.isNaN(value) ? -1 : value)))],
        ["output.fgari_mean", double([scores.meanForegroundAri])],
        ["output.mbo_mean", double([scores.meanBestOverlap])],
      ]),
    );
  },
};

/** Channels first to channels last, [C, ...] to [..., C]. */
function channelsLast(values: Float64Array, channels: number): Float64Array {
  const plane = values.length / channels;
  return Float64Array.from(values, (_, i) => values[(i % channels) * plane + Math.floor(i / channels)]!);
}

const clustering: GoldenKind = {
  name: "clustering",
  matches: ({ tensors }) => tensors.has("input.features") && tensors.has("output.merge_heights"),
  run: (golden): Promise<Results> => {
    const { shape } = tensorOf(golden, "input.features");
    const [channels, count] = [shape[0]!, shape.slice(1).reduce((a, b) => a * b, 1)];
    const points = channelsLast(numbersOf(golden, "input.features"), channels);
    const merges = averageLinkage(points, count, channels);
    const labels = cutTree(merges, settingOf(golden, "k"));
    return Promise.resolve(
      new Map<string, TensorData>([
        ["output.labels", { dtype: "int32", shape: shape.slice(1), data: labels }],
        ["output.merge_heights", double(merges.map(({ height }) => height))],
      ]),
    );
  },
  judge: (_golden, name, expected, results) =>
    name === "output.labels" ? partition(name, expected, results.get(name)) : undefined,
};

/** What labels are called does not matter. */
function partition(name: string, expected: TensorData, actual: TensorData | undefined): Comparison {
  const nothing = { name, difference: 0, allowed: 0 };
  if (actual?.data.length !== expected.data.length) return { ...nothing, failure: `not compared: ${name}` };
  const labels = ({ data }: TensorData) => Array.from(data as ArrayLike<number | bigint>, Number);
  const agreement = adjustedRandIndex(labels(expected), labels(actual));
  const result = { ...nothing, difference: 1 - agreement };
  return agreement === 1
    ? result
    : { ...result, failure: `${name}: another partition, adjusted Rand index ${agreement}` };
}

const pca: GoldenKind = {
  name: "PCA",
  matches: ({ tensors }) => tensors.has("output.gram") && tensors.has("output.abs"),
  run: (golden): Promise<Results> => {
    const [batch, channels, height, width] = tensorOf(golden, "input.x").shape as [
      number,
      number,
      number,
      number,
    ];
    const components = settingOf(golden, "n_components");
    const count = height * width;
    const all = numbersOf(golden, "input.x");
    const absolute = new Float64Array(batch * components * count);
    const gram = new Float64Array(batch * count * count);
    for (let n = 0; n < batch; n++) {
      const own = all.subarray(n * channels * count, (n + 1) * channels * count);
      const projected = principalComponents(channelsLast(own, channels), count, channels, components);
      for (let i = 0; i < count; i++) {
        for (let k = 0; k < components; k++)
          absolute[(n * components + k) * count + i] = Math.abs(projected[i * components + k]!);
        for (let j = 0; j < count; j++) {
          let sum = 0;
          for (let k = 0; k < components; k++)
            sum += projected[i * components + k]! * projected[j * components + k]!;
          gram[(n * count + i) * count + j] = sum;
        }
      }
    }
    return Promise.resolve(
      new Map([
        ["output.abs", double(absolute, [batch, components, height, width])],
        ["output.gram", double(gram, [batch, count, count])],
      ]),
    );
  },
};

const upTiling: GoldenKind = {
  name: "up-tiling",
  matches: ({ tensors }) => tensors.has("output.copies"),
  run: (golden): Promise<Results> => {
    const [, , height, width] = tensorOf(golden, "input.image").shape as [number, number, number, number];
    const copies = shiftedCopies(Float32Array.from(numbersOf(golden, "input.image")), {
      size: [height, width],
      patch: settingOf(golden, "psize"),
      factor: settingOf(golden, "saccade_r"),
    });
    const data = new Float32Array(copies.length * copies[0]!.length);
    for (const [i, copy] of copies.entries()) data.set(copy, i * copy.length);
    return Promise.resolve(
      new Map([["output.copies", tensorData(data, tensorOf(golden, "output.copies").shape)]]),
    );
  },
};

const shapesScenes: GoldenKind = {
  name: "Shapes scenes",
  matches: ({ tensors }) => tensors.has("output.templates") && tensors.has("output.instance_labels"),
  run: (golden): Promise<Results> => {
    const background = numbersOf(golden, "input.background");
    const counts = numbersOf(golden, "input.count");
    const ids = numbersOf(golden, "input.shape_id");
    const corners = numbersOf(golden, "input.position_row_col");
    const most = ids.length / counts.length;
    const scenes = Array.from(counts, (count, n) =>
      renderShapes({
        background: background[n]!,
        shapes: Array.from({ length: count }, (_, i) => ({
          id: ids[n * most + i]!,
          row: corners[2 * (n * most + i)]!,
          column: corners[2 * (n * most + i) + 1]!,
        })),
      }),
    );
    const flat = (planes: readonly ArrayLike<number>[]) =>
      double(planes.flatMap((plane) => Array.from(plane)));
    const results: Record<string, TensorData> = {
      "output.templates": flat(SHAPE_TEMPLATES),
      "output.images": flat(scenes.map(({ image }) => image)),
      "output.class_labels": flat(scenes.map(({ classes }) => classes)),
      "output.instance_labels": flat(scenes.map(({ instances }) => instances)),
    };
    return Promise.resolve(
      new Map(
        Object.entries(results).map(([name, value]) => {
          const { shape } = tensorOf(golden, name);
          check(
            shape.reduce((a, b) => a * b, 1) === value.data.length,
            () => `${golden.file}: ${name} has another size`,
          );
          return [name, { ...value, shape }];
        }),
      ),
    );
  },
};

const boards: GoldenKind = {
  name: "board accuracy",
  matches: ({ tensors }) => tensors.has("output.board_correct"),
  run: (golden): Promise<Results> => {
    const given = numbersOf(golden, "input.is_input");
    const oneHot = numbersOf(golden, "input.Y");
    const solutions = given.map((_, cell) => oneHot.subarray(9 * cell, 9 * cell + 9).indexOf(1) + 1);
    const found = boardAccuracy(
      numbersOf(golden, "input.pred"),
      solutions,
      solutions.map((digit, cell) => digit * given[cell]!),
    );
    return Promise.resolve(
      new Map([
        ["output.num_blanks", double(found.blanks)],
        ["output.num_correct", double(found.rightBlanks)],
        ["output.board_correct", double(found.solved)],
      ]),
    );
  },
};

const pipeline: GoldenKind = {
  name: "segmentation",
  matches: ({ tensors }) => tensors.has("param.patchfy.1.weight") && tensors.has("output.labels"),
  run: async (golden, evaluate): Promise<Results> => {
    const model = objectNetwork(golden);
    const { state } = load("objectNetwork", model, parametersOf(golden));
    const images = inputFor(golden, "input.image");
    const { shape } = tensorOf(golden, "input.image");
    const [batch, , height, width] = shape as [number, number, number, number];
    const size = [height, width] as const;
    const { features } = model.forward({ images, noise: model.noiseInput(batch, size) });
    const found = await segmentImages(
      Float32Array.from(numbersOf(golden, "input.image")),
      async (shifted, copy) => {
        const maps = (
          await evaluate(
            { features },
            {
              "input.image": tensorData(shifted, shape),
              [NOISE]: tensorOf(golden, `noise.${copy}`),
              ...Object.fromEntries(state),
            },
          )
        ).features!;
        return { data: maps.data as Float32Array, shape: maps.shape };
      },
      {
        tiling: { size, patch: settingOf(golden, "psize"), factor: settingOf(golden, "saccade_r") },
        clusters: settingOf(golden, "n_clusters"),
        components: golden.config.pca === true ? settingOf(golden, "pca_dim") : 0,
      },
    );
    const scores = segmentationScores(numbersOf(golden, "input.gt"), found, height * width);
    return new Map<string, TensorData>([
      ["output.labels", { dtype: "int32", shape: [batch, ...size], data: found }],
      ["output.fgari", double(scores.foregroundAri)],
      ["output.mbo", double(scores.bestOverlap)],
    ]);
  },
  judge: ({ tolerance }, name, expected, results) => {
    if (name !== "output.labels") return undefined;
    const rule = isJsonObject(tolerance) ? String(tolerance[name]) : "";
    const share = Number(/at least (\d+)% of pixels/.exec(rule)?.[1]) / 100;
    const actual = results.get(name);
    check(actual && Number.isFinite(share), () => `${name}: no labels, or no rule for them: "${rule}"`);
    const images = expected.shape[0]!;
    const pixels = expected.data.length / images;
    const part = ({ data }: TensorData, n: number) =>
      Array.from(data.slice(n * pixels, (n + 1) * pixels), Number);
    const lowest = Math.min(
      ...Array.from({ length: images }, (_, n) => agreement(part(expected, n), part(actual, n))),
    );
    const result = { name, difference: 1 - lowest, allowed: 1 - share };
    return lowest >= share
      ? result
      : { ...result, failure: `${name}: ${lowest} of an image's pixels agree, expected ${share}` };
  },
};

/** The share of pixels that agree when segments are paired one to one, those that share most first. */
function agreement(one: readonly number[], other: readonly number[]): number {
  const shared = new Map<string, number>();
  one.forEach((label, i) => {
    const pair = `${label} ${other[i]!}`;
    shared.set(pair, (shared.get(pair) ?? 0) + 1);
  });
  const taken = new Set<string>();
  let agreeing = 0;
  for (const [pair, count] of [...shared].sort(([, a], [, b]) => b - a)) {
    const [a, b] = pair.split(" ") as [string, string];
    if (taken.has(`one ${a}`) || taken.has(`other ${b}`)) continue;
    taken.add(`one ${a}`).add(`other ${b}`);
    agreeing += count;
  }
  return agreeing / one.length;
}

/** Data, clustering, segmentation metrics and the whole evaluation. */
export const evaluationKinds: readonly GoldenKind[] = [
  segmentationMetrics,
  clustering,
  pca,
  upTiling,
  shapesScenes,
  boards,
  pipeline,
];
