import { average } from "../../metrics/statistics.js";
import { percent } from "../../report/html.js";
import type { MeasuredClaim } from "../claims.js";
import type { DigitsReport } from "./results.js";
import { pairedAccuracies } from "./verdict.js";

/** What stands in place of the paper's figure for a claim of KomplexNet's paper. */
export const NO_TABLES = "not stated here: the paper’s tables were not available to us";

/** The conditions of a claim about clean images, and of one about noise, with what is measured. */
export const CLEAN_IMAGES = { conditions: ["clean"], measure: "set accuracy on clean images" } as const;
export const NOISY_IMAGES = {
  conditions: ["noise", "saltAndPepper"],
  measure: "set accuracy, mean over Gaussian noise and salt and pepper",
} as const;

/** A claim that one network recognises more images than another, or undefined if no seed has both. */
export function digitsClaim(
  report: DigitsReport,
  {
    id,
    one,
    other,
    conditions,
    measure,
  }: {
    readonly id: string;
    readonly one: string;
    readonly other: string;
    /** Conditions over which the difference is averaged. */
    readonly conditions: readonly string[];
    readonly measure: string;
  },
): MeasuredClaim | undefined {
  const paired = pairedAccuracies(report, one, other, conditions);
  if (paired === undefined) return undefined;
  const seeds = paired.pairs.map(({ seed }) => seed);
  const valueOf = (model: string): string => {
    const own = report.answers.filter(
      (answer) =>
        answer.model === model && conditions.includes(answer.condition) && seeds.includes(answer.seed),
    );
    return `${percent(average(own.map(({ right }) => average(Array.from(right, Number)))))} %`;
  };
  const labelOf = (model: string): string => report.models.find(({ id: name }) => name === model)!.label;
  return {
    id,
    measure,
    unit: "points",
    compared: [one, other].map((model) => ({ label: labelOf(model), value: valueOf(model) })),
    differences: paired.pairs,
    imageError: paired.imageError,
  };
}
