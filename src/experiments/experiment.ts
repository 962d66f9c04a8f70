import type { Device } from "../runtime/runtime.js";
import type { Preprocessing } from "../data/images/preprocessing.js";
import type { ProgressEvent } from "../train/progress.js";

/** How much of the papers' recipe is run: a check that all works, minutes on a laptop, or the whole. */
export const SCALES = ["smoke", "laptop", "paper"] as const;
export type Scale = (typeof SCALES)[number];

export interface ScaleFacts {
  /** One line for the help: what is done and how long it takes. */
  readonly summary: string;
  /** How many seeds are run unless the user says otherwise. */
  readonly seeds: number;
}

/** What only some experiments can be told; see {@link Experiment.takes}. */
export interface SpecialOptions {
  /** Data sets to run on, names with commas between them. */
  readonly dataSet?: string;
  /** Folder or file of a published data set. */
  readonly data?: string;
  /** Networks to compare, names with commas between them. */
  readonly models?: string;
  /** Shifted copies of a picture along each axis, for finer feature maps. */
  readonly upTiling?: number;
}

export interface ExperimentOptions extends SpecialOptions {
  readonly scale: Scale;
  /** Folder for everything that the run leaves; made when it is not there. */
  readonly out: string;
  /** One repetition for each; at least one, all different. */
  readonly seeds: readonly number[];
  readonly device: Device;
  /** Threads inside one operator; undefined for all cores. */
  readonly threads: number | undefined;
  /** Go on with what `out` holds. Otherwise a folder that holds a run is refused. */
  readonly resume: boolean;
  /** Run only the cells whose names fit this pattern (`*` stands for anything), and what they need. */
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

/** A table as text, ready to print. */
export interface ResultTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sources and caveats, printed below. */
  readonly notes?: readonly string[];
}

export interface ExperimentResult {
  /** Stopped by the signal; what is missing can be resumed. */
  readonly interrupted: boolean;
  readonly tables: readonly ResultTable[];
  /** A summary that is printed as it is, above the tables. */
  readonly text?: string;
  /** What the run left, most interesting first: `{ what: "report", path: ".../report.html" }`. */
  readonly files: readonly { readonly what: string; readonly path: string }[];
}

/** One experiment of the papers: what `striate run NAME` does. */
export interface Experiment {
  /** Lower case, words joined by hyphens. */
  readonly name: string;
  readonly summary: string;
  readonly scales: Readonly<Record<Scale, ScaleFacts>>;
  /** Whether its cells can be run singly. */
  readonly choosesCells?: boolean;
  /** Whether a network may be given. */
  readonly takesModel?: boolean;
  /** Which special options it takes; others are refused. */
  readonly takes?: readonly (keyof SpecialOptions)[];
  run(options: ExperimentOptions): Promise<ExperimentResult>;
}
