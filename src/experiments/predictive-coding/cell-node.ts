import { join } from "node:path";
import type { ImageSource } from "../../data/images/image-source.js";
import type { TensorData } from "../../graph/index.js";
import type { Hyperparameters, PreparedImages, Preprocessing } from "../../systems/predify/index.js";
import type { PredictiveNetwork } from "../../systems/predify/index.js";
import {
  Backbone,
  EVALUATION_VALUES,
  PREPROCESSINGS,
  candidates,
  predify,
  prepareImages,
} from "../../systems/predify/index.js";
import { loadOnnx } from "../../graph/onnx/open-node.js";
import type { CommonCellOptions } from "../cell-options-node.js";
import { cellFolder } from "../cells-node.js";
import { sliceImages } from "../image-slices.js";
import type { BackboneCell, FeedbackCell } from "./config.js";

export interface CellOptions extends CommonCellOptions {
  readonly images: ExperimentImages;
  /** The file of a network that is given. */
  readonly model?: string;
}

/** A data set as networks take it, each form made once. */
export class ExperimentImages {
  readonly #made = new Map<string, Promise<PreparedImages>>();

  constructor(
    readonly train: ImageSource,
    readonly test: ImageSource,
  ) {}

  /** A random choice of a source's pictures, the same for every cell. */
  prepared(source: ImageSource, shape: readonly number[], most: number): Promise<PreparedImages> {
    const key = [source.name, ...shape, most].join();
    const made = this.#made.get(key) ?? prepareImages(source, shape, { most, seed: 1 });
    this.#made.set(key, made);
    return made;
  }

  /** What a cell trains on, and the images set aside. */
  async training(
    { trainImages, validationImages }: BackboneCell,
    shape: readonly number[],
  ): Promise<{ training: PreparedImages; validation: PreparedImages }> {
    const all = await this.prepared(this.train, shape, trainImages ?? this.train.count);
    const from = all.count - validationImages;
    return { training: sliceImages(all, 0, from), validation: sliceImages(all, from, all.count) };
  }
}

export function modelPath(cells: string, backbone: BackboneCell): string {
  return join(cellFolder(cells, backbone), "model.onnx");
}

export function decodersPath(cells: string, feedback: FeedbackCell): string {
  return join(cellFolder(cells, feedback), "decoders.safetensors");
}

export function preprocessingOf({ network }: BackboneCell): Preprocessing {
  return "depth" in network ? PREPROCESSINGS.cifar10 : network.preprocessing;
}

/** The trained network with PCoders after each resolution, as many as the cell wants or the network has room for. */
export async function openNetwork(
  cells: string,
  { start, pcoders }: FeedbackCell,
  values: Hyperparameters = EVALUATION_VALUES,
): Promise<PredictiveNetwork> {
  const model = await loadOnnx(modelPath(cells, start));
  const resolutions = candidates(new Backbone(model)).filter(({ beforeChange }) => beforeChange);
  return predify(model, { pcoders: Math.min(pcoders, resolutions.length), ...values });
}

/** Numbers 0, 1, ... in groups. */
export function batchesOf(count: number, size: number): number[][] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) =>
    Array.from({ length: Math.min(size, count - i * size) }, (_, n) => i * size + n),
  );
}

/** Mean and variance over all numbers that are added. */
export class Moments {
  #count = 0;
  #sum = 0;
  #squares = 0;

  add({ data }: TensorData): void {
    for (const value of data as Float32Array) {
      this.#sum += value;
      this.#squares += value * value;
    }
    this.#count += data.length;
  }

  variance(): number {
    return this.#squares / this.#count - (this.#sum / this.#count) ** 2;
  }
}
