import type { ProgressEvent } from "../train/progress.js";
import type { SweepRun } from "./plan.js";

/* The messages between a worker and the process that computes its cells. */

export type ToCellProcess =
  | {
      readonly type: "run";
      readonly run: SweepRun;
      readonly key: string;
      /** The folder that has the folder `cells`. */
      readonly out: string;
    }
  | { readonly type: "stop" };

export type FromCellProcess =
  | { readonly type: "progress"; readonly part: string; readonly event: ProgressEvent }
  | { readonly type: "note"; readonly line: string }
  | { readonly type: "end"; readonly end: CellEnd };

/** How the run of a cell has ended. */
export type CellEnd =
  | { readonly kind: "finished"; readonly description: string }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string }
  /** This machine cannot compute the cell, but another may: data are not here, or a disk is full. */
  | { readonly kind: "unable"; readonly message: string };
