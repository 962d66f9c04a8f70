import { average } from "../../metrics/statistics.js";
import { number, percent } from "../../report/html.js";
import type { Claim, MeasuredClaim } from "../claims.js";
import type { CorruptionRow, PredictiveCodingReport, TimestepCounts } from "./results.js";
import { changeError, changeOverTime, mcePerTimestep } from "./results.js";

/** The claims of Predify's paper. */
export const PREDICTIVE_CLAIMS: readonly Claim[] = [
  {
    id: "predify-noise",
    paper: "predify",
    claim:
      "Predictive coding makes a trained network more accurate on images with Gaussian noise, step by step.",
    published:
      "more robust over timesteps (abstract); curves for PVGG16 and PEfficientNetB0 on ImageNet, no table",
  },
  {
    id: "predify-mce",
    paper: "predify",
    claim: "Predictive coding lowers the mean corruption error (mCE) of a trained network.",
    published: "more robust over timesteps (abstract); curves of the relative mCE on ImageNet-C, no table",
  },
];

const [SETTING, CONDITION] = ["tuned", "gaussian0.5"];

/** What a run measured about {@link PREDICTIVE_CLAIMS}. */
export function predictiveClaims(report: PredictiveCodingReport): MeasuredClaim[] {
  return [noiseClaim(report), errorClaim(report)].flatMap((claim) => claim ?? []);
}

function noiseClaim({ noise }: PredictiveCodingReport): MeasuredClaim | undefined {
  const rows = noise.filter(({ setting, condition }) => setting === SETTING && condition === CONDITION);
  if (rows.length === 0) return undefined;
  const last = rows[0]!.accuracy.length - 1;
  const at = (t: number) => `${percent(average(rows.map(({ accuracy }) => accuracy[t]!)))} %`;
  return {
    id: "predify-noise",
    measure: "accuracy under Gaussian noise of standard deviation 0.5, tuned values",
    unit: "points",
    compared: [
      { label: `timestep ${last}`, value: at(last) },
      { label: "timestep 0", value: at(0) },
    ],
    differences: changeOverTime(rows).values,
    imageError: changeError(rows),
  };
}

function errorClaim({ corruptions, provenance }: PredictiveCodingReport): MeasuredClaim | undefined {
  const tuned = corruptions.filter(({ setting }) => setting === SETTING);
  const perSeed = provenance.seeds.flatMap((seed) => {
    const rows = tuned.filter((row) => row.seed === seed);
    return rows.length === 0 ? [] : [{ seed, rows, relative: mcePerTimestep(rows).at(-1)! }];
  });
  if (perSeed.length === 0) return undefined;
  return {
    id: "predify-mce",
    measure: "the mean corruption error, relative to timestep 0, tuned values",
    unit: "percent",
    compared: [
      {
        label: "relative mCE at the last timestep",
        value: number(average(perSeed.map(({ relative }) => relative)), 3),
      },
      { label: "timestep 0", value: "1" },
    ],
    differences: perSeed.map(({ seed, relative }) => ({ seed, value: 1 - relative })),
    imageError: average(perSeed.map(({ rows }) => relativeError(rows))),
  };
}

/**
 * Standard error of 1 - mCE over images. All corruptions show the same images, so the errors of the single corruptions
 * count as if they varied together, which overstates the error.
 */
function relativeError(rows: readonly CorruptionRow[]): number {
  const errors = rows.map((row): number => changeError([row satisfies TimestepCounts]));
  const base = average(rows.map(({ accuracy }) => 1 - accuracy[0]!));
  return average(errors) / base;
}
