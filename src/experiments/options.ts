import type { Preprocessing } from "../data/images/preprocessing.js";
import type { Device } from "../runtime/runtime.js";
import type { ProgressEvent } from "../train/progress.js";

/**
 * How much of a paper's recipe an experiment runs. "smoke" only checks that everything works, "laptop" takes
 * some minutes on a laptop, and "paper" is the whole recipe.
 */
export const SCALES = ["smoke", "laptop", "paper"] as const;

export type Scale = (typeof SCALES)[number];

/** Options that only some experiments take. {@link Experiment.takes} lists those that an experiment takes. */
export interface SpecialOptions {
  /** Names of the data sets to run on, separated by commas. */
  readonly dataSet?: string;
  /** Folder or file of a published data set. */
  readonly data?: string;
  /** Names of the networks to compare, separated by commas. */
  readonly models?: string;
  /** Number of shifted copies of an image along each axis; more copies give finer feature maps. */
  readonly upTiling?: number;
}

export const SPECIAL_OPTIONS: readonly (keyof SpecialOptions)[] = ["dataSet", "data", "models", "upTiling"];

export interface ExperimentOptions extends SpecialOptions {
  readonly scale: Scale;
  /** Folder for all files of the run, created if it does not exist. */
  readonly out: string;
  /** Random seeds, one for each repetition: at least one, all different. */
  readonly seeds: readonly number[];
  readonly device: Device;
  /** Threads inside one operator; undefined for all cores. */
  readonly threads: number | undefined;
  /** Whether to resume the run in `out`. If not, a folder that holds a run is refused. */
  readonly resume: boolean;
  /**
   * Pattern of the names of the cells to run (`*` matches anything). The cells from which these start are
   * run, too.
   */
  readonly cells?: string;
  /** A network to use instead of training one, with its preprocessing if the user gave it. */
  readonly model?: {
    readonly path: string;
    readonly preprocessing?: Preprocessing;
    /** The command-line options that gave the preprocessing. A report shows them in its command. */
    readonly flags?: string;
  };
  /** Where and how long the cells in `out` were computed, if that was elsewhere; a report shows it. */
  readonly computed?: { readonly machine: string; readonly seconds: number };
  /** Is aborted when the user wants to stop: the run then saves a checkpoint and returns with `interrupted`. */
  readonly signal: AbortSignal;
  readonly onProgress: (task: string, event: ProgressEvent) => void;
  /** Is called with lines that the user should read, such as a warning or a finished part. */
  readonly onNote: (line: string) => void;
}
