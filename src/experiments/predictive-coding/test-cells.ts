import { resizeImage } from "../../data/images/resize.js";
import type { RgbImage } from "../../data/images/rgb-image.js";
import { fromRgb } from "../../draw/index.js";
import type { TensorData } from "../../graph/index.js";
import { pngDataUri } from "../../report/png.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import type { PreparedImages, Preprocessing } from "../../systems/predify/index.js";
import {
  completePreprocessing,
  DistanceTally,
  imageBatch,
  largestLogits,
  openPredictive,
  TimestepTally,
} from "../../systems/predify/index.js";
import type { UnrolledOptions } from "../../systems/predify/files/export.js";
import { readWeights } from "../../systems/predify/files/weights-node.js";
import { check } from "../../util/errors.js";
import { closing } from "../../util/closing.js";
import { progressOf } from "../training.js";
import { corruptedSource, disturbed } from "./images.js";
import { FamilyTally } from "./families.js";
import type { PredictiveOptions } from "./network.js";
import { batchesOf, decodersPath, Moments, openNetwork, preprocessingOf } from "./network.js";
import type { CorruptionCell, NoiseCell, Setting } from "./plan.js";
import { hyperparametersUnder, SETTINGS } from "./plan.js";
import type { CorruptionScores, Reconstruction, TuningResult } from "./results.js";

const BATCH = 50;

/**
 * Returns the trained network of a cell, its preprocessing, and a function that opens the network with the
 * additional outputs that it is given.
 */
async function open({ start, timesteps }: NoiseCell | CorruptionCell, options: PredictiveOptions) {
  const network = await openNetwork(options.cells, start.start);
  const values = await readWeights(decodersPath(options.cells, start.start), network);
  const common = { ...sessionOptionsOf(options), timesteps };
  const runner = (outputs: Omit<UnrolledOptions, "timesteps"> = {}) =>
    openPredictive(network, values, workerRuntime, { ...common, ...outputs });
  return { network, preprocessing: preprocessingOf(start.start.start), runner };
}

type Opened = Awaited<ReturnType<typeof open>>;

function valuesUnder(setting: Setting, tuning: TuningResult) {
  return { hyperparameters: hyperparametersUnder(setting, tuning[setting.values]) };
}

/** Measures every setting on the same images under the same noise. */
export async function runNoise(config: NoiseCell, tuning: TuningResult, options: PredictiveOptions) {
  const opened = await open(config, options);
  const { network, preprocessing } = opened;
  const { conditions } = config;
  const { images: store } = options;
  const images = await store.prepared(store.test, network.backbone.imageShape, config.images);
  const tallies = SETTINGS.map((setting) =>
    conditions.map((condition) => ({
      setting,
      condition,
      answers: new TimestepTally(),
      distances: new DistanceTally(),
    })),
  );
  const variances = network.pcoders.map(() => new Moments());
  const batches = batchesOf(images.count, BATCH);
  const report = progressOf(options, "testing", batches.length * SETTINGS.length);
  const finished = await closing(opened.runner({ representations: true, errors: true }), async (runner) => {
    let step = 0;
    for (const [number, indices] of batches.entries()) {
      const clean = imageBatch(images, preprocessing, indices);
      const labels = indices.map((i) => images.labels[i]!);
      for (const [s, setting] of SETTINGS.entries()) {
        if (options.signal.aborted) return false;
        const inputs = valuesUnder(setting, tuning);
        const undisturbed = await runner.run(clean, inputs);
        if (s === 0) addTargets(variances, clean, undisturbed);
        for (const { condition, answers, distances } of tallies[s]!) {
          const { disturbance } = condition;
          const isClean = disturbance.kind === "none";
          const results = isClean
            ? undisturbed
            : await runner.run(disturbed(clean, disturbance, number), inputs);
          answers.add(results, labels);
          if (!isClean) distances.add(undisturbed, results);
        }
        step++;
        report(step, indices.length * conditions.length);
      }
    }
    return true;
  });
  if (!finished) return undefined;
  return {
    scores: tallies.flat().map(({ setting, condition, answers, distances }) => ({
      setting: setting.id,
      condition: condition.id,
      ...answers.scores(),
      distances: condition.disturbance.kind === "none" ? [] : distances.means(),
    })),
    targetVariances: variances.map((moments) => moments.variance()),
    reconstructions: await reconstruct(config, opened, images, tuning),
    truth: images.classes[images.labels[0]!] ?? "?",
  };
}

/** The target of a PCoder: the image for the first one, and the representation of the PCoder below for the others. */
function addTargets(
  variances: readonly Moments[],
  image: TensorData,
  results: Readonly<Record<string, TensorData>>,
): void {
  variances.forEach((moments, i) => {
    moments.add(i === 0 ? image : results[`representation.pcoder${i}.t0`]!);
  });
}

/** Reconstructions of the first test image, clean and noisy, with tuned values. */
async function reconstruct(
  { conditions, shown, timesteps }: NoiseCell,
  { network, preprocessing, runner: openRunner }: Opened,
  images: PreparedImages,
  tuning: TuningResult,
): Promise<Reconstruction[]> {
  const tuned = SETTINGS.find(({ id }) => id === "tuned")!;
  const first = imageBatch(images, preprocessing, batchesOf(images.count, BATCH)[0]!);
  const picture = (tensor: TensorData) => pictureUri(tensor, preprocessing);
  const each = Array.from({ length: timesteps + 1 }, (_, t) => t);
  return closing(openRunner({ reconstructions: true }), async (runner) => {
    const list: Reconstruction[] = [];
    for (const { id, label, disturbance } of conditions) {
      if (disturbance.kind !== "none" && id !== shown) continue;
      const image = disturbed(first, disturbance, 0);
      const results = await runner.run(image, valuesUnder(tuned, tuning));
      list.push({
        condition: id,
        label,
        image: picture(image),
        answers: each.map((t) => images.classes[largestLogits(results.logits!, t)[0]!] ?? "?"),
        pictures: network.pcoders.map(({ number }) =>
          each.map((t) => picture(results[`reconstruction.pcoder${number}.t${t}`]!)),
        ),
      });
    }
    return list;
  });
}

/** Largest side of an image in the report, in pixels. */
const SIDE = 64;

/** The first image of a batch as a PNG. The network's preprocessing is undone, so that the numbers become pixels. */
function pictureUri({ shape, data }: TensorData, preprocessing: Preprocessing): string {
  const [, channels, height, width] = shape as [number, number, number, number];
  const { scale, mean, std, colours } = completePreprocessing(preprocessing, channels);
  const plane = height * width;
  const rgb = new Uint8Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    const colour = c % channels;
    const source = colours === "BGR" ? channels - 1 - colour : colour;
    for (let i = 0; i < plane; i++) {
      const value = (255 / scale) * (std[colour]! * Number(data[source * plane + i]) + mean[colour]!);
      rgb[3 * i + c] = Math.min(255, Math.max(0, Math.round(value)));
    }
  }
  const full: RgbImage = { width, height, data: rgb };
  const side = Math.min(SIDE, width);
  const small = side === width ? full : resizeImage(full, side, side);
  return pngDataUri(fromRgb(small));
}

/**
 * Measures the full dynamics under common corruptions, with the authors' values and with the tuned values.
 */
export async function runCorruptions(
  config: CorruptionCell,
  tuning: TuningResult,
  options: PredictiveOptions,
) {
  const { network, preprocessing, runner: openRunner } = await open(config, options);
  const { images: store } = options;
  const settings = SETTINGS.filter(({ without }) => without === undefined);
  const pairs = config.corruptions.flatMap((corruption) =>
    config.severities.map((severity) => ({ corruption, severity })),
  );
  const report = progressOf(options, "testing", pairs.length);
  return closing(openRunner(), async (runner) => {
    const scores: CorruptionScores[] = [];
    const families = settings.map((setting) => ({ setting, tally: new FamilyTally() }));
    let shown: string | undefined;
    for (const [done, { corruption, severity }] of pairs.entries()) {
      const source = {
        ...corruptedSource(store.test, corruption, severity),
        name: `${store.test.name}, ${corruption} ${severity}`,
      };
      const images = await store.prepared(source, network.backbone.imageShape, config.images);
      const order = Array.from(images.labels).join();
      check(
        (shown ??= order) === order,
        () => `${source.name}: expected the same images under every corruption, got others`,
      );
      for (const { setting, tally: family } of families) {
        const tally = new TimestepTally();
        for (const indices of batchesOf(images.count, BATCH)) {
          if (options.signal.aborted) return undefined;
          const batch = imageBatch(images, preprocessing, indices);
          const labels = indices.map((i) => images.labels[i]!);
          const results = await runner.run(batch, valuesUnder(setting, tuning));
          tally.add(results, labels);
          family.add(corruption, results.logits!, labels, indices);
        }
        scores.push({ setting: setting.id, corruption, severity, ...tally.scores() });
      }
      report(done + 1, images.count * settings.length);
    }
    return { scores, families: families.flatMap(({ setting, tally }) => tally.scores(setting.id)) };
  });
}
