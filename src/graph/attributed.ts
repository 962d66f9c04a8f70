import { StriateError } from "../util/errors.js";
import type { GraphNode } from "./tensor.js";

/** Runs `body`; an error in it says what was done with which node. */
export function attributed<T>(node: GraphNode, doing: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    throw new StriateError(`${error.message} (${doing} ${node.type} ${node.where})`, { cause: error });
  }
}
