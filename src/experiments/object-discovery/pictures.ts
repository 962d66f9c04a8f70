import { join } from "node:path";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { scenePictures } from "../../data/scenes/segmented-scenes.js";
import { componentColours } from "../../draw/index.js";
import { principalComponents } from "../../metrics/principal-components.js";
import type { State } from "../../nn/module.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { IMAGES, channelsLast, interleave, shiftedCopies } from "../../systems/akorn/index.js";
import { Evaluator } from "../../train/evaluator.js";
import { readSafetensors, writeSafetensors } from "../../util/safetensors-node.js";
import type { StoredTensor } from "../../util/safetensors.js";
import { objectTask } from "./networks.js";
import type { DiscoveryCell } from "./plan.js";
import type { SegmentationTester } from "./segmentation.js";

/** Number of scenes that the report shows: the first ones of the test set. */
export const DISCOVERY_PICTURES = 6;

const FILE = "pictures.safetensors";

/** Segments, features and oscillators of a network for the scenes in the report. */
export interface CellPictures {
  /** Segment labels `[S, S]`, counted from 1, for each up-tiling factor and scene. */
  readonly segments: ReadonlyMap<number, readonly Uint8Array[]>;
  /** The clustered features of each scene, as colours. */
  readonly features: readonly ColourMap[];
  /**
   * The last layer's oscillators of each scene after every timestep, as colours; empty for networks without
   * oscillators.
   */
  readonly fields: readonly (readonly ColourMap[])[];
}

/** The first three principal components as red, green and blue, `[height, width, 3]`. */
export interface ColourMap {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export interface PictureOptions extends SessionOptions {
  readonly folder: string;
  readonly tester: SegmentationTester;
  readonly label: string;
}

/**
 * Saves segments, features and oscillators of the first test scenes, with the largest up-tiling factor.
 * Up-tiling runs the network on shifted copies of an image; for the oscillators, all copies start from the
 * same random noise.
 */
export async function saveDiscoveryPictures(
  config: DiscoveryCell,
  values: State,
  scenes: SegmentedScenes,
  { folder, tester, label, ...session }: PictureOptions,
): Promise<void> {
  const count = Math.min(DISCOVERY_PICTURES, scenes.count);
  const indices = Array.from({ length: count }, (_, i) => i);
  const tensors = new Map<string, StoredTensor>();
  const { imageSize: size } = config.network;
  for (const upTiling of config.upTiling) {
    const found = await tester.segment(values, scenes, indices, { upTiling, label });
    const data = Uint8Array.from(found.flatMap((labels) => [...labels]));
    tensors.set(`segments.${upTiling}`, { dtype: "U8", shape: [count, size, size], data });
  }
  const maps = await tiledMaps(config, values, scenes, indices, session);
  for (const [name, steps] of Object.entries(maps)) {
    const colours = indices.map((n) => coloured(steps.map(({ map }) => map[n]!)));
    const { side } = steps[0]!;
    const data = Uint8Array.from(colours.flatMap((each) => [...each]));
    tensors.set(name, { dtype: "U8", shape: [count, steps.length, side, side, 3], data });
  }
  await writeSafetensors(join(folder, FILE), tensors);
}

/** Feature maps `[side, side, channels]` of every scene. */
interface TiledMap {
  readonly side: number;
  readonly map: readonly { readonly vectors: Float32Array; readonly channels: number }[];
}

/**
 * Computes the outputs "features" (one map) and "field" (one map for each timestep, if there are
 * oscillators), with the largest up-tiling factor.
 */
async function tiledMaps(
  config: DiscoveryCell,
  values: State,
  scenes: SegmentedScenes,
  indices: readonly number[],
  session: SessionOptions,
): Promise<Record<string, TiledMap[]>> {
  const { imageSize: size, patch, layers } = config.network;
  const factor = Math.max(...config.upTiling);
  const evaluator = await Evaluator.open(
    objectTask(config, { states: true }),
    indices.length,
    new Map(),
    workerRuntime,
    session,
  );
  try {
    const copies: Record<string, { readonly data: Float32Array; readonly shape: readonly number[] }[]> = {};
    for (const images of shiftedCopies(scenePictures(scenes, indices), { size, patch, factor })) {
      const data = {
        count: indices.length,
        fill: (_: unknown, fields: Readonly<Record<string, Float32Array>>) => fields[IMAGES]?.set(images),
      };
      const outputs = await evaluator.run(values, data, indices, [config.seed, "pictures"]);
      for (const [name, output] of [
        ["features", outputs.features],
        ["field", outputs[`states.${layers - 1}`]],
      ] as const) {
        if (output) (copies[name] ??= []).push({ data: output.data as Float32Array, shape: output.shape });
      }
    }
    return Object.fromEntries(Object.entries(copies).map(([name, list]) => [name, tiled(list, factor)]));
  } finally {
    await evaluator.close();
  }
}

/**
 * Interleaves the outputs `[(timesteps,) batch, channels, h, w]` of the shifted copies, into one map for each timestep.
 */
function tiled(
  copies: readonly { readonly data: Float32Array; readonly shape: readonly number[] }[],
  factor: number,
): TiledMap[] {
  const { shape } = copies[0]!;
  const [batch, channels, height, width] = shape.slice(-4) as [number, number, number, number];
  const length = batch * channels * height * width;
  const steps = shape.length === 5 ? shape[0]! : 1;
  const side = height * factor;
  return Array.from({ length: steps }, (_, t) => {
    const maps = copies.map(({ data }) =>
      channelsLast(data.subarray(t * length, (t + 1) * length), [batch, channels, height, width]),
    );
    const joined = interleave(maps, [batch, height, width, channels]);
    const each = side * side * channels;
    const map = Array.from({ length: batch }, (_, n) => ({
      vectors: joined.subarray(n * each, (n + 1) * each),
      channels,
    }));
    return { side, map };
  });
}

/**
 * Draws the maps of one scene in the colours of their common principal components. Returns the pixels of all
 * maps, one map after the other.
 */
function coloured(maps: readonly TiledMap["map"][number][]): Uint8Array {
  const { channels } = maps[0]!;
  const vectors = new Float32Array(maps.length * maps[0]!.vectors.length);
  maps.forEach((map, t) => {
    vectors.set(map.vectors, t * map.vectors.length);
  });
  const count = vectors.length / channels;
  return componentColours(principalComponents(vectors, count, channels, 3));
}

/** Loads what {@link saveDiscoveryPictures} saved. */
export async function readDiscoveryPictures(folder: string): Promise<CellPictures> {
  const { tensors } = await readSafetensors(join(folder, FILE));
  const scenesOf = ({ shape, data }: StoredTensor): Uint8Array[] => {
    const length = data.length / shape[0]!;
    const bytes = data as Uint8Array;
    return Array.from({ length: shape[0]! }, (_, n) => bytes.subarray(n * length, (n + 1) * length));
  };
  const mapsOf = (name: string): ColourMap[][] => {
    const stored = tensors.get(name);
    if (!stored) return [];
    const [, steps, height, width] = stored.shape as [number, number, number, number];
    const length = 3 * height * width;
    return scenesOf(stored).map((bytes) =>
      Array.from({ length: steps }, (_, t) => ({
        height,
        width,
        data: bytes.subarray(t * length, (t + 1) * length),
      })),
    );
  };
  const segments = [...tensors].flatMap(([name, stored]) => {
    const factor = /^segments\.(\d+)$/.exec(name)?.[1];
    return factor === undefined ? [] : [[Number(factor), scenesOf(stored)] as const];
  });
  return {
    segments: new Map(segments),
    features: mapsOf("features").map(([only]) => only!),
    fields: mapsOf("field"),
  };
}
