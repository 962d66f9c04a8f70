import type { Reliability } from "../metrics/calibration.js";
import type { AttackScores, ConditionScores, Scores } from "../robustness/card.js";
import { check } from "../util/errors.js";

/** Everything that the report on robust recognition shows, as plain data. */
export interface RecognitionReport {
  readonly title: string;
  readonly subtitle: string;
  /** `smoke`, `laptop`, `paper`. */
  readonly scale: string;
  readonly networks: readonly RecognitionNetworkText[];
  readonly clean: readonly (RunOf & { readonly scores: Scores; readonly reliability: Reliability })[];
  readonly corrupted: readonly (RunOf & {
    readonly conditions: readonly ConditionScores[];
    readonly meanError: number;
  })[];
  readonly attacks: readonly (RunOf & {
    readonly attack: string;
    readonly eot: number;
    readonly scores: readonly AttackScores[];
  })[];
  readonly examples: readonly { readonly title: string; readonly examples: readonly AdversarialExample[] }[];
  readonly learning: readonly (RunOf & {
    readonly points: readonly { readonly images: number; readonly loss: number; readonly accuracy: number }[];
  })[];
  readonly provenance: {
    readonly seeds: readonly number[];
    readonly machine: string;
    readonly versions: Readonly<Record<string, string>>;
    /** ISO 8601. */
    readonly date: string;
    readonly wallTimeSeconds: number;
    readonly command: string;
    readonly more: Readonly<Record<string, string>>;
  };
}

export interface RecognitionNetworkText {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly parameters: number;
  /** Place in the list of chart styles. */
  readonly style: number;
}

/** A network with its seed. */
export interface RunOf {
  readonly network: string;
  readonly seed: number;
}

/** A picture that was changed so that a network errs; `data:` addresses. */
export interface AdversarialExample {
  readonly label: string;
  readonly predicted: string;
  readonly clean: string;
  readonly adversarial: string;
  /** Grey is no change; scaled to the largest one. */
  readonly difference: string;
}

/** Throws {@link StriateError} where results name a network that the report does not list. */
export function checkRecognitionReport(report: RecognitionReport): void {
  const known = report.networks.map(({ id }) => id);
  for (const { network } of [...report.clean, ...report.corrupted, ...report.attacks, ...report.learning])
    check(known.includes(network), () => `report: expected one of ${known.join(", ")}; got "${network}"`);
}

/** Reliability diagrams of several seeds as one: bins summed. */
export function pooledBins(
  diagrams: readonly Reliability[],
): { readonly confidence: number; readonly accuracy: number; readonly count: number }[] {
  const [first] = diagrams;
  if (!first) return [];
  return first.bins.flatMap((_, i) => {
    const own = diagrams.map(({ bins }) => bins[i]!).filter(({ count }) => count > 0);
    const count = own.reduce((sum, bin) => sum + bin.count, 0);
    if (count === 0) return [];
    const mean = (value: (bin: (typeof own)[number]) => number) =>
      own.reduce((sum, bin) => sum + bin.count * value(bin), 0) / count;
    return [{ confidence: mean((bin) => bin.confidence), accuracy: mean((bin) => bin.accuracy), count }];
  });
}
