import type { SessionOptions } from "../runtime/runtime.js";
import type { ProgressListener } from "../train/progress.js";

/** What every cell is given besides its configuration. */
export interface CommonCellOptions extends SessionOptions {
  /** Holds the folders of all cells. */
  readonly cells: string;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  readonly onProgress: (part: string, event: Parameters<ProgressListener>[0]) => void;
  readonly onWarning: (message: string) => void;
}
