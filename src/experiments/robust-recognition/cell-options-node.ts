import { join } from "node:path";
import type { ImageSource } from "../../data/images/image-source.js";
import type { CommonCellOptions } from "../cell-options-node.js";
import { cellFolder } from "../cells-node.js";
import type { NetworkCell } from "./config.js";

/** What every cell is given. */
export interface CellOptions extends CommonCellOptions {
  readonly train: ImageSource;
  readonly test: ImageSource;
}

export function weightsPath(cells: string, network: NetworkCell): string {
  return join(cellFolder(cells, network), "weights.safetensors");
}
