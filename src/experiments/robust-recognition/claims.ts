import { errorOverImages } from "../../metrics/judgement.js";
import { average } from "../../metrics/statistics.js";
import { percent } from "../../report/html.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import type { Claim, MeasuredClaim } from "../claims.js";
import type { FinishedRun } from "../experiment.js";
import { ofKind } from "../experiment.js";
import type { RecognitionCell, RecognitionPlan } from "./plan.js";
import { testedName } from "./plan.js";
import type { RecognitionResult } from "./results.js";

/** The claims of AKOrN's paper on CIFAR-10. */
export const RECOGNITION_CLAIMS: readonly Claim[] = [
  {
    id: "akorn-robust",
    paper: "akorn",
    claim:
      "Without adversarial training, AKOrN withstands attacks that average over its noise better than ResNet-18.",
    published:
      "from memory, not checked: AKOrN is right on some images under AutoAttack with ε 8/255, ResNet-18 on none",
  },
  {
    id: "akorn-robust-fixed-noise",
    paper: "akorn",
    claim: "AKOrN withstands attacks better than ResNet-18 even if the attacker knows its noise.",
    published: "our own question: whether the robustness is more than chance",
  },
  {
    id: "akorn-calibrated",
    paper: "akorn",
    claim: "AKOrN is better calibrated under corruptions than ResNet-18.",
    published: "from memory, not checked: the ECE of AKOrN is several times lower",
  },
];

type Run = FinishedRun<RecognitionPlan, RecognitionCell, RecognitionResult>;

/** The strongest attack that every scale runs. */
const ATTACK = "apgd";

/** What a run measured about {@link RECOGNITION_CLAIMS}. */
export function recognitionClaims(run: Run): MeasuredClaim[] {
  return [
    robustClaim(run, "akorn-robust", "akorn", "AKOrN"),
    robustClaim(run, "akorn-robust-fixed-noise", "akorn-fixed", "AKOrN, noise fixed"),
    calibrationClaim(run),
  ].flatMap((claim) => claim ?? []);
}

/** Images that stay right under the attack, mean over its radii. */
function robustClaim(run: Run, id: string, network: string, label: string): MeasuredClaim | undefined {
  const attacks = ofKind(run.results, "attack").filter(([{ attack }]) => attack === ATTACK);
  const sharesOf = (name: string, seed: number): number[] | undefined => {
    const found = attacks.find(([config]) => testedName(config) === name && config.seed === seed)?.[1];
    const [first] = found?.outcomes ?? [];
    return first?.images.map((_, i) => average(found!.outcomes.map(({ right }) => right[i]!)));
  };
  const pairs = run.seeds.flatMap((seed) => {
    const [own, other] = [sharesOf(network, seed), sharesOf("resnet", seed)];
    return own && other ? [{ seed, own, other, images: own.map((share, i) => share - other[i]!) }] : [];
  });
  if (pairs.length === 0) return undefined;
  const meanOf = (pick: (pair: (typeof pairs)[number]) => readonly number[]): string =>
    `${percent(average(pairs.map((pair) => average(pick(pair)))))} %`;
  const epsilons = attacks[0]![0].epsilons.map(showEpsilon).join(" and ");
  return {
    id,
    measure: `images still right under APGD, mean over ε ${epsilons}`,
    unit: "points",
    compared: [
      { label, value: meanOf(({ own }) => own) },
      { label: "ResNet-18", value: meanOf(({ other }) => other) },
    ],
    differences: pairs.map(({ seed, images }) => ({ seed, value: average(images) })),
    imageError: errorOverImages(pairs.map(({ images }) => images)),
  };
}

function calibrationClaim(run: Run): MeasuredClaim | undefined {
  const corrupted = ofKind(run.results, "pictures").filter(([{ corruptions }]) => corruptions.length > 0);
  const errorOf = (name: string, seed: number): number | undefined => {
    const found = corrupted.find(([config]) => testedName(config) === name && config.seed === seed)?.[1];
    return found && average(found.corruptions.map(({ ece }) => ece));
  };
  const pairs = run.seeds.flatMap((seed) => {
    const [own, other] = [errorOf("akorn", seed), errorOf("resnet", seed)];
    return own !== undefined && other !== undefined ? [{ seed, own, other }] : [];
  });
  if (pairs.length === 0) return undefined;
  return {
    id: "akorn-calibrated",
    measure: "the expected calibration error (ECE), mean over corruptions; ResNet-18 minus AKOrN",
    unit: "points",
    compared: [
      { label: "AKOrN", value: `ECE ${percent(average(pairs.map(({ own }) => own)))} %` },
      { label: "ResNet-18", value: `ECE ${percent(average(pairs.map(({ other }) => other)))} %` },
    ],
    differences: pairs.map(({ seed, own, other }) => ({ seed, value: other - own })),
    imageError: 0,
  };
}
