import { percent } from "../../report/html.js";
import type { Judgement, VerdictStatus } from "../../report/verdict.js";
import { accuracyDifferenceError, judgeDifferences, points } from "../../report/verdict.js";
import type { DigitsReport, DigitsModelDescription, ModelRole } from "./results.js";
import { result, SET_ACCURACY } from "./results.js";

/**
 * The verdict on the claim "`better` has a higher set accuracy than `worse`" under one condition. It compares
 * runs with the same seed.
 */
export interface Verdict extends Judgement {
  readonly better: DigitsModelDescription;
  readonly worse: DigitsModelDescription;
  readonly condition: string;
  /** The difference of each seed, as a fraction. */
  readonly pairs: readonly { readonly seed: number; readonly difference: number }[];
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
  const ours = result(report, better.id, condition, SET_ACCURACY);
  const theirs = result(report, worse.id, condition, SET_ACCURACY);
  if (!ours || !theirs) return undefined;
  const pairs = ours.values.flatMap(({ seed, value }) => {
    const partner = theirs.values.find((candidate) => candidate.seed === seed);
    return partner ? [{ seed, difference: value - partner.value }] : [];
  });
  if (pairs.length === 0) return undefined;
  // This error does not become smaller with more seeds, because seeds may share the test images. It treats
  // the two models as independent, which overstates it a little, so the verdict errs on the side of caution.
  const fromTestSet = accuracyDifferenceError(ours.mean, theirs.mean, report.provenance.testImages);
  const judged = judgeDifferences(
    pairs.map(({ difference }) => difference),
    fromTestSet,
  );
  const verdict = { better, worse, condition, pairs, ...judged };
  return { ...verdict, sentence: sentence(verdict) };
}

function sentence({ better, worse, status, mean, pairs, margin }: Omit<Verdict, "sentence">): string {
  const seeds = pairs.map(({ seed, difference }) => `seed ${seed}: ${points(difference)}`).join(", ");
  const reason =
    status !== "undecided"
      ? ""
      : pairs.length === 1
        ? " One seed cannot show how much seeds differ."
        : Math.abs(mean) <= margin
          ? " The difference is within its uncertainty."
          : " The seeds disagree in sign.";
  const size = `${points(mean)} points of set accuracy, uncertainty ±${percent(margin)}`;
  return `${better.label} minus ${worse.label}: ${size} (${seeds}).${reason}`;
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
