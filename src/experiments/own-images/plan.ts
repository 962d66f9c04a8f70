import type { ConstantSet, CorruptionName, Severity } from "../../robustness/corruptions/index.js";
import { StriateError, check } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import type { CellOf } from "../cells.js";
import type { KuramotoSettings, NetworkSettings, V1Settings } from "./networks.js";
import type { TrainingRecipe } from "./recipe.js";
import type { TrainNetworkOptions } from "./train-network.js";

/** What can be added to the network of a study. Several are joined by "+", such as "v1+predify". */
export const ADDITIONS = ["v1", "evnet", "kuramoto", "predify"] as const;

/** Name of the network without additions, with which all others are compared. */
export const PLAIN = "plain";

/** Predictive feedback of a study's networks. */
export interface FeedbackSettings {
  readonly pcoders: number;
  /** Last timestep, which is the one that is measured. */
  readonly timesteps: number;
  readonly epochs: number;
}

/** What is measured of every network. */
export interface TestSettings {
  readonly images: number;
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly Severity[];
  readonly constants: ConstantSet;
  readonly attackImages: number;
  /** Linf radii of projected gradient descent, for pixels in [0, 1]. */
  readonly epsilons: readonly number[];
  readonly attackSteps: number;
}

/** Everything that a study does, as plain data. */
export interface StudyPlan {
  readonly variants: readonly string[];
  readonly network: NetworkSettings;
  readonly v1: V1Settings;
  readonly kuramoto: KuramotoSettings;
  readonly recipe: TrainingRecipe;
  readonly trains: TrainNetworkOptions["trains"];
  readonly feedback: FeedbackSettings;
  readonly test: TestSettings;
  /** Hash of the names and labels of all images. */
  readonly data: string;
}

type Of = CellOf<"own-images">;

/** Trains a network with everything that is added to it except feedback. */
export interface StudyTrainCell extends Of {
  readonly kind: "train";
  /** The additions, joined by "+", or "plain". */
  readonly variant: string;
  readonly network: NetworkSettings;
  readonly recipe: TrainingRecipe;
  readonly trains: TrainNetworkOptions["trains"];
  readonly data: string;
}

/** Adds predictive feedback to a trained network. */
export interface StudyFeedbackCell extends Of {
  readonly kind: "feedback";
  readonly start: StudyTrainCell;
  readonly feedback: FeedbackSettings;
}

/** Measures a network on the test images. */
export interface StudyTestCell extends Of {
  readonly kind: "test";
  readonly variant: string;
  readonly start: StudyTrainCell | StudyFeedbackCell;
  readonly test: TestSettings;
}

export type StudyCell = StudyTrainCell | StudyFeedbackCell | StudyTestCell;

/** The name of a cell, such as "v1/seed1", "v1+predify/feedback/seed1" or "v1/test/seed1". */
export function studyCellName(cell: StudyCell): string {
  const seed = `seed${cell.seed}`;
  if (cell.kind === "train") return `${cell.variant}/${seed}`;
  if (cell.kind === "test") return `${cell.variant}/test/${seed}`;
  return `${withFeedback(cell.start.variant)}/feedback/${seed}`;
}

function withFeedback(variant: string): string {
  return variant === PLAIN ? "predify" : `${variant}+predify`;
}

/**
 * Reads a list of variants, such as "plain,v1,v1+predify". The plain network is always the first.
 *
 * @throws StriateError for an unknown addition, and for V1 and EVNet in one variant
 */
export function parseVariants(text: string): string[] {
  const variants = text.split(",").map((part) => {
    const additions = part.trim().split("+");
    if (additions.length === 1 && additions[0] === PLAIN) return PLAIN;
    for (const one of additions)
      if (!ADDITIONS.some((known) => known === one))
        throw new StriateError(`--variants: ${unknownName("addition", one, [PLAIN, ...ADDITIONS])}`);
    check(
      !(additions.includes("v1") && additions.includes("evnet")),
      () => `--variants: evnet has a V1 of its own: expected v1 or evnet, got "${part.trim()}"`,
    );
    return ADDITIONS.filter((known) => additions.includes(known)).join("+");
  });
  return [...new Set([PLAIN, ...variants])];
}

/** All cells of a study: the training of each network, its feedback, and its test. */
export function studyCells(plan: StudyPlan, seeds: readonly number[]): StudyCell[] {
  const { recipe, trains, feedback, test, data } = plan;
  const cells = new Map<string, StudyCell>();
  const add = <C extends StudyCell>(cell: C): C => {
    const name = studyCellName(cell);
    const known = cells.get(name);
    if (known === undefined) cells.set(name, cell);
    return (known ?? cell) as C;
  };
  for (const seed of seeds)
    for (const variant of plan.variants) {
      const common = { experiment: "own-images", version: 1, seed } as const;
      const additions = variant.split("+").filter((one) => one !== "predify");
      const trained = additions.length === 0 ? PLAIN : additions.join("+");
      const train = add({
        ...common,
        kind: "train",
        variant: trained,
        network: networkOf(plan, additions),
        recipe,
        trains,
        data,
      });
      const start = variant.includes("predify")
        ? add({ ...common, kind: "feedback", start: train, feedback })
        : train;
      add({ ...common, kind: "test", variant, start, test });
    }
  return [...cells.values()];
}

function networkOf({ network, v1, kuramoto }: StudyPlan, additions: readonly string[]): NetworkSettings {
  return {
    ...network,
    ...(additions.includes("v1") && { v1 }),
    ...(additions.includes("evnet") && { v1: { ...v1, retina: "standard" } }),
    ...(additions.includes("kuramoto") && { kuramoto }),
  };
}
