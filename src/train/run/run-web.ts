import { isOutOfMemory, ortError } from "../../runtime/ort-error.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import type { WebDevice } from "../../runtime/ort-web.js";
import type { WebRuntime } from "../../runtime/web.js";
import type { WorkerRuntimeOptions } from "../../runtime/worker-web.js";
import { createWorkerRuntime } from "../../runtime/worker-web.js";
import { StriateError, check } from "../../util/errors.js";
import type { Json } from "../../util/json.js";
import { firstDifference, isJsonObject, toJson } from "../../util/json.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-format.js";
import type { Checkpoint } from "./checkpoint-format.js";
import type { ModelDescription } from "../model-description.js";
import { openSiteRun } from "./run-folder-web.js";
import type { RunEnd, TrainSettings } from "./run.js";
import { configOf, runTraining, stepsOf } from "./run.js";
import type { Task, TrainingData } from "../task.js";

/** Options of `train` in a browser. */
export interface TrainOptions
  extends TrainSettings, WorkerRuntimeOptions, Pick<SessionOptions, "optimisation"> {
  /**
   * Folder for config, metrics and checkpoints among the files that the browser keeps for this site ("runs/digits").
   * Without one nothing is written.
   */
  readonly folder?: string;
  /** Whether to continue the run in the folder. Default false: a folder with a run is refused. */
  readonly resume?: boolean;
  /** A checkpoint to continue from, as bytes. Its seed, batch size and config must be the same; `steps` may differ. */
  readonly from?: Uint8Array;
  /**
   * An open runtime, which stays open. Default: a new one in its own worker, made with `device`, `wasmPaths`, `threads`
   * and `worker`.
   */
  readonly runtime?: WebRuntime;
}

/** The result of `train` in a browser. */
export interface TrainedRun extends Omit<RunEnd, "checkpoint" | "toOnnx"> {
  /** The device that the run used. */
  readonly device: WebDevice;
  /** A checkpoint file as bytes, to continue the run with `from`. */
  checkpoint(): Uint8Array<ArrayBuffer>;
  /**
   * The model as the bytes of an ONNX file. Its metadata describe how images are preprocessed, which inputs are noise, and what `about` adds;
   * `metadata` are further entries.
   */
  export(about?: ModelDescription, metadata?: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer>;
}

/**
 * Trains a task in a page: ONNX Runtime works in a Web Worker, so that the page stays responsive, and on WebGPU the
 * state stays on the device. The page traces the network, computes its gradients in slices, between which it can draw,
 * and prepares the batches. If that still blocks the page for too long, call `train` in a worker of your own. Same
 * seed, same machine, same weights, also if the tab is closed or killed and the run resumed.
 *
 * ```ts
 * const run = await train(task, data, { epochs: 2, batchSize: 32, seed: 1, folder: "digits", resume: true });
 * const file = new Blob([run.export()]);
 * ```
 *
 * @throws StriateError for a loss that is not finite (naming the step and the last good checkpoint), a run that is open in
 * another tab, a config that differs, a full storage, a device that is absent, files of ONNX Runtime that cannot be loaded.
 * @example
 * ```ts
 * import { KomplexNet, KomplexNetTask, MultiMnist, fetchMnist, sceneData, train } from "striate";
 *
 * const { train: digits } = await fetchMnist("/mnist/", { parts: ["train"] });
 * const scenes = sceneData(new MultiMnist(digits, { count: 2000, seed: 1 }));
 * const task = new KomplexNetTask(new KomplexNet({ timesteps: 5 }));
 * const run = await train(task, scenes, { epochs: 1, batchSize: 8, seed: 1, folder: "digits" });
 * const file = new Blob([run.export()]);
 * ```
 */
export async function train(task: Task, data: TrainingData, options: TrainOptions): Promise<TrainedRun> {
  const { folder, resume = false, optimisation } = options;
  const steps = stepsOf(data, options);
  const config = toJson(configOf(steps, options), "The run's config");
  const from = options.from && startIn(options.from, config);
  check(!from || folder === undefined, () => "training: expected a folder or `from`, got both");
  const onWarning =
    options.onWarning ??
    ((message: string): void => {
      console.warn(message);
    });
  const store = folder === undefined ? undefined : await openSiteRun(folder, { config, resume, onWarning });
  try {
    const own = options.runtime === undefined ? await createWorkerRuntime(options) : undefined;
    try {
      const runtime = options.runtime ?? own!;
      const { checkpoint, toOnnx, ...end } = await runTraining(task, data, steps, options, {
        ...(optimisation && { optimisation }),
        runtime,
        store,
        description: `${runtime.device} with ${options.threads ?? "the default number of"} threads`,
        ...(from && { from }),
      }).catch((error: unknown) => {
        throw isOutOfMemory(error) ? ortError("the network cannot be trained in this tab", error) : error;
      });
      return {
        ...end,
        device: runtime.device,
        checkpoint: () => encodeCheckpoint({ ...checkpoint, config }),
        export: (about, metadata) => toOnnx(about, metadata).bytes,
      };
    } finally {
      await own?.close();
    }
  } finally {
    await store?.close();
  }
}

/** Reads a checkpoint and checks that it belongs to this run. */
function startIn(bytes: Uint8Array, config: Json): Checkpoint {
  const checkpoint = decodeCheckpoint(bytes, "The checkpoint `from`");
  const difference = firstDifference(withoutSteps(checkpoint.config), withoutSteps(config));
  if (difference === undefined) return checkpoint;
  const { path, expected, found } = difference;
  throw new StriateError(
    `Cannot go on from the checkpoint: its run has ${path} = ${JSON.stringify(expected)}, this one ` +
      `${JSON.stringify(found)}. Use the same configuration.`,
  );
}

function withoutSteps(config: Json): Json {
  return isJsonObject(config) ? { ...config, steps: 0 } : config;
}
