import type { Preprocessing } from "../data/images/preprocessing.js";
import type { Device } from "../runtime/runtime.js";
import type { ProgressEvent } from "../train/progress.js";

/** How much of the papers' recipe is run: a check that all works, minutes on a laptop, or the whole. */
export const SCALES = ["smoke", "laptop", "paper"] as const;

export type Scale = (typeof SCALES)[number];

/** Options that only some experiments take; see {@link Experiment.takes}. */
export interface SpecialOptions {
  /** Data sets to run on, names with commas between them. */
  readonly dataSet?: string;
  /** Folder or file of a published data set. */
  readonly data?: string;
  /** Networks to compare, names with commas between them. */
  readonly models?: string;
  /** Shifted copies of a image along each axis, for finer feature maps. */
  readonly upTiling?: number;
}

export const SPECIAL_OPTIONS: readonly (keyof SpecialOptions)[] = ["dataSet", "data", "models", "upTiling"];

export interface ExperimentOptions extends SpecialOptions {
  readonly scale: Scale;
  /** Folder for all files of the run; made if it does not exist. */
  readonly out: string;
  /** One repetition for each; at least one, all different. */
  readonly seeds: readonly number[];
  readonly device: Device;
  /** Threads inside one operator; undefined for all cores. */
  readonly threads: number | undefined;
  /** Resume the run in `out`. Otherwise a folder that holds a run is refused. */
  readonly resume: boolean;
  /** Run only the cells whose names match this pattern (`*` matches anything), and the cells that they start from. */
  readonly cells?: string;
  /** A network to use instead of one that the experiment trains, and how pixels reach it if that was stated. */
  readonly model?: {
    readonly path: string;
    readonly preprocessing?: Preprocessing;
    /** The options that stated it, for the command that a report shows. */
    readonly flags?: string;
  };
  /** Aborted when the user wants to stop: save a checkpoint and return with `interrupted`. */
  readonly signal: AbortSignal;
  readonly onProgress: (task: string, event: ProgressEvent) => void;
  /** Told lines that the user should read: a warning, a finished part. */
  readonly onNote: (line: string) => void;
}
