import { StriateError, check } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import type { Classifier, ImageBatch } from "../classifier.js";
import { predictions } from "../classifier.js";
import { apgdAttack } from "./apgd.js";
import type { Attack, GradientReport } from "./attack.js";
import type { Norm } from "./ball.js";
import { fabAttack } from "./fab.js";
import { bim, fgsm, pgdAttack, randomSign } from "./simple.js";
import { squareAttack } from "./square.js";

/** Attacks that run one after another, each on the images that are still classified correctly. */
export interface AttackPlan {
  readonly name: string;
  readonly norm: Norm;
  readonly attacks: readonly Attack[];
  /** A remark for reports if the plan differs from the published one. */
  readonly remark?: string;
}

/**
 * AutoAttack (arXiv:2003.01690): APGD-CE, APGD-T, FAB-T and Square, with the published settings: 100
 * iterations, 9 target classes, 5000 queries, one restart.
 */
export function standardEnsemble(norm: Norm = "Linf"): AttackPlan {
  return {
    name: "AutoAttack",
    norm,
    attacks: [
      apgdAttack({ norm }),
      apgdAttack({ loss: "dlr-targeted", norm }),
      fabAttack({ norm }),
      squareAttack({ norm }),
    ],
  };
}

/**
 * AutoAttack's "rand" version, for networks that draw random numbers: APGD-CE and APGD-DLR, with gradients
 * averaged over `eot` (by default 20) forward passes.
 */
export function stochasticEnsemble(norm: Norm = "Linf", eot = 20): AttackPlan {
  return {
    name: `AutoAttack rand, EoT ${eot}`,
    norm,
    attacks: [apgdAttack({ norm, eot }), apgdAttack({ loss: "dlr", norm, eot })],
  };
}

/**
 * AutoAttack's "plus" version: the standard attacks and APGD-DLR, with five restarts of APGD-CE and APGD-DLR.
 * The published version also runs FAB untargeted with five restarts; here, FAB runs only targeted and once.
 */
export function plusEnsemble(norm: Norm = "Linf"): AttackPlan {
  return {
    name: "AutoAttack plus",
    norm,
    attacks: [
      apgdAttack({ norm, restarts: 5 }),
      apgdAttack({ loss: "dlr", norm, restarts: 5 }),
      fabAttack({ norm }),
      squareAttack({ norm }),
      apgdAttack({ loss: "dlr-targeted", norm }),
    ],
    remark: "FAB runs targeted with one restart, not untargeted with five",
  };
}

/**
 * A reduced ensemble for a CPU: APGD-CE and APGD-T with 20 iterations and (for APGD-T) 3 target classes, and
 * Square with 300 queries.
 */
export function quickEnsemble(norm: Norm = "Linf"): AttackPlan {
  return {
    name: "quick ensemble",
    norm,
    attacks: [
      apgdAttack({ norm, steps: 20 }),
      apgdAttack({ loss: "dlr-targeted", norm, steps: 20, targets: 3 }),
      squareAttack({ norm, queries: 300 }),
    ],
    remark: "a reduced profile, which overestimates robustness and is not an AutoAttack result",
  };
}

type PlanMaker = (norm: Norm) => AttackPlan;

function alone(make: (norm: Norm) => Attack): PlanMaker {
  return (norm) => {
    const attack = make(norm);
    return { name: attack.name, norm: attack.norm, attacks: [attack] };
  };
}

function onlyLinf(name: string, make: () => Attack): PlanMaker {
  return (norm) => {
    check(norm === "Linf", () => `the attack ${name} is defined for Linf only`);
    return alone(make)(norm);
  };
}

const PLANS: Readonly<Record<string, PlanMaker>> = {
  noise: onlyLinf("noise", randomSign),
  fgsm: onlyLinf("fgsm", fgsm),
  bim: onlyLinf("bim", bim),
  pgd: alone((norm) => pgdAttack({ norm })),
  apgd: alone((norm) => apgdAttack({ norm })),
  "apgd-dlr": alone((norm) => apgdAttack({ norm, loss: "dlr" })),
  "apgd-t": alone((norm) => apgdAttack({ norm, loss: "dlr-targeted" })),
  fab: alone((norm) => fabAttack({ norm })),
  square: alone((norm) => squareAttack({ norm })),
  autoattack: standardEnsemble,
  rand: (norm) => stochasticEnsemble(norm),
  plus: plusEnsemble,
  quick: quickEnsemble,
};

/** Names of the attacks and ensembles that {@link attackPlan} knows. */
export const ATTACK_NAMES: readonly string[] = Object.keys(PLANS);

/** Returns an attack or ensemble by its short name. Throws {@link StriateError} for an unknown name. */
export function attackPlan(name: string, norm: Norm = "Linf"): AttackPlan {
  const make = PLANS[name];
  check(make, () => unknownName("attack", name, ATTACK_NAMES));
  return make(norm);
}

/** The short name of the attack or ensemble whose plan has this name, in any norm; undefined if there is none. */
export function shortAttackName(plan: string): string | undefined {
  return ATTACK_NAMES.find((name) => attackPlan(name).name === plan.replace(/ L2$/, ""));
}

/**
 * Throws {@link StriateError} if a plan cannot attack the network, because the network has too few classes
 * for the losses of the plan or an operator without a gradient.
 */
export function checkPlan({ name, attacks }: AttackPlan, classifier: Classifier): void {
  const { classes } = classifier.network;
  const fewest = Math.max(...attacks.map(({ fewestClasses = 2 }) => fewestClasses));
  if (classes < fewest)
    throw new StriateError(`${name} needs at least ${fewest} classes, but the network has ${classes}`);
  if (attacks.some(({ needsGradient = true }) => needsGradient)) classifier.checkGradient();
}

/** Cautions that are known before a plan runs: attacks that aim at fewer classes than published. */
export function planCautions({ name, attacks }: AttackPlan, classes: number): readonly string[] {
  return attacks.flatMap(({ name: attack, aims = 0 }) =>
    aims < classes
      ? []
      : [
          `${name}: ${attack} aims at all ${classes - 1} wrong classes instead of ${aims}: the network has ${classes} classes`,
        ],
  );
}

/**
 * Cautions about masked gradients, by the check that Croce & Hein use: Square, which needs no gradient,
 * succeeds although gradient-based attacks failed.
 */
export function planWarnings(
  plan: AttackPlan,
  total: number,
  robustAfter: readonly number[],
): readonly string[] {
  const at = plan.attacks.findIndex(({ name }) => name.startsWith("Square"));
  const before = at > 0 ? robustAfter[at - 1] : undefined;
  const after = robustAfter[at];
  if (before === undefined || after === undefined || (before - after) / total <= 0.002) return [];
  return [
    `${plan.name}: Square, which needs no gradient, fooled ${before - after} of ${total} images on which all gradient-based ` +
      `attacks had failed: the gradients may be masked`,
  ];
}

/**
 * Cautions about gradients that an attack could not follow. AutoAttack's own code also warns of zero
 * gradients.
 */
export function gradientWarnings(plan: AttackPlan, reports: readonly GradientReport[]): readonly string[] {
  const names = [...new Set(reports.map(({ attack }) => attack))];
  return names.flatMap((name) => {
    const own = reports.filter(({ attack }) => attack === name);
    const total = (value: (report: GradientReport) => number) =>
      own.reduce((sum, report) => sum + value(report), 0);
    const [images, zero, notFinite] = [
      total((one) => one.images),
      total((one) => one.zero),
      total((one) => one.notFinite),
    ];
    const values = total((one) => one.notFiniteValues);
    const who = name === plan.name ? name : `${plan.name}: ${name}`;
    const robust = `robust accuracy is overestimated on these images`;
    return [
      ...(zero === 0
        ? []
        : [
            `${who}: the gradient of its loss is zero, or below 1e-30, at ${zero} of ${images} images: ${robust}. Possible causes are scores so ` +
              `large that a softmax saturates, and step functions in the network; divide the scores by a ` +
              `temperature, or use an attack without gradients (square)`,
          ]),
      ...(notFinite === 0 && values === 0
        ? []
        : [
            `${who}: the gradient of its loss is NaN or infinite at ${notFinite} of ${images} images ` +
              `(${values} values in all steps, taken as 0): ${robust}`,
          ]),
    ];
  });
}

/**
 * Whether a network gives the same outputs in five passes over the same images. The predicted classes must be
 * equal, and the logits of each image, scaled to Euclidean length 1, may differ by at most 1e-4.
 */
export async function isDeterministic(classifier: Classifier, images: ImageBatch): Promise<boolean> {
  const first = await classifier.logits(images);
  const decisions = predictions(first, images.count).join();
  for (let pass = 1; pass < 5; pass++) {
    const again = await classifier.logits(images);
    if (predictions(again, images.count).join() !== decisions) return false;
    if (largestTurn(first, again, images.count) > 1e-4) return false;
  }
  return true;
}

/** The largest distance between corresponding rows of two sets of logits, each row normalised to length 1. */
export function largestTurn(a: Float32Array, b: Float32Array, count: number): number {
  const classes = a.length / count;
  let most = 0;
  for (let row = 0; row < count; row++) {
    const [x, y] = [a, b].map((all) => all.subarray(row * classes, (row + 1) * classes)) as [
      Float32Array,
      Float32Array,
    ];
    const [lx, ly] = [x, y].map((all) => Math.hypot(...all) || 1) as [number, number];
    most = Math.max(most, Math.hypot(...x.map((value, i) => value / lx - y[i]! / ly)));
  }
  return most;
}
