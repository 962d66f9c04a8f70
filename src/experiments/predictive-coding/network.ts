import { join } from "node:path";
import type { TensorData } from "../../graph/index.js";
import { loadOnnx } from "../../graph/onnx/read/open-node.js";
import type { Hyperparameters, PredictiveNetwork, Preprocessing } from "../../systems/predify/index.js";
import {
  Backbone,
  candidates,
  EVALUATION_VALUES,
  predify,
  PREPROCESSINGS,
} from "../../systems/predify/index.js";
import type { CellOptions } from "../cells.js";
import { cellFolder } from "../cells.js";
import type { ExperimentImages } from "./images.js";
import type { BackboneCell, FeedbackCell } from "./plan.js";

export type PredictiveOptions = CellOptions & {
  readonly images: ExperimentImages;
  /** Path of the network file that the user gave. */
  readonly model?: string;
};

export function modelPath(cells: string, backbone: BackboneCell): string {
  return join(cellFolder(cells, backbone), "model.onnx");
}

export function decodersPath(cells: string, feedback: FeedbackCell): string {
  return join(cellFolder(cells, feedback), "decoders.safetensors");
}

export function preprocessingOf({ network }: BackboneCell): Preprocessing {
  return "depth" in network ? PREPROCESSINGS.cifar10 : network.preprocessing;
}

/**
 * Loads the trained network and gives it PCoders: one at each resolution, up to the number in the
 * configuration.
 */
export async function openNetwork(
  cells: string,
  { start, pcoders }: FeedbackCell,
  values: Hyperparameters = EVALUATION_VALUES,
): Promise<PredictiveNetwork> {
  const model = await loadOnnx(modelPath(cells, start));
  const resolutions = candidates(new Backbone(model)).filter(({ beforeChange }) => beforeChange);
  return predify(model, { pcoders: Math.min(pcoders, resolutions.length), ...values });
}

/** Splits the indices 0 to count - 1 into batches. */
export function batchesOf(count: number, size: number): number[][] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) =>
    Array.from({ length: Math.min(size, count - i * size) }, (_, n) => i * size + n),
  );
}

/** Running variance of all added numbers. */
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
