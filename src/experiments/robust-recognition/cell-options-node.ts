import { join } from "node:path";
import type { ImageSource } from "../../data/image-source.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import type { ProgressListener } from "../../train/progress.js";
import { cellFolder } from "../cells-node.js";
import type { NetworkCell } from "./config.js";

/** What every cell is given. */
export interface CellOptions extends SessionOptions {
  /** Holds the folders of all cells. */
  readonly cells: string;
  readonly train: ImageSource;
  readonly test: ImageSource;
  readonly signal: AbortSignal;
  readonly onProgress: (part: string, event: Parameters<ProgressListener>[0]) => void;
  readonly onWarning: (message: string) => void;
}

/** Runtime options of a cell. */
export function sessionOf({ device, threads }: SessionOptions): SessionOptions {
  return { ...(device && { device }), ...(threads !== undefined && { threads }) };
}

export function weightsPath(cells: string, network: NetworkCell): string {
  return join(cellFolder(cells, network), "weights.safetensors");
}
