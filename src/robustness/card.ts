import type { KnownPreprocessing, Preprocessing } from "../data/images/preprocessing.js";
import { ALEXNET, mce, meanCorruptionError, relativeMce } from "../metrics/corruption-error.js";
import type { Reliability } from "../metrics/calibration.js";
import { adaptiveEce, reliability } from "../metrics/calibration.js";
import { wilsonInterval } from "../metrics/statistics.js";
import type { NoiseKind } from "../train/task.js";
import { BENCHMARK_CORRUPTIONS, SEVERITIES } from "./corruptions/kinds.js";
import type { CorruptionName } from "./corruptions/kinds.js";
import type { AttackPlan } from "./attacks/ensemble.js";
import { gradientWarnings, planWarnings } from "./attacks/ensemble.js";
import type { Answer, AttackRecord, CorruptionCondition, ImageRecord, RunRecord } from "./records.js";

/** A share of images, with its 95 % Wilson confidence interval and the number of images. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Number of images. */
  readonly n: number;
}

/**
 * Scores of the network on images under one condition. They are computed from probabilities averaged over the
 * forward passes.
 */
export interface Scores {
  readonly accuracy: Share;
  readonly top5: Share;
  /**
   * Accuracy of single forward passes, if there are several: its mean and standard deviation over the passes.
   */
  readonly singlePass?: { readonly accuracy: number; readonly spread: number };
  readonly ece: number;
  readonly adaptiveEce: number;
  /** Negative log-likelihood in nats. */
  readonly nll: number;
  /** Brier score summed over classes, 0 to 2. */
  readonly brier: number;
}

export interface ConditionScores extends CorruptionCondition, Scores {}

export interface AttackScores {
  readonly plan: string;
  readonly norm: "Linf" | "L2";
  readonly epsilon: number;
  readonly clean: Share;
  readonly robust: Share;
  /** Robust accuracy after each attack of the plan. */
  readonly stages: readonly { readonly name: string; readonly robust: number }[];
  readonly settings: readonly {
    readonly name: string;
    readonly settings: AttackPlan["attacks"][number]["settings"];
  }[];
  readonly warnings: readonly string[];
  readonly complete: boolean;
}

/** How the numbers were measured. Scores are never shown without this information. */
export interface Protocol {
  readonly model: {
    readonly name: string;
    readonly sha256: string;
    readonly classes: number;
    readonly imageShape: readonly number[];
    readonly answers: string;
    /** Name of the output with the scores, if the user gave one. */
    readonly output?: string;
    readonly preprocessing: Preprocessing;
    /** Where the preprocessing comes from: the user, or the file's metadata. */
    readonly preprocessingFrom: KnownPreprocessing["from"];
    /** The measured timesteps, if there are several. */
    readonly timesteps?: readonly number[];
    /** The kinds of noise and the constant values that the user gave for the other inputs. */
    readonly noise?: Readonly<Record<string, NoiseKind>>;
    readonly inputs?: Readonly<Record<string, readonly number[]>>;
    /** Whether the noise was the same for every image and forward pass. */
    readonly fixedNoise?: boolean;
  };
  readonly data: {
    readonly name: string;
    /** Number of images in the data set. */
    readonly count: number;
    /** Number of images to measure. */
    readonly images: number;
    readonly attacked: number;
    readonly choice: string;
    /** Where the labels come from. */
    readonly labels: string;
    /** SHA-256 of the measured data: class names, and the name, label and content of every chosen image. */
    readonly sha256?: string;
  };
  readonly seed: number;
  readonly passes: number;
  readonly batch: number;
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly number[];
  /** Side of the images for which the constants of the corruptions were published, in pixels. */
  readonly constants: number;
  /** Quality of the JPEG compression after each corruption, or false if there is none. */
  readonly reencode: number | false;
  readonly frost: string;
  readonly bins: number;
  readonly device: string;
  readonly version: string;
}

/** The scores of a network in a run. */
export interface Findings {
  readonly clean?: Scores;
  readonly reliability?: Reliability;
  readonly corruptions: readonly ConditionScores[];
  readonly summary: CorruptionSummary | undefined;
  readonly attacks: readonly AttackScores[];
}

/** The scores at one timestep. */
export interface TimestepFindings extends Findings {
  readonly timestep: number;
}

/** All results of a run. The scores are those of the last timestep, if there are several. */
export interface ResultCard extends Findings {
  readonly kind: "striate robustness";
  readonly protocol: Protocol;
  readonly measured: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** The scores at every measured timestep, if there are several. */
  readonly overTime?: readonly TimestepFindings[];
  /** Names of the classes, in the order of the labels. */
  readonly classes?: readonly string[];
  /** The measured corruptions by kind. */
  readonly groups: readonly { readonly name: string; readonly members: readonly CorruptionName[] }[];
  readonly warnings: readonly string[];
  /** False if the run was stopped early. */
  readonly complete: boolean;
  /** Duration of the last call in seconds. If the run was continued, it took longer in total. */
  readonly seconds: number;
}

export interface CorruptionSummary {
  /** Mean error over all measured corruptions and severities. */
  readonly meanError: number;
  /** Mean error over the 15 corruptions of the benchmark, if all were measured. */
  readonly meanErrorBenchmark?: number;
  /**
   * Mean corruption error, normalised by AlexNet's errors. Present only for images of 224 pixels and if all
   * 15 corruptions were measured at all severities.
   */
  readonly mceAlexNet?: number;
  readonly relativeMceAlexNet?: number;
  /** Why the mean corruption error is missing, or how far it can be compared. */
  readonly remark?: string;
  readonly meanEce: number;
  readonly groups: readonly { readonly name: string; readonly accuracy: number }[];
}

export function share(right: number, n: number): Share {
  return { value: right / n, ...wilsonInterval(Math.round(right), n), n };
}

/** Computes the scores from the predictions, one for each image. */
export function scoresOf(answers: readonly Answer[], passes: number, bins: number): Scores {
  const n = answers.length;
  const average = (value: (answer: Answer) => number) =>
    answers.reduce((total, answer) => total + value(answer), 0) / n;
  const confidences = answers.map(({ confidence }) => confidence);
  const right = answers.map(({ rank }) => rank === 0);
  return {
    accuracy: share(right.filter(Boolean).length, n),
    top5: share(answers.filter(({ rank }) => rank < 5).length, n),
    ...(passes > 1 && { singlePass: singlePass(answers, passes) }),
    ece: reliability(confidences, right, bins).ece,
    adaptiveEce: adaptiveEce(confidences, right, bins),
    nll: average(({ nll }) => nll),
    brier: average(({ brier }) => brier),
  };
}

function singlePass(answers: readonly Answer[], passes: number): Scores["singlePass"] & object {
  const each = Array.from(
    { length: passes },
    (_, pass) => answers.filter((answer) => answer.passes[pass] === "1").length / answers.length,
  );
  const accuracy = each.reduce((a, b) => a + b, 0) / passes;
  const squares = each.reduce((total, value) => total + (value - accuracy) ** 2, 0);
  return { accuracy, spread: Math.sqrt(squares / (passes - 1)) };
}

export interface CardInput {
  readonly protocol: Protocol;
  readonly conditions: readonly CorruptionCondition[];
  readonly plans: readonly AttackPlan[];
  readonly epsilons: readonly number[];
  readonly records: readonly RunRecord[];
  readonly groupOf: (name: CorruptionName) => string;
  readonly classes?: readonly string[];
  /** Cautions for the card that cannot be derived from the records. */
  readonly warnings?: readonly string[];
  readonly seconds: number;
}

/** Summarises the records of a run. */
export function resultCard(input: CardInput): ResultCard {
  const { protocol, records, seconds } = input;
  const { timesteps = [] } = protocol.model;
  const skipped = records.flatMap((record) =>
    record.kind === "skipped" ? [{ name: record.name, reason: record.reason }] : [],
  );
  const overTime = timesteps.map((timestep) => ({ timestep, ...findingsOf(input, timestep) }));
  const last = timesteps.at(-1);
  const findings = findingsOf(input, last);
  const images = imagesAt(records, last);
  const isComplete = ({ attacks }: Findings, measured: number) =>
    measured + skipped.length >= protocol.data.images &&
    attacks.length === input.plans.length * input.epsilons.length &&
    attacks.every((attack) => attack.complete);
  return {
    kind: "striate robustness",
    protocol,
    measured: images.length,
    skipped,
    ...findings,
    ...(overTime.length > 1 && { overTime }),
    ...(input.classes && { classes: input.classes }),
    groups: groupsOf(protocol.corruptions, input.groupOf),
    warnings: [
      ...(input.warnings ?? []),
      ...decisionWarnings(images, attacksAt(records, last), protocol.passes),
    ],
    complete:
      isComplete(findings, images.length) &&
      overTime.every((found) => isComplete(found, imagesAt(records, found.timestep).length)),
    seconds,
  };
}

function imagesAt(records: readonly RunRecord[], timestep: number | undefined): ImageRecord[] {
  return records.filter(
    (record): record is ImageRecord => record.kind === "image" && record.timestep === timestep,
  );
}

function attacksAt(records: readonly RunRecord[], timestep: number | undefined): AttackRecord[] {
  return records.filter(
    (record): record is AttackRecord => record.kind === "attack" && record.timestep === timestep,
  );
}

function findingsOf(input: CardInput, timestep: number | undefined): Findings {
  const { protocol, conditions, records } = input;
  const { passes, bins } = protocol;
  const images = imagesAt(records, timestep);
  const attacked = attacksAt(records, timestep);
  const attacks = input.plans.flatMap((plan) =>
    input.epsilons.flatMap((epsilon) => {
      const own = attacked.filter((record) => record.plan === plan.name && record.epsilon === epsilon);
      return own.length === 0
        ? []
        : [attackScores(plan, epsilon, own, protocol.data.attacked - skippedOf(records))];
    }),
  );
  if (images.length === 0) return { corruptions: [], summary: undefined, attacks };
  const answersTo = (version: number) => images.map(({ answers }) => answers[version]!);
  const corruptions = conditions.map((condition, i): ConditionScores => ({
    ...condition,
    ...scoresOf(answersTo(i + 1), passes, bins),
  }));
  const cleanAnswers = answersTo(0);
  const clean = scoresOf(cleanAnswers, passes, bins);
  return {
    clean,
    reliability: reliability(
      cleanAnswers.map(({ confidence }) => confidence),
      cleanAnswers.map(({ rank }) => rank === 0),
      bins,
    ),
    corruptions,
    summary: corruptions.length > 0 ? summaryOf(protocol, clean, corruptions, input.groupOf) : undefined,
    attacks,
  };
}

/** A caution if some images are classified differently before the attacks than when accuracy was measured. */
function decisionWarnings(
  images: readonly ImageRecord[],
  attacked: readonly AttackRecord[],
  passes: number,
): readonly string[] {
  if (passes > 1) return [];
  const right = new Map(images.map(({ image, answers }) => [image, answers[0]!.rank === 0 ? 1 : 0]));
  const decisions = new Map(
    attacked.flatMap((record) => record.images.map((image, i) => [image, record.clean[i]!] as const)),
  );
  const shared = [...decisions].filter(([image]) => right.has(image));
  const differing = shared.filter(([image, clean]) => right.get(image) !== clean).length;
  if (differing === 0) return [];
  return [
    `the network classifies ${differing} of ${shared.length} clean images differently before the attacks than when accuracy is ` +
      `measured: its output depends on the other images of the batch, or on random numbers`,
  ];
}

function groupsOf(
  names: readonly CorruptionName[],
  groupOf: (name: CorruptionName) => string,
): { readonly name: string; readonly members: readonly CorruptionName[] }[] {
  return [...new Set(names.map(groupOf))].map((group) => ({
    name: group,
    members: names.filter((name) => groupOf(name) === group),
  }));
}

function skippedOf(records: readonly RunRecord[]): number {
  return records.filter(({ kind }) => kind === "skipped").length;
}

function attackScores(
  plan: AttackPlan,
  epsilon: number,
  records: readonly AttackRecord[],
  expected: number,
): AttackScores {
  const n = records.reduce((total, { images }) => total + images.length, 0);
  const count = (flags: (record: AttackRecord) => readonly number[]) =>
    records.reduce((total, record) => total + flags(record).filter((flag) => flag === 1).length, 0);
  const stages = plan.attacks.map(({ name }, i) => ({
    name,
    robust: count((record) => record.stages[i]?.robust ?? []),
  }));
  return {
    plan: plan.name,
    norm: plan.norm,
    epsilon,
    clean: share(
      count(({ clean }) => clean),
      n,
    ),
    robust: share(stages.at(-1)?.robust ?? 0, n),
    stages: stages.map(({ name, robust }) => ({ name, robust: robust / n })),
    settings: plan.attacks.map(({ name, settings }) => ({ name, settings })),
    warnings: [
      ...(plan.remark === undefined ? [] : [`${plan.name}: ${plan.remark}`]),
      ...planWarnings(
        plan,
        n,
        stages.map(({ robust }) => robust),
      ),
      ...gradientWarnings(
        plan,
        records.flatMap(({ gradients }) => gradients),
      ),
    ],
    complete: n >= expected,
  };
}

function summaryOf(
  protocol: Protocol,
  clean: Scores,
  scores: readonly ConditionScores[],
  groupOf: (name: CorruptionName) => string,
): CorruptionSummary {
  const names = [...new Set(scores.map(({ name }) => name))];
  const errorsOf = (list: readonly CorruptionName[]) =>
    Object.fromEntries(
      list.map((name) => [
        name,
        scores.filter((one) => one.name === name).map(({ accuracy }) => 1 - accuracy.value),
      ]),
    );
  const groups = groupsOf(names, groupOf).map(({ name, members }) => ({
    name,
    accuracy: 1 - meanCorruptionError(errorsOf(members)),
  }));
  const common = {
    meanError: meanCorruptionError(errorsOf(names)),
    meanEce: scores.reduce((total, { ece }) => total + ece, 0) / scores.length,
    groups,
  };
  const whole = BENCHMARK_CORRUPTIONS.every((name) => names.includes(name));
  if (!whole || protocol.severities.length < SEVERITIES.length) {
    return { ...common, remark: "mCE needs the benchmark's 15 corruptions at all 5 severities" };
  }
  const errors = errorsOf(BENCHMARK_CORRUPTIONS);
  const meanErrorBenchmark = meanCorruptionError(errors);
  if (protocol.constants !== 224) {
    return {
      ...common,
      meanErrorBenchmark,
      remark: `mCE is not normalised: AlexNet's errors are known for 224 pixels only, not for ${protocol.constants}`,
    };
  }
  return {
    ...common,
    meanErrorBenchmark,
    mceAlexNet: mce(errors, ALEXNET),
    relativeMceAlexNet: relativeMce(errors, 1 - clean.accuracy.value, ALEXNET),
    remark:
      "corruptions were generated here, not read from the published ImageNet-C files: compare with published mCE with care",
  };
}
