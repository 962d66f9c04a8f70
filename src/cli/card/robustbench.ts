import type { AttackScores, ResultCard } from "../../robustness/card.js";
import { BENCHMARK_CORRUPTIONS, SEVERITIES } from "../../robustness/corruptions/kinds.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { check } from "../../util/errors.js";
import type { CardOptions } from "../commands/card.js";

/**
 * An entry of RobustBench's leaderboard, with the fields of its class `ModelInfo`. Accuracies are texts in percent with two
 * digits, as in its files (https://github.com/RobustBench/robustbench/tree/master/model_info).
 */
interface ModelInfo {
  readonly link: string | null;
  readonly name: string | null;
  readonly authors: string | null;
  readonly additional_data: boolean;
  readonly number_forward_passes: number;
  readonly dataset: string;
  readonly venue: string | null;
  readonly architecture: string | null;
  readonly eps: string | null;
  readonly clean_acc: string;
  readonly reported: string | null;
  readonly corruptions_acc?: string;
  readonly corruptions_mce?: string;
  readonly autoattack_acc?: string;
  readonly footnote: string;
}

/** An entry, and where it belongs: model_info/DATASET/THREAT/NAME.json. */
export interface LeaderboardEntry {
  readonly dataset: string;
  readonly threat: "Linf" | "L2" | "corruptions";
  readonly name: string;
  readonly entry: ModelInfo;
  readonly cautions: readonly string[];
}

/** Number of images on which RobustBench measures, by data set. */
const EXAMPLES: Readonly<Record<string, number>> = { cifar10: 10_000, cifar100: 10_000, imagenet: 5000 };

/**
 * The entries of a result card: one for AutoAttack, and one for the 15 corruptions of the benchmark at all severities.
 *
 * @throws StriateError if the card has neither, or AutoAttack at several radii and the options choose none
 */
export function leaderboardEntries(card: ResultCard, options: CardOptions): LeaderboardEntry[] {
  const { protocol, clean, summary } = card;
  const attacks = chosen(
    card.attacks.filter(({ plan }) => plan === "AutoAttack"),
    options,
  );
  const corrupted = isBenchmark(card) ? summary : undefined;
  check(
    clean !== undefined && (attacks.length > 0 || corrupted !== undefined),
    () =>
      `expected a card with AutoAttack (--attacks autoattack) or the benchmark's corruptions at all severities (--corruptions benchmark), got ${describe(card)}`,
  );
  const dataset =
    options.dataset ??
    protocol.data.name
      .split(/[/\\ ]/)
      .filter(Boolean)
      .at(-1) ??
    "data";
  check(
    /^[\w.-]+$/.test(dataset),
    () => `--dataset: expected RobustBench's name of the data set, such as cifar10, got "${dataset}"`,
  );
  const name = options.name ?? protocol.model.name.replace(/\.onnx$/, "");
  check(!/[/\\]/.test(name), () => `--name: expected a name without slashes, got "${name}"`);
  const expected = EXAMPLES[dataset];
  const fewer = (n: number) =>
    expected !== undefined && n < expected
      ? [
          `RobustBench measures ${expected} images of ${dataset}, the card has ${n}: the entry cannot be compared with the leaderboard`,
        ]
      : [];
  const common = {
    link: options.link ?? null,
    name: options.title ?? null,
    authors: options.authors ?? null,
    additional_data: options.additionalData,
    number_forward_passes: protocol.passes,
    dataset,
    venue: options.venue ?? null,
    architecture: options.architecture ?? null,
  };
  const footnote = (n: number) =>
    `Measured with Striate ${protocol.version} on ${n} of ${protocol.data.count} images (${protocol.data.choice}).`;
  const entries: LeaderboardEntry[] = attacks.map(({ norm, epsilon, robust, clean: own }) => ({
    dataset,
    threat: norm,
    name,
    entry: {
      ...common,
      eps: showEpsilon(epsilon),
      // The share of the same images that are right without an attack.
      clean_acc: points(own.value),
      reported: null,
      autoattack_acc: points(robust.value),
      footnote: footnote(robust.n),
    },
    cautions: fewer(robust.n),
  }));
  if (corrupted !== undefined)
    entries.push({
      dataset,
      threat: "corruptions",
      name,
      entry: {
        ...common,
        eps: null,
        clean_acc: points(clean.accuracy.value),
        reported: null,
        corruptions_acc: points(1 - corrupted.meanErrorBenchmark!),
        ...(corrupted.mceAlexNet !== undefined && { corruptions_mce: corrupted.mceAlexNet.toFixed(2) }),
        footnote: `${footnote(clean.accuracy.n)} Corruptions are Striate's, with procedural frost.`,
      },
      cautions: [
        ...fewer(clean.accuracy.n),
        "RobustBench measures the published corrupted images; Striate makes its own, with procedural frost",
      ],
    });
  return entries;
}

function chosen(attacks: readonly AttackScores[], { eps }: CardOptions): readonly AttackScores[] {
  const own = eps === undefined ? attacks : attacks.filter(({ epsilon }) => eps.includes(epsilon));
  check(
    own.length > 0 || eps === undefined,
    () =>
      `--eps: expected a radius at which the card has AutoAttack (${attacks.map(({ epsilon }) => showEpsilon(epsilon)).join(", ") || "none"}), got ${eps!.map(showEpsilon).join(", ")}`,
  );
  check(
    own.length < 2,
    () =>
      `the card has AutoAttack at ${own.map(({ epsilon }) => showEpsilon(epsilon)).join(", ")}, and an entry has one radius: choose it with --eps`,
  );
  return own;
}

function isBenchmark({ protocol, summary }: ResultCard): boolean {
  return (
    summary?.meanErrorBenchmark !== undefined &&
    BENCHMARK_CORRUPTIONS.every((name) => protocol.corruptions.includes(name)) &&
    SEVERITIES.every((severity) => protocol.severities.includes(severity))
  );
}

function describe({ protocol, attacks }: ResultCard): string {
  const parts = [
    ...new Set(attacks.map(({ plan }) => plan)),
    ...(protocol.corruptions.length > 0
      ? [`${protocol.corruptions.length} corruptions at severities ${protocol.severities.join(", ")}`]
      : []),
  ];
  return parts.length === 0 ? "clean images only" : parts.join(", ");
}

function points(share: number): string {
  return (100 * share).toFixed(2);
}
