import { join } from "node:path";
import type { State } from "../../nn/module.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { COMPLEX_LAYERS } from "../../systems/komplexnet/training/tasks.js";
import { Evaluator } from "../../train/evaluator.js";
import type { Task, MemoryData } from "../../train/task.js";
import { closing } from "../../util/closing.js";
import { readSafetensors } from "../../util/safetensors-node.js";
import { writeCellWeights } from "../training.js";
import type { PhasePicture } from "./results.js";
import type { TestScenes } from "./scenes.js";
import { CLASSES, PIXELS } from "./scenes.js";

/** Number of scenes that the report shows. */
export const DIGITS_PICTURES = 4;

const FILE = "pictures.safetensors";

/**
 * Runs a network on the first scenes and saves its answers, and also phases, amplitudes and complex layers if
 * the task outputs them.
 */
export async function saveDigitsPictures(
  task: Task,
  values: State,
  data: MemoryData,
  { folder, seed, ...session }: SessionOptions & { readonly folder: string; readonly seed: number },
): Promise<void> {
  const indices = Array.from({ length: DIGITS_PICTURES }, (_, i) => i);
  const outputs = await closing(
    Evaluator.open(task, DIGITS_PICTURES, values, workerRuntime, session),
    (evaluator) => evaluator.run(values, data, indices, [seed, "pictures"]),
  );
  await writeCellWeights(join(folder, FILE), new Map(Object.entries(outputs)));
}

export interface ReadPicturesOptions {
  /** Channels of the images. Default 1. */
  readonly channels?: number;
  /** Largest number of digits in a scene. Default 2. */
  readonly objects?: number;
}

/**
 * Loads the answers and phases of several networks for the same scenes; `folders` has the folder of each network's
 * cell.
 */
export async function readDigitsPictures(
  folders: ReadonlyMap<string, string>,
  data: TestScenes,
  { channels = 1, objects = 2 }: ReadPicturesOptions = {},
): Promise<PhasePicture[]> {
  const indices = Array.from({ length: DIGITS_PICTURES }, (_, i) => i);
  const images = new Float32Array(DIGITS_PICTURES * channels * PIXELS);
  const masks = new Float32Array(DIGITS_PICTURES * (1 + objects) * PIXELS);
  data.fill(indices, { images, masks });
  const answers = await Promise.all(
    Array.from(folders, async ([model, folder]) => {
      const { tensors } = await readSafetensors(join(folder, FILE));
      const values = (name: string) => tensors.get(name)?.data as Float32Array | undefined;
      const [timesteps = 1] = tensors.get("logits")?.shape ?? [];
      return {
        model,
        timesteps,
        logits: values("logits")!,
        phases: values("phases"),
        amplitude: values("amplitude"),
        layers: COMPLEX_LAYERS.flatMap((name) => {
          const parts = values(`layer.${name}`);
          return parts ? [{ name, parts }] : [];
        }),
      };
    }),
  );
  return indices.map((n) => {
    const labels = data.digitLabels(n);
    return {
      height: 32,
      width: 32,
      image: grey(images.subarray(n * channels * PIXELS, (n + 1) * channels * PIXELS), channels),
      labels,
      masks: labels.map((_, object) => {
        const at = (n * (1 + objects) + 1 + object) * PIXELS;
        return masks.slice(at, at + PIXELS);
      }),
      predictions: answers.map(({ model, timesteps, logits }) => {
        const at = ((timesteps - 1) * DIGITS_PICTURES + n) * CLASSES;
        return { model, labels: largest(logits.subarray(at, at + CLASSES), labels.length) };
      }),
      phases: answers.flatMap(({ model, timesteps, phases, amplitude, layers }) => {
        if (phases === undefined || amplitude === undefined) return [];
        const size = amplitude.length / DIGITS_PICTURES;
        return [
          {
            model,
            channels: size / PIXELS,
            timesteps: Array.from({ length: timesteps }, (_, t) =>
              phases.slice((t * DIGITS_PICTURES + n) * size, (t * DIGITS_PICTURES + n + 1) * size),
            ),
            amplitudes: amplitude.slice(n * size, (n + 1) * size),
            layers: layers.map(({ name, parts }) => {
              const units = parts.length / (2 * DIGITS_PICTURES);
              return {
                name,
                real: parts.slice(n * units, (n + 1) * units),
                imaginary: parts.slice((DIGITS_PICTURES + n) * units, (DIGITS_PICTURES + n + 1) * units),
              };
            }),
          },
        ];
      }),
    };
  });
}

/** Mean of an image over its channels. */
function grey(image: Float32Array, channels: number): Float32Array {
  return Float32Array.from({ length: PIXELS }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += image[c * PIXELS + i]!;
    return sum / channels;
  });
}

function largest(logits: Float32Array, count: number): number[] {
  return Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]!)
    .slice(0, count)
    .sort((a, b) => a - b);
}
