import { StriateError } from "../util/errors.js";
import type { GraphNode } from "./tensor.js";

/** Runs `body`. If it throws, the error also names the node and what was done with it. */
export function attributed<T>(node: GraphNode, doing: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    throw new StriateError(`${error.message} (${doing} ${node.type} ${node.where})`, { cause: error });
  }
}
