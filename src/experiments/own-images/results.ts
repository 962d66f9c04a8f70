import type { VerdictStatus } from "../../metrics/judgement.js";
import { errorOverImages, judgeDifferences } from "../../metrics/judgement.js";
import { average } from "../../metrics/statistics.js";
import type { ResultCard } from "../../robustness/card.js";
import type { Outcome } from "../../robustness/outcomes.js";
import type { StoredOutcome } from "../measured-network.js";
import type { StudyCell } from "./plan.js";
import { PLAIN } from "./plan.js";
import type { ValidationScores } from "./train-network.js";

interface Timed {
  readonly seconds: number;
}

/** The result of a training cell. */
export interface StudyTrainResult extends Timed {
  readonly kind: "train";
  readonly validation: readonly ValidationScores[];
  readonly parameters: number;
  readonly trained: number;
  readonly imagesPerSecond: number;
  readonly choices: readonly string[];
  readonly skipped: number;
}

/** The result of a cell that adds feedback. */
export interface StudyFeedbackResult extends Timed {
  readonly kind: "feedback";
}

/** The result of a test cell. */
export interface StudyTestResult extends Timed {
  readonly kind: "test";
  readonly card: ResultCard;
  readonly outcomes: readonly StoredOutcome[];
}

export type StudyResult = StudyTrainResult | StudyFeedbackResult | StudyTestResult;

/** One measure of one variant. */
export interface StudyMeasure {
  readonly name: string;
  readonly kind: Outcome["kind"] | "ece";
  /** One value for each seed. */
  readonly values: readonly number[];
  /** The difference to the plain network; absent for the plain network itself. */
  readonly difference?: StudyDifference;
}

/** The difference of a variant to the plain network, on the same images and with the same seeds. */
export interface StudyDifference {
  readonly mean: number;
  /**
   * Half of the 95 % interval over seeds and images. NaN for a single seed and a measure that has no error over images.
   */
  readonly margin: number;
  /** Whether the interval leaves out 0; absent for measures that are not judged. */
  readonly status?: VerdictStatus;
}

/** Everything about one variant. */
export interface VariantReport {
  readonly variant: string;
  readonly measures: readonly StudyMeasure[];
  readonly training: readonly StudyTrainResult[];
  /** Cautions of the attacks. */
  readonly cautions: readonly string[];
}

/** Gathers the cells of a study by variant, with the differences to the plain network. */
export function gatherStudy(
  variants: readonly string[],
  seeds: readonly number[],
  results: ReadonlyMap<StudyCell, StudyResult>,
): VariantReport[] {
  const tests = new Map<string, StudyTestResult[]>();
  for (const variant of variants)
    tests.set(
      variant,
      seeds.map((seed) => {
        const found = [...results].find(
          ([cell]) => cell.kind === "test" && cell.variant === variant && cell.seed === seed,
        );
        return found![1] as StudyTestResult;
      }),
    );
  const plain = tests.get(PLAIN)!;
  return variants.map((variant) => {
    const own = tests.get(variant)!;
    const measures = own[0]!.outcomes.map(({ name, kind }): StudyMeasure => {
      const pairs = own.map((test, i) => [outcome(plain[i]!, name), outcome(test, name)] as const);
      const values = pairs.map(([, { right }]) => average(right));
      return { name, kind, values, ...(variant !== PLAIN && { difference: differenceOf(pairs) }) };
    });
    const ece = own.map(({ card }) => card.clean?.ece ?? NaN);
    return {
      variant,
      measures: [
        ...measures,
        {
          name: "calibration error",
          kind: "ece",
          values: ece,
          ...(variant !== PLAIN && {
            difference: unjudged(ece.map((value, i) => value - (plain[i]!.card.clean?.ece ?? NaN))),
          }),
        },
      ],
      training: [...results].flatMap(([cell, result]) =>
        cell.kind === "train" && result.kind === "train" && isTrainedAs(cell.variant, variant)
          ? [result]
          : [],
      ),
      cautions: [...new Set(own.flatMap(({ card }) => card.attacks.flatMap(({ warnings }) => warnings)))],
    };
  });
}

/** Whether a variant's network, without feedback, is the one that was trained. */
function isTrainedAs(trained: string, variant: string): boolean {
  const additions = variant.split("+").filter((one) => one !== "predify" && one !== PLAIN);
  return trained === (additions.length === 0 ? PLAIN : additions.join("+"));
}

function outcome({ outcomes }: StudyTestResult, name: string): StoredOutcome {
  return outcomes.find((one) => one.name === name)!;
}

/** The difference over seeds; all seeds are measured on the same images. */
function differenceOf(
  pairs: readonly (readonly [plain: StoredOutcome, own: StoredOutcome])[],
): StudyDifference {
  const perSeed = pairs.map(([plain, own]) => own.right.map((right, i) => right - plain.right[i]!));
  const isMany = perSeed[0]!.length > 1;
  return judgeDifferences(perSeed.map(average), isMany ? errorOverImages(perSeed) : 0);
}

/** A difference whose verdict is left out, because its error over images is not known. */
function unjudged(differences: readonly number[]): StudyDifference {
  const { mean, margin } = judgeDifferences(differences);
  return { mean, margin };
}
