import { availableParallelism, cpus } from "node:os";
import { saveOnnx } from "../../graph/onnx/write/save-node.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { packageFacts } from "../../util/package-facts-node.js";
import { checkpointPath, readCheckpoint } from "./checkpoint-node.js";
import { readMetrics } from "./metrics-file-node.js";
import type { ModelDescription } from "../model-description.js";
import type { RunFolder } from "./run-folder-node.js";
import { openRunFolder } from "./run-folder-node.js";
import type { RunStore } from "./run-store.js";
import type { RunEnd, TrainSettings } from "./run.js";
import { configOf, runTraining, stepsOf } from "./run.js";
import type { Task, TrainingData } from "../task.js";
import { openTensorboardWriter } from "./tensorboard-node.js";

/** Options of `train` in Node. */
export interface TrainOptions extends TrainSettings, SessionOptions {
  /** Folder for config, metrics, checkpoints and the exported model. Without one nothing is written. */
  readonly folder?: string;
  /** Whether to continue the run in the folder. Default false: a folder with a run is refused. */
  readonly resume?: boolean;
}

/** The result of `train` in Node. */
export interface TrainedRun extends Omit<RunEnd, "checkpoint" | "toOnnx"> {
  /**
   * Writes the model as ONNX. The metadata of the file describe how images are preprocessed, which inputs are
   * noise, and what `about` adds; `metadata` gives further entries.
   */
  export(path: string, about?: ModelDescription, metadata?: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * Trains a task in a worker thread, so that this thread stays free. Same seed, same machine, same weights, also across
 * a stop, a kill and a resume.
 *
 * @throws StriateError for a loss that is not finite (naming the step and the last good checkpoint), a folder in use,
 * a config that differs, a device that is absent.
 * @example
 * ```ts
 * import { KomplexNet, KomplexNetTask, MultiMnist, sceneData } from "striate";
 * import { loadMnist, train } from "striate/node";
 *
 * const scenes = sceneData(new MultiMnist(await loadMnist("test"), { count: 16, seed: 1 }));
 * const task = new KomplexNetTask(new KomplexNet({ timesteps: 2, kuramotoMode: "channels" }));
 * const run = await train(task, scenes, { epochs: 1, batchSize: 8, seed: 1 });
 * console.log(run.values.size > 0); // true
 * ```
 */
export async function train(task: Task, data: TrainingData, options: TrainOptions): Promise<TrainedRun> {
  const steps = stepsOf(data, options);
  const folder =
    options.folder === undefined
      ? undefined
      : await openRunFolder(options.folder, {
          config: configOf(steps, options),
          resume: options.resume ?? false,
          ...(options.onWarning && { onWarning: options.onWarning }),
        });
  try {
    const {
      checkpoint: _checkpoint,
      toOnnx,
      ...end
    } = await runTraining(task, data, steps, options, {
      ...sessionOptionsOf(options),
      runtime: workerRuntime,
      store: folder && storeIn(folder),
      description: descriptionOf(options),
    });
    return {
      ...end,
      export: async (path, about, metadata) => {
        await saveOnnx(path, toOnnx(about, metadata));
      },
    };
  } finally {
    await folder?.close();
  }
}

/** "striate 0.1.0, cpu with 2 threads on AMD EPYC". */
function descriptionOf({ device = "cpu", threads }: SessionOptions): string {
  const count = threads ?? `the default number (for ${availableParallelism()} cores) of`;
  return `striate ${packageFacts().version}, ${device} with ${count} ${threads === 1 ? "thread" : "threads"} on ${cpus()[0]?.model ?? "an unknown processor"}`;
}

/** A run's folder, with its metrics in TensorBoard as well. */
function storeIn(folder: RunFolder): RunStore {
  const checkpointName = (step: number) => folder.file(checkpointPath("checkpoints", step));
  return {
    checkpoint: folder.checkpoint,
    openLog: async () => {
      const resumeStep = folder.checkpoint?.step;
      const board = await openTensorboardWriter(folder.path, resumeStep === undefined ? {} : { resumeStep });
      return {
        rows: await readMetrics(folder.file("metrics.jsonl")),
        append: ({ step, ...scalars }) => {
          folder.appendMetrics({ step, ...scalars });
          board.scalars(step, scalars);
        },
        close: () => {
          board.close();
        },
      };
    },
    saveCheckpoint: (checkpoint) => folder.saveCheckpoint(checkpoint),
    bestCheckpoint: () => folder.bestCheckpoint(),
    readCheckpoint: (step) => readCheckpoint(checkpointName(step)),
    checkpointName,
  };
}
