import type { Judgement } from "../metrics/judgement.js";
import { judgeDifferences } from "../metrics/judgement.js";
import type { SeedValue } from "../report/over-seeds.js";
import type { Provenance } from "../report/provenance-node.js";
import { check, StriateError } from "../util/errors.js";
import type { Scale } from "./options.js";

/** A claim of a paper that an experiment tests. */
export interface Claim {
  /** Lower case, words joined by hyphens; unique among all experiments. */
  readonly id: string;
  readonly paper: Paper;
  /** The claim as one sentence. */
  readonly claim: string;
  /** The paper's figure for it, or why there is none. */
  readonly published: string;
}

/** The papers, in the order of docs/claims.md. */
export const PAPERS = {
  komplexnet: "KomplexNet (Muzellec et al. 2025)",
  akorn: "AKOrN (Miyato et al. 2025)",
  vonenet: "VOneNet with biological receptive fields (Barbulescu et al. 2023)",
  predify: "Predify (Choksi et al. 2021)",
} as const;

export type Paper = keyof typeof PAPERS;

/** What a run measured about a claim. */
export interface MeasuredClaim {
  /** The id of the claim. */
  readonly id: string;
  /** What was compared, as a phrase that follows "the difference in": "set accuracy on clean images". */
  readonly measure: string;
  /** Whether differences are fractions shown in percentage points, or relative differences shown in %. */
  readonly unit: "points" | "percent";
  /** The compared quantities, means over the seeds that count, as text: "63.2 %". The claim says that the first is better. */
  readonly compared: readonly { readonly label: string; readonly value: string }[];
  /** One difference for each seed; positive differences support the claim. */
  readonly differences: readonly SeedValue[];
  /** Standard error of the mean difference over the test images, which all seeds share; 0 if there is none. */
  readonly imageError: number;
}

/** The contents of claims.json, which a run of an experiment writes beside its report. */
export interface ClaimsFile {
  readonly format: typeof CLAIMS_FORMAT;
  readonly experiment: string;
  readonly scale: Scale;
  /** Whether the run has all of the experiment's standard cells. */
  readonly complete: boolean;
  /** Sum of the times of all cells, in seconds; cells run side by side. */
  readonly cellSeconds: number;
  readonly provenance: Provenance;
  readonly claims: readonly MeasuredClaim[];
}

export const CLAIMS_FORMAT = 1;

/** Judges a claim by what a run measured. */
export function judgeClaim({ differences, imageError }: MeasuredClaim): Judgement {
  return judgeDifferences(
    differences.map(({ value }) => value),
    imageError,
  );
}

/**
 * Reads a claims.json and checks everything that a table of claims relies on.
 *
 * @param name of the file, for errors
 * @param known ids of the claims of each experiment, by its name
 * @throws StriateError if the file is of another format or experiment, if its run was not whole or of the scale "smoke",
 *   or if its seeds or claims do not fit together
 */
export function readClaims(
  text: string,
  name: string,
  known: ReadonlyMap<string, readonly Claim[]>,
): ClaimsFile {
  let file: Partial<ClaimsFile> | null;
  try {
    file = JSON.parse(text) as Partial<ClaimsFile> | null;
  } catch {
    throw new StriateError(`${name}: expected the claims.json of a run, got text that is not JSON`);
  }
  const format: unknown = file?.format;
  check(
    format === CLAIMS_FORMAT,
    () =>
      `${name}: expected a claims file of format ${CLAIMS_FORMAT}, got format ${String(format)}; run the experiment again`,
  );
  const { experiment, scale, complete, provenance, claims } = file as ClaimsFile;
  const own = known.get(experiment)?.map(({ id }) => id);
  check(
    own !== undefined,
    () => `${name}: expected an experiment with claims (${[...known.keys()].join(", ")}), got ${experiment}`,
  );
  check(
    scale !== "smoke",
    () =>
      `${name}: expected a run of the scale laptop or paper, got smoke, which only checks that everything works`,
  );
  check(complete, () => `${name}: expected a whole run, got one of only some cells`);
  for (const { id, differences, imageError } of claims) {
    check(own.includes(id), () => `${name}: expected claims of ${experiment} (${own.join(", ")}), got ${id}`);
    const seeds = differences.map(({ seed }) => seed);
    const isSound =
      seeds.length > 0 &&
      new Set(seeds).size === seeds.length &&
      seeds.every((seed) => provenance.seeds.includes(seed)) &&
      [imageError, ...differences.map(({ value }) => value)].every(Number.isFinite);
    check(
      isSound,
      () =>
        `${name}: ${id}: expected one finite difference for each of some seeds of the run (${provenance.seeds.join(", ")}), got seeds ${seeds.join(", ")}`,
    );
  }
  return file as ClaimsFile;
}
