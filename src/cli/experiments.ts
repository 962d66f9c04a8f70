import type { Experiment } from "../experiments/experiment.js";
import { SCALES } from "../experiments/options.js";
import { experiments } from "../experiments/registry.js";
import { flagOf } from "../util/command-words.js";

/** The options of an experiment that not every experiment has. */
export function ownOptions({ choosesCells, takesModel, takes = [] }: Experiment): readonly string[] {
  return [
    ...(choosesCells === true ? ["cells"] : []),
    ...takes,
    ...(takesModel === true ? ["model", "preprocessing"] : []),
  ];
}

/** The experiments, their scales and their own options, as text for the help of `striate run`. */
export function describeExperiments(): string {
  const described = experiments.map((experiment) => {
    const own = ownOptions(experiment).map(flagOf);
    return [
      `  ${experiment.name}`,
      `      ${experiment.summary}`,
      ...SCALES.map((scale) => {
        const { summary, seeds } = experiment.scales[scale];
        return `      ${scale.padEnd(7)} ${summary} ${seeds === 1 ? "One seed." : `${seeds} seeds.`}`;
      }),
      ...(own.length === 0 ? [] : [`      also takes ${own.join(", ")}`]),
    ].join("\n");
  });
  return `Experiments:\n${described.join("\n")}`;
}
