import { join } from "node:path";
import type { State } from "../../nn/module.js";
import type { PhasePicture } from "../../report/overlapping-digits-data.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { Evaluator } from "../../train/evaluator.js";
import type { TrainingData } from "../../train/task.js";
import { readSafetensors, writeSafetensors } from "../../util/safetensors-node.js";
import type { CellConfig, ModelName } from "./config.js";
import { taskOf } from "./models.js";
import { PIXELS } from "./scenes.js";

/** Scenes whose phases are kept. */
export const PICTURES = 4;
const CLASSES = 10;
const FILE = "pictures.safetensors";

/** Runs the network on the first scenes and keeps its answers and, where it has them, phases and amplitudes. */
export async function savePictures(
  config: CellConfig,
  values: State,
  data: TrainingData,
  folder: string,
  session: SessionOptions,
): Promise<void> {
  const task = taskOf(config, { phases: true });
  const evaluator = await Evaluator.open(task, PICTURES, values, workerRuntime, session);
  try {
    const indices = Array.from({ length: PICTURES }, (_, i) => i);
    const outputs = await evaluator.run(values, data, indices, [config.seed, "pictures"]);
    const tensors = Object.entries(outputs).map(
      ([name, { shape, data: values }]) =>
        [name, { dtype: "F32", shape, data: values as Float32Array<ArrayBuffer> }] as const,
    );
    await writeSafetensors(join(folder, FILE), new Map(tensors));
  } finally {
    await evaluator.close();
  }
}

/** What several networks make of the same scenes. `folders` holds the cell of each network that is shown. */
export async function readPictures(
  folders: ReadonlyMap<ModelName, string>,
  data: TrainingData,
): Promise<PhasePicture[]> {
  const indices = Array.from({ length: PICTURES }, (_, i) => i);
  const images = new Float32Array(PICTURES * PIXELS);
  const targets = new Float32Array(PICTURES * CLASSES);
  const masks = new Float32Array(PICTURES * 3 * PIXELS);
  data.fill(indices, { images, targets, masks });
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
      };
    }),
  );
  return indices.map((n) => ({
    height: 32,
    width: 32,
    image: images.slice(n * PIXELS, (n + 1) * PIXELS),
    labels: labelsOf(targets.subarray(n * CLASSES, (n + 1) * CLASSES)),
    masks: [1, 2].map((object) => masks.slice((3 * n + object) * PIXELS, (3 * n + object + 1) * PIXELS)),
    predictions: answers.map(({ model, timesteps, logits }) => {
      const at = ((timesteps - 1) * PICTURES + n) * CLASSES;
      return { model, labels: largest(logits.subarray(at, at + CLASSES)) };
    }),
    phases: answers.flatMap(({ model, timesteps, phases, amplitude }) => {
      if (phases === undefined || amplitude === undefined) return [];
      const size = amplitude.length / PICTURES;
      return [
        {
          model,
          channels: size / PIXELS,
          timesteps: Array.from({ length: timesteps }, (_, t) =>
            phases.slice((t * PICTURES + n) * size, (t * PICTURES + n + 1) * size),
          ),
          amplitudes: amplitude.slice(n * size, (n + 1) * size),
        },
      ];
    }),
  }));
}

function labelsOf(target: Float32Array): number[] {
  return Array.from(target.keys()).filter((digit) => target[digit] === 1);
}

function largest(logits: Float32Array): number[] {
  return Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]!)
    .slice(0, 2)
    .sort((a, b) => a - b);
}
