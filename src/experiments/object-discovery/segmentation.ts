import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { sceneLabels, scenePictures } from "../../data/scenes/segmented-scenes.js";
import { foregroundAri, meanBestOverlap } from "../../metrics/segmentation.js";
import { average } from "../../metrics/statistics.js";
import type { State } from "../../nn/module.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import type { FeatureMapBatch, ObjectTask } from "../../systems/akorn/index.js";
import { IMAGES, segmentImages, shiftedCopies } from "../../systems/akorn/index.js";
import { Evaluator } from "../../train/evaluator.js";
import type { DiscoveryCell } from "./plan.js";
import { DISCOVERY_SETS } from "./plan.js";

/** Agreement of segments with the objects, from 0 to 1. */
export interface SegmentationTest {
  readonly foregroundAri: number;
  readonly bestOverlap: number;
  /** The scores of every scene. */
  readonly foregroundAriOfScenes: readonly number[];
  /**
   * Energy of the oscillators before each timestep, a list [T] for each layer, mean over scenes and oscillators; empty
   * for networks without oscillators.
   */
  readonly energies: readonly (readonly number[])[];
}

export interface SegmentationTestOptions {
  readonly upTiling: number;
  /** A name that gives each test its own noise. */
  readonly label: string;
  readonly signal?: AbortSignal;
  /** Is called with the number of scenes done so far. */
  readonly onScenes?: (done: number) => void;
}

/** Segments scenes with one network. */
export interface SegmentationTester {
  /** Tests the network. Returns undefined if the test was stopped. */
  test(
    values: State,
    scenes: SegmentedScenes,
    options: SegmentationTestOptions,
  ): Promise<SegmentationTest | undefined>;
  /** Returns segment labels `[S, S]`, counted from 1, for some scenes. */
  segment(
    values: State,
    scenes: SegmentedScenes,
    indices: readonly number[],
    options: SegmentationTestOptions,
  ): Promise<Int32Array[]>;
  close(): Promise<void>;
}

/** Number of scenes in one run of the network. */
const BATCH = 16;

/** Opens a tester that draws new noise for every run of the network, from the random seed of the cell. */
export async function openSegmentationTester(
  task: ObjectTask,
  { seed, set, network }: Pick<DiscoveryCell, "seed" | "set" | "network">,
  session: SessionOptions,
): Promise<SegmentationTester> {
  const evaluator = await Evaluator.open(task, BATCH, new Map(), workerRuntime, session);
  const { imageSize: size, patch, channels, rotatingDimensions } = network;
  const { clusters } = DISCOVERY_SETS[set];
  const oscillators = (channels / rotatingDimensions) * (size / patch) ** 2;

  /**
   * Computes the feature maps of every shifted copy of one batch, and energies summed over the scenes of the
   * batch.
   */
  const run = async (
    values: State,
    scenes: SegmentedScenes,
    indices: readonly number[],
    { upTiling, label }: SegmentationTestOptions,
  ) => {
    const padded = Array.from({ length: BATCH }, (_, i) => indices[i % indices.length]!);
    const tiling = { size, patch, factor: upTiling };
    const copies: FeatureMapBatch[] = [];
    let energies: number[][] = [];
    for (const [copy, images] of shiftedCopies(scenePictures(scenes, padded), tiling).entries()) {
      const data = { count: BATCH, fill: (_: unknown, fields: Fields) => fields[IMAGES]?.set(images) };
      const labels = [seed, label, upTiling, copy, indices[0]!];
      const { features, ...others } = await evaluator.run(values, data, padded, labels);
      copies.push({ data: features!.data as Float32Array, shape: features!.shape });
      if (copy === 0) energies = energiesOf(others, indices.length);
    }
    const segment = (n: number) => {
      const picture = scenePictures(scenes, [indices[n]!]);
      const own = (_: Float32Array, copy: number) => Promise.resolve(mapOf(copies[copy]!, n));
      return segmentImages(picture, own, { tiling, clusters });
    };
    return { segment, energies };
  };

  return {
    close: () => evaluator.close(),
    segment: async (values, scenes, indices, options) => {
      const found: Int32Array[] = [];
      for (let first = 0; first < indices.length; first += BATCH) {
        const part = indices.slice(first, first + BATCH);
        const { segment } = await run(values, scenes, part, options);
        for (let n = 0; n < part.length; n++) found.push(await segment(n));
      }
      return found;
    },
    test: async (values, scenes, options) => {
      const scores: number[] = [];
      const overlaps: number[] = [];
      let energies: number[][] = [];
      for (let first = 0; first < scenes.count; first += BATCH) {
        const length = Math.min(BATCH, scenes.count - first);
        const indices = Array.from({ length }, (_, i) => first + i);
        const done = await run(values, scenes, indices, options);
        energies = done.energies.map((steps, l) => steps.map((sum, t) => sum + (energies[l]?.[t] ?? 0)));
        for (const [n, index] of indices.entries()) {
          // Let other cells run their batches.
          await new Promise((resolve) => setImmediate(resolve));
          if (options.signal?.aborted) return undefined;
          const [found, truth] = [await done.segment(n), sceneLabels(scenes, index)];
          scores.push(foregroundAri(truth, found));
          const overlap = meanBestOverlap(truth, found);
          if (overlap !== undefined) overlaps.push(overlap);
          options.onScenes?.(scores.length);
        }
      }
      return {
        foregroundAri: average(scores),
        bestOverlap: average(overlaps),
        foregroundAriOfScenes: scores,
        energies: energies.map((steps) => steps.map((sum) => sum / (scenes.count * oscillators))),
      };
    },
  };
}

type Fields = Readonly<Record<string, Float32Array>>;

/**
 * Energies before each timestep, summed over the first `scenes` of a batch, leaving out the constant E_0 = 0
 * of the authors' code.
 */
function energiesOf(
  outputs: Readonly<
    Record<string, { readonly data: ArrayLike<number | bigint>; readonly shape: readonly number[] }>
  >,
  scenes: number,
): number[][] {
  const layers = Object.keys(outputs).filter((name) => name.startsWith("energies."));
  return layers.map((_, layer) => {
    const { data, shape } = outputs[`energies.${layer}`]!;
    const [rows, batch] = shape as [number, number];
    return Array.from({ length: rows - 1 }, (_, t) => {
      let sum = 0;
      for (let n = 0; n < scenes; n++) sum += Number(data[(t + 1) * batch + n]);
      return sum;
    });
  });
}

function mapOf({ data, shape }: FeatureMapBatch, index: number): FeatureMapBatch {
  const length = data.length / shape[0]!;
  return { data: data.subarray(index * length, (index + 1) * length), shape: [1, ...shape.slice(1)] };
}
