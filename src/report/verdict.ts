import { percent } from "./html.js";
import { result, SET_ACCURACY } from "./digits-data.js";
import type { ModelDescription, ModelRole, DigitsReport } from "./digits-data.js";

/** Whether measured differences bear a claim out. */
export type VerdictStatus = "holds" | "reversed" | "undecided";

/** "`better` has the higher set accuracy than `worse`" under one condition, paired over seeds. */
export interface Verdict {
  readonly better: ModelDescription;
  readonly worse: ModelDescription;
  readonly condition: string;
  readonly status: VerdictStatus;
  /** Mean difference (fraction) and the difference of each seed. */
  readonly mean: number;
  readonly pairs: readonly { readonly seed: number; readonly difference: number }[];
  /** Twice the larger of: standard error over seeds, standard error from the size of the test set. */
  readonly margin: number;
  readonly sentence: string;
}

/** The orderings that the theory predicts: synchrony helps, and ideal synchrony is its ceiling. */
const CLAIMS: readonly (readonly [better: ModelRole, worse: ModelRole])[] = [
  ["kuramoto", "random"],
  ["kuramoto", "real"],
  ["kuramoto", "transformer"],
  ["ideal", "kuramoto"],
  ["feedback", "continued"],
  ["feedback", "kuramoto"],
];

/**
 * Judges each predicted ordering under `condition`. A claim holds (or is reversed) only when at least two seeds
 * agree in sign and the mean difference exceeds {@link Verdict.margin}; everything else is undecided.
 */
export function judge(report: DigitsReport, condition: string): Verdict[] {
  const byRole = (role: ModelRole) => report.models.find((model) => model.role === role);
  return CLAIMS.flatMap(([one, other]) => {
    // Where feedback was trained on from the feed-forward network, only a network that was trained as long compares.
    if (one === "feedback" && other === "kuramoto" && byRole("continued")) return [];
    const [better, worse] = [byRole(one), byRole(other)];
    const verdict = better && worse ? compare(report, better, worse, condition) : undefined;
    return verdict ? [verdict] : [];
  });
}

/** The paired comparison of two models; `undefined` when no seed has both. */
export function compare(
  report: DigitsReport,
  better: ModelDescription,
  worse: ModelDescription,
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
  const n = pairs.length;
  const mean = pairs.reduce((sum, pair) => sum + pair.difference, 0) / n;
  const squares = pairs.reduce((sum, pair) => sum + (pair.difference - mean) ** 2, 0);
  const overSeeds = n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0;
  // All seeds may share the test images, so more seeds do not shrink this part; treating the two models as
  // independent overstates it a little, which is the safe side.
  const variance = (p: number): number => (p * (1 - p)) / Math.max(1, report.provenance.testImages);
  const fromTestSet = Math.sqrt(variance(ours.mean) + variance(theirs.mean));
  const margin = 2 * Math.max(overSeeds, fromTestSet);
  const sameSign = pairs.every((pair) => Math.sign(pair.difference) === Math.sign(mean));
  const decided = n > 1 && sameSign && Math.abs(mean) > margin;
  const status = !decided ? "undecided" : mean > 0 ? "holds" : "reversed";
  const verdict = { better, worse, condition, status, mean, pairs, margin } as const;
  return { ...verdict, sentence: sentence(verdict) };
}

/** Difference in percentage points with its sign: `+4.2`, `−0.8`. */
export function points(difference: number): string {
  const text = percent(Math.abs(difference));
  return text === "0.0" ? "0.0" : `${difference < 0 ? "−" : "+"}${text}`;
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

/** One plain sentence on the ordering under the first condition, computed from the verdicts. */
export function headline(report: DigitsReport): string {
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
      ? "The models that the theory orders were not all run."
      : holds === all
        ? "The predicted ordering holds."
        : reversed > 0
          ? `The predicted ordering does not hold: ${reversed} of ${all} comparisons came out reversed.`
          : `${holds} of ${all} predicted comparisons hold; the rest cannot be decided from these runs.`;
  return `Set accuracy, ${condition.label.toLowerCase()} test images: ${order}. ${comment}`;
}

/** A warning when training was shorter than what the reference runs needed for the ordering to appear. */
export function budgetRemark(report: DigitsReport): string | undefined {
  const { imagesSeen } = report.provenance;
  const onset = 25_000;
  if (imagesSeen >= onset) return undefined;
  return (
    `Each model saw ${imagesSeen.toLocaleString("en-GB")} training images. In runs of the authors’ code the ordering ` +
    `appeared only after about ${onset.toLocaleString("en-GB")}; before that, KomplexNet trails even random phases. ` +
    "Numbers from this budget say that the machinery works, not which model is better."
  );
}
