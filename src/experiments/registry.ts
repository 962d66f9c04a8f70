import { StriateError } from "../util/errors.js";
import { unknownName } from "../util/suggest.js";
import type { Experiment } from "./experiment.js";
import { objectDiscovery } from "./object-discovery/experiment.js";
import { overlappingDigits } from "./overlapping-digits/experiment.js";
import { predictiveCoding } from "./predictive-coding/experiment.js";
import { robustRecognition } from "./robust-recognition/experiment.js";
import { sudokuExperiment } from "./sudoku/experiment.js";
import { synchronyExperiment } from "./synchrony/experiment.js";
import { v1Sampling } from "./v1-sampling/experiment.js";

export * from "./options.js";
export * from "./experiment.js";

/** All experiments, in the order in which `striate` lists them. */
export const experiments: readonly Experiment[] = [
  overlappingDigits,
  synchronyExperiment,
  predictiveCoding,
  objectDiscovery,
  sudokuExperiment,
  robustRecognition,
  v1Sampling,
];

/** @throws StriateError if no experiment has this name; the error names the known ones and suggests the closest */
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
