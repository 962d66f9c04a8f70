import type { CorruptionErrors } from "../systems/predify/measures/metrics.js";
import { relativeMce } from "../systems/predify/measures/metrics.js";
import { check } from "../util/errors.js";
import type { VerdictStatus } from "./verdict.js";

/** Counts of one network under one condition, by timestep from 0. Accuracies and errors are fractions. */
export interface TimestepCounts {
  readonly images: number;
  readonly accuracy: readonly number[];
  /** Images that are right now and were wrong at timestep 0, and the other way round. */
  readonly gained: readonly number[];
  readonly lost: readonly number[];
}

export interface NoiseRow extends TimestepCounts {
  readonly setting: string;
  readonly condition: string;
  readonly seed: number;
  /** Mean squared prediction error, [PCoder][timestep]. */
  readonly errors: readonly (readonly number[])[];
  /** Correlation distance to the clean representation, [PCoder][timestep]; empty for clean images. */
  readonly distances: readonly (readonly number[])[];
}

export interface CorruptionRow extends TimestepCounts {
  readonly setting: string;
  readonly corruption: string;
  readonly severity: number;
  readonly seed: number;
}

/** A way to run the dynamics: whose values, and what is left out. */
export interface SettingDescription {
  readonly id: string;
  /** Settings of one family are drawn in one figure. */
  readonly family: "authors" | "tuned";
  readonly label: string;
  readonly without?: "feedback" | "error";
}

export interface PCoderDescription {
  readonly after: string;
  readonly shape: readonly number[];
  readonly target: readonly number[];
}

interface Mixing {
  readonly feedforward: number;
  readonly feedback: number;
  readonly error: number;
}

/** What one image becomes in the decoders, as `data:` addresses. */
export interface ReconstructionPicture {
  readonly label: string;
  readonly image: string;
  /** The network's answer at each timestep. */
  readonly answers: readonly string[];
  /** [PCoder][timestep] */
  readonly pictures: readonly (readonly string[])[];
}

/** Everything that the page of the predictive-coding experiment shows, as plain data. */
export interface PredictiveCodingReport {
  readonly scale: string;
  readonly network: {
    readonly name: string;
    readonly parameters: number;
    readonly runs: readonly {
      readonly seed: number;
      /** On images set aside. */
      readonly accuracy: number;
      readonly curve: readonly { readonly step: number; readonly accuracy: number }[];
    }[];
  };
  readonly pcoders: readonly PCoderDescription[];
  readonly decoders: readonly {
    readonly seed: number;
    readonly curve: readonly { readonly step: number; readonly errors: readonly number[] }[];
    /** Variance of what each predicts. */
    readonly targetVariances: readonly number[];
  }[];
  readonly values: readonly {
    readonly seed: number;
    readonly authors: readonly Mixing[];
    readonly tuned: readonly Mixing[];
  }[];
  readonly settings: readonly SettingDescription[];
  readonly conditions: readonly {
    readonly id: string;
    readonly label: string;
    readonly description: string;
  }[];
  readonly noise: readonly NoiseRow[];
  readonly corruptions: readonly CorruptionRow[];
  readonly reconstructions: readonly ReconstructionPicture[];
  readonly reconstructionTruth: string;
  readonly provenance: {
    readonly seeds: readonly number[];
    readonly date: string;
    readonly seconds: number;
    readonly command: string;
    /** Name and value, in order. */
    readonly facts: readonly (readonly [string, string])[];
  };
}

/** How accuracy changes from timestep 0 to the last. */
export interface Change {
  readonly status: VerdictStatus;
  /** Mean over seeds, a fraction. */
  readonly mean: number;
  /** Twice the larger of: standard error over seeds, standard error of the paired difference over the test images. */
  readonly margin: number;
  readonly values: readonly { readonly seed: number; readonly value: number }[];
}

/**
 * Judges whether the dynamics help: images are paired with themselves at timestep 0, so only those whose answer changed
 * count. It helps (or harms) only where at least two seeds agree in sign and the mean exceeds the margin.
 */
export function changeOverTime(rows: readonly (TimestepCounts & { readonly seed: number })[]): Change {
  check(rows.length > 0, () => "change over timesteps: expected at least one seed");
  const values = rows.map(({ seed, gained, lost, images }) => ({
    seed,
    value: (gained.at(-1)! - lost.at(-1)!) / images,
  }));
  const n = values.length;
  const mean = values.reduce((sum, { value }) => sum + value, 0) / n;
  const squares = values.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
  const overSeeds = n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0;
  // Seeds share their test images: they do not shrink this part.
  const variance =
    rows.reduce((sum, { gained, lost, images }, i) => {
      const changed = (gained.at(-1)! + lost.at(-1)!) / images;
      return sum + (changed - values[i]!.value ** 2) / images;
    }, 0) / n;
  const margin = 2 * Math.max(overSeeds, Math.sqrt(variance));
  const agree = n > 1 && values.every(({ value }) => value * mean > 0);
  const status = !agree || Math.abs(mean) <= margin ? "undecided" : mean > 0 ? "holds" : "reversed";
  return { status, mean, margin, values };
}

/** Relative mCE of each timestep over all corruptions of one setting and seed. */
export function mcePerTimestep(rows: readonly CorruptionRow[]): number[] {
  const names = [...new Set(rows.map(({ corruption }) => corruption))];
  const timesteps = rows[0]?.accuracy.length ?? 0;
  return relativeMce(
    Array.from({ length: timesteps }, (_, t): CorruptionErrors =>
      names.map((name) =>
        rows.filter(({ corruption }) => corruption === name).map(({ accuracy }) => 1 - accuracy[t]!),
      ),
    ),
  );
}
