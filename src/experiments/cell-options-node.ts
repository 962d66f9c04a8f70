import type { SessionOptions } from "../runtime/runtime.js";
import { sessionOptionsOf } from "../runtime/runtime.js";
import type { ProgressEvent } from "../train/progress.js";
import type { TrainOptions } from "../train/run-node.js";
import { cellFolder } from "./cells-node.js";

/** What every cell is given besides its configuration. */
export interface CommonCellOptions extends SessionOptions {
  /** Holds the folders of all cells. */
  readonly cells: string;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  readonly onProgress: (part: string, event: ProgressEvent) => void;
  readonly onWarning: (message: string) => void;
}

/** How a cell trains: in its own folder, going on from what that holds, with a checkpoint every 200 steps. */
export function cellTraining(
  config: Required<Pick<TrainOptions, "seed" | "steps" | "batchSize">>,
  options: CommonCellOptions,
) {
  const { seed, steps, batchSize } = config;
  const { cells, signal, onProgress, onWarning } = options;
  return {
    ...sessionOptionsOf(options),
    folder: cellFolder(cells, config),
    resume: true,
    config: { ...config },
    steps,
    batchSize,
    seed,
    checkpointEvery: 200,
    signal,
    onWarning,
    onProgress: (event) => {
      onProgress("training", event);
    },
  } satisfies TrainOptions;
}
