import { StriateError } from "../util/errors.js";
import type { GraphNode } from "./tensor.js";

/**
 * Runs `body`. If it throws a StriateError, adds to the message what was being done (`doing`) and with which
 * node.
 */
export function attributed<T>(node: GraphNode, doing: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    throw new StriateError(`${error.message} (${doing} ${node.type} ${node.where})`, { cause: error });
  }
}
