// npm run pretrained RUN: publishes the networks of a finished run of overlapping-digits, object-discovery or sudoku as
// trained networks of Striate.
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readCellResult } from "../src/experiments/cell-results.js";
import type { DiscoveryCell } from "../src/experiments/object-discovery/plan.js";
import type { DiscoveryResult } from "../src/experiments/object-discovery/results.js";
import type { SudokuNetworkCell } from "../src/experiments/sudoku/plan.js";
import type { SudokuNetworkResult } from "../src/experiments/sudoku/results.js";
import { openOnnx } from "../src/graph/onnx/read/open-node.js";
import { average } from "../src/metrics/statistics.js";
import type { PretrainedCard } from "../src/pretrained/card.js";
import { PRETRAINED_MODELS } from "../src/pretrained/models.js";
import { checkpointPath, listCheckpoints, readCheckpoint } from "../src/train/run/checkpoint-node.js";
import type { StoredTensor } from "../src/util/safetensors.js";
import { readSafetensors } from "../src/util/safetensors-node.js";
import { publish } from "./publish-pretrained.js";

/** How the networks of an experiment are published. C is the type of its cells' configurations, R that of its results. */
interface Publication<C extends object, R> {
  readonly experiment: string;
  readonly isTrainedBy: (config: C) => boolean;
  readonly facts: Pick<PretrainedCard, "system" | "summary" | "input" | "command" | "licence">;
  readonly trainingImages: (config: C) => number;
  readonly figures: (result: R, config: C) => PretrainedCard["figures"];
}

interface DigitsCell {
  readonly model: string;
  readonly trainScenes: number;
  readonly testScenes: number;
}

interface DigitsResult {
  readonly conditions: readonly { readonly condition: string; readonly metrics: Record<string, number> }[];
}

const CONDITIONS: Readonly<Record<string, string>> = {
  clean: "both digits right, clean images",
  noise: "both digits right, Gaussian noise of variance 0.1",
  overlap: "both digits right, overlap up to 50 %",
};

const percent = (share: number): number => Math.round(1000 * share) / 10;

const digits = (model: string, system: string, summary: string): Publication<DigitsCell, DigitsResult> => ({
  experiment: "overlapping-digits",
  isTrainedBy: (config) => config.model === model,
  facts: {
    system,
    summary,
    input:
      "grey images [batch, 1, 32, 32] with pixels from 0 to 1, white on black, digits of about 18 pixels",
    command: "striate run overlapping-digits --scale laptop --seeds 1 --threads 1",
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
  },
  trainingImages: ({ trainScenes }) => trainScenes,
  figures: ({ conditions }, { testScenes }) =>
    conditions.flatMap(({ condition, metrics }) => {
      const name = CONDITIONS[condition];
      const value = percent(metrics.setAccuracy!);
      return name === undefined ? [] : [{ name, value, unit: "percent", images: testScenes }];
    }),
});

const objects: Publication<DiscoveryCell, DiscoveryResult> = {
  experiment: "object-discovery",
  isTrainedBy: ({ set, model }) => set === "tetrominoes" && model === "akorn-attn",
  facts: {
    system: "AKOrN",
    summary:
      "Finds objects without labels: oscillators of one object turn alike within 8 timesteps, coupled by attention.",
    input:
      "colour images [batch, 3, 32, 32] with pixels from 0 to 1, three Tetrominoes of saturated colours on black",
    command: "striate run object-discovery --scale laptop --seeds 1 --cells tetrominoes/akorn-attn/seed1",
    licence: "weights: MIT; trained on scenes that Striate generated",
  },
  trainingImages: ({ steps, batchSize }) => steps * batchSize,
  figures: ({ tests }, { testScenes }) =>
    tests.flatMap(({ upTiling, foregroundAri, bestOverlap }) => {
      const how = upTiling === 1 ? "" : `, up-tiling by ${upTiling}`;
      return [
        { name: `FG-ARI${how}`, value: percent(foregroundAri), unit: "percent", images: testScenes },
        { name: `mean best overlap${how}`, value: percent(bestOverlap), unit: "percent", images: testScenes },
      ];
    }),
};

const SETS: Readonly<Record<string, string>> = {
  id: "31 to 42 given digits",
  ood: "17 to 34 given digits",
};

const sudoku: Publication<SudokuNetworkCell, SudokuNetworkResult> = {
  experiment: "sudoku",
  isTrainedBy: ({ model }) => model === "akorn",
  facts: {
    system: "AKOrN",
    summary:
      "Solves Sudoku: oscillators of 81 cells, coupled by attention, settle within 16 to 256 timesteps.",
    input: 'boards "puzzle" [batch, 9, 9] of digits from 1 to 9, 0 for a blank cell',
    command: "striate run sudoku --scale laptop --seeds 1 --cells 'akorn/*' --threads 1",
    licence: "weights: MIT; trained on boards that Striate generated",
  },
  trainingImages: ({ steps, batchSize }) => steps * batchSize,
  figures: ({ accuracies }, { testBoards }) =>
    accuracies.flatMap(({ set, timesteps, boards }) =>
      [16, 96, 256].flatMap((t) => {
        const at = timesteps.indexOf(t);
        if (SETS[set] === undefined || at < 0) return [];
        const value = percent(average(boards.map((draw) => draw[at]!)));
        return [
          { name: `boards solved, ${SETS[set]}, ${t} timesteps`, value, unit: "percent", images: testBoards },
        ];
      }),
    ),
};

const PUBLICATIONS = {
  "komplexnet-digits2": digits(
    "kuramoto",
    "KomplexNet",
    "Names the two digits in an image; phases synchronise by Kuramoto dynamics over 12 timesteps.",
  ),
  "random-phases-digits2": digits(
    "random",
    "KomplexNet, phases at random",
    "The control of KomplexNet whose phases are drawn at random and stay as they are.",
  ),
  "real-valued-digits2": digits(
    "real",
    "KomplexNet, real-valued",
    "The control of KomplexNet with real numbers and no phases.",
  ),
  "akorn-tetrominoes": objects,
  "akorn-sudoku": sudoku,
} as const;

type PublishedName = keyof typeof PUBLICATIONS;

const readJson = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(path, "utf8")) as unknown;

interface TrainedCell {
  readonly folder: string;
  readonly config: { readonly seed: number; readonly experiment: string };
}

async function cellsOf(run: string): Promise<readonly TrainedCell[]> {
  const names = await readdir(join(run, "cells"));
  return Promise.all(
    names.map(async (name) => {
      const folder = join(run, "cells", name);
      return { folder, config: (await readJson(join(folder, "config.json"))) as TrainedCell["config"] };
    }),
  );
}

/**
 * The values of a trained network: those of its weights file or of its ONNX file, and for parts that only training needs, of
 * its checkpoint.
 */
async function valuesOf(name: PublishedName, folder: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const weights = join(folder, "weights.safetensors");
  if (existsSync(weights)) return (await readSafetensors(weights)).tensors;
  const { parameters } = (await openOnnx(join(folder, "model.onnx"))).read();
  const checkpoints = join(folder, "checkpoints");
  const last = (await listCheckpoints(checkpoints)).at(-1);
  const { tensors } =
    last === undefined ? { tensors: undefined } : await readCheckpoint(checkpointPath(checkpoints, last));
  const values = Array.from((await PRETRAINED_MODELS[name]()).parameters, ([key, { shape }]) => {
    const data =
      parameters.get(key)?.data.data ?? (tensors?.get(`ema.${key}`) ?? tensors?.get(`param.${key}`))?.data;
    if (data === undefined) throw new Error(`${folder}: the network has no "${key}"`);
    return [key, { dtype: "F32", shape: shape as readonly number[], data: data as Float32Array }] as const;
  });
  return new Map(values);
}

async function publishFrom(run: string, name: PublishedName): Promise<void> {
  const { experiment, isTrainedBy, facts, trainingImages, figures } = PUBLICATIONS[name] as Publication<
    never,
    never
  >;
  const found = (await cellsOf(run)).find(
    ({ config }) => config.experiment === experiment && isTrainedBy(config as never),
  );
  if (found === undefined) return;
  const { folder, config } = found;
  const result = await readCellResult<object>(folder);
  const { system, summary, input, command, licence } = facts;
  await publish(
    {
      ...{ name, system, summary, input, command },
      seed: config.seed,
      trainingImages: trainingImages(config as never),
      figures: figures(result as never, config as never),
      licence,
    },
    await valuesOf(name, folder),
  );
}

const [run] = process.argv.slice(2);
if (run === undefined)
  throw new Error(
    "usage: npm run pretrained RUN, the folder of a run of overlapping-digits, object-discovery or sudoku",
  );
for (const name of Object.keys(PUBLICATIONS) as PublishedName[]) await publishFrom(run, name);
