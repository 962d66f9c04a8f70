import type { Judgement, VerdictStatus } from "../../metrics/judgement.js";
import { errorOverImages, judgeDifferences } from "../../metrics/judgement.js";
import { average } from "../../metrics/statistics.js";
import { percent } from "../../report/html.js";
import type { SeedValue } from "../../report/over-seeds.js";
import { points, sizeText, withReason } from "../../report/verdict.js";
import type { DigitsReport, DigitsModelDescription, ModelRole } from "./results.js";
import { result } from "./results.js";

/** The set accuracies of one model minus those of another, on the same scenes and with the same seeds. */
export interface PairedAccuracies {
  /** The difference of each seed that both models have, as a fraction. */
  readonly pairs: readonly SeedValue[];
  /** Standard error of the mean difference over the test scenes. */
  readonly imageError: number;
}

/**
 * The verdict on the claim "`better` has a higher set accuracy than `worse`" under one condition. It compares
 * runs with the same seed.
 */
export interface Verdict extends Judgement, PairedAccuracies {
  readonly better: DigitsModelDescription;
  readonly worse: DigitsModelDescription;
  readonly condition: string;
  readonly sentence: string;
}

/** The orderings that the theory predicts: synchrony helps, and ideal synchrony is the upper bound. */
const CLAIMS: readonly (readonly [better: ModelRole, worse: ModelRole])[] = [
  ["kuramoto", "random"],
  ["kuramoto", "real"],
  ["kuramoto", "transformer"],
  ["ideal", "kuramoto"],
  ["feedback", "continued"],
  ["feedback", "kuramoto"],
];

/** Judges each predicted ordering under `condition` by {@link judgeDifferences}. */
export function judge(report: DigitsReport, condition: string): Verdict[] {
  const byRole = (role: ModelRole) => report.models.find((model) => model.role === role);
  return CLAIMS.flatMap(([one, other]) => {
    // If the network with feedback started from the trained feed-forward network, the fair comparison is with
    // a network that was trained for as long.
    if (one === "feedback" && other === "kuramoto" && byRole("continued")) return [];
    const [better, worse] = [byRole(one), byRole(other)];
    const verdict = better && worse ? compare(report, better, worse, condition) : undefined;
    return verdict ? [verdict] : [];
  });
}

/** The paired comparison of two models, or `undefined` if no seed has both. */
export function compare(
  report: DigitsReport,
  better: DigitsModelDescription,
  worse: DigitsModelDescription,
  condition: string,
): Verdict | undefined {
  const paired = pairedAccuracies(report, better.id, worse.id, [condition]);
  if (paired === undefined) return undefined;
  const judged = judgeDifferences(
    paired.pairs.map(({ value }) => value),
    paired.imageError,
  );
  const verdict = { better, worse, condition, ...paired, ...judged };
  return { ...verdict, sentence: sentence(verdict) };
}

/**
 * The differences of two models, scene by scene and averaged over conditions, or `undefined` if no seed has both.
 * All conditions show the same scenes.
 */
export function pairedAccuracies(
  { answers }: Pick<DigitsReport, "answers">,
  one: string,
  other: string,
  conditions: readonly string[],
): PairedAccuracies | undefined {
  const answersOf = (model: string, seed: number): number[][] =>
    answers
      .filter(
        (answer) => answer.model === model && answer.seed === seed && conditions.includes(answer.condition),
      )
      .map(({ right }) => Array.from(right, Number));
  const seeds = [...new Set(answers.map(({ seed }) => seed))];
  const perSeed = seeds.flatMap((seed) => {
    const [own, theirs] = [answersOf(one, seed), answersOf(other, seed)];
    if (own.length === 0 || theirs.length === 0) return [];
    const scenes = own[0]!.map((_, i) => average(own.map((condition, c) => condition[i]! - theirs[c]![i]!)));
    return [{ seed, scenes }];
  });
  if (perSeed.length === 0) return undefined;
  return {
    pairs: perSeed.map(({ seed, scenes }) => ({ seed, value: average(scenes) })),
    imageError: errorOverImages(perSeed.map(({ scenes }) => scenes)),
  };
}

function sentence(verdict: Omit<Verdict, "sentence">): string {
  const { better, worse, pairs } = verdict;
  const seeds = pairs.map(({ seed, value }) => `seed ${seed}: ${points(value)}`).join(", ");
  const words = `${better.label} minus ${worse.label}: ${sizeText(verdict)} of set accuracy (${seeds}).`;
  return withReason(words, verdict);
}

/** One sentence on the ordering under the first condition, made from the verdicts. */
export function digitsHeadline(report: DigitsReport): string {
  const condition = report.conditions[0]!;
  const ranked = report.models
    .flatMap((model) => {
      const summary = result(report, model.id, condition.id);
      return summary ? [{ label: model.label, mean: summary.mean }] : [];
    })
    .sort((a, b) => b.mean - a.mean);
  if (ranked.length === 0) return "No set accuracy was measured.";
  const order = ranked.map(({ label, mean }) => `${label} ${percent(mean)} %`).join(", ");
  const verdicts = judge(report, condition.id);
  const count = (status: VerdictStatus): number => verdicts.filter((one) => one.status === status).length;
  const [holds, reversed, all] = [count("holds"), count("reversed"), verdicts.length];
  const comment =
    all === 0
      ? "Not all models in the predicted ordering were run."
      : holds === all
        ? "The predicted ordering holds."
        : reversed > 0
          ? `The predicted ordering does not hold: ${reversed} of ${all} comparisons came out reversed.`
          : `${holds} of ${all} predicted comparisons hold; the rest cannot be decided from these runs.`;
  return `Set accuracy, ${condition.label.toLowerCase()} test images: ${order}. ${comment}`;
}

/** A warning if training was shorter than the reference runs needed before the ordering appeared. */
export function budgetRemark(report: DigitsReport): string | undefined {
  const { imagesSeen } = report.provenance;
  const onset = 25_000;
  if (imagesSeen >= onset) return undefined;
  return (
    `Each model saw ${imagesSeen.toLocaleString("en-GB")} training images. In runs of the authors’ code the ordering ` +
    `appeared only after about ${onset.toLocaleString("en-GB")} images; before that, KomplexNet trails even random phases. ` +
    "After so little training the numbers show that the code runs, not which model is better."
  );
}
