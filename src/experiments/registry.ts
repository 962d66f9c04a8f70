import { StriateError } from "../util/errors.js";
import { unknownName } from "../util/suggest.js";
import type { Experiment } from "./experiment.js";
import { objectDiscovery } from "./object-discovery/experiment-node.js";
import { overlappingDigits } from "./overlapping-digits/experiment-node.js";
import { predictiveCoding } from "./predictive-coding/experiment-node.js";
import { robustRecognition } from "./robust-recognition/experiment-node.js";
import { sudokuExperiment } from "./sudoku/experiment-node.js";
import { synchronyExperiment } from "./synchrony/experiment-node.js";
import { v1Sampling } from "./v1-sampling/experiment-node.js";

export * from "./experiment.js";

/** All experiments, in the order in which they are listed. */
export const experiments: readonly Experiment[] = [
  overlappingDigits,
  synchronyExperiment,
  predictiveCoding,
  objectDiscovery,
  sudokuExperiment,
  robustRecognition,
  v1Sampling,
];

/** @throws StriateError naming the known ones, and the one that was probably meant. */
export function findExperiment(name: string, among: readonly Experiment[] = experiments): Experiment {
  const found = among.find((experiment) => experiment.name === name);
  if (found !== undefined) return found;
  throw new StriateError(
    unknownName(
      "experiment",
      name,
      among.map((experiment) => experiment.name),
    ),
  );
}
