import type { Claim, MeasuredClaim } from "../claims.js";
import { digitsClaim } from "../digits/claim.js";
import type { DigitsReport } from "../digits/results.js";

const NO_TABLES = "not stated here: the paper’s tables were not available to us";

/** The claims of KomplexNet's paper on two digits in one image. */
export const OVERLAP_CLAIMS: readonly Claim[] = [
  {
    id: "synchrony-over-random",
    paper: "komplexnet",
    claim: "Synchronised phases tell two digits apart better than random phases.",
    published: NO_TABLES,
  },
  {
    id: "komplexnet-over-real",
    paper: "komplexnet",
    claim: "KomplexNet recognises two digits better than a real-valued network of its size.",
    published: NO_TABLES,
  },
  {
    id: "komplexnet-over-real-noise",
    paper: "komplexnet",
    claim: "KomplexNet is more robust to noise than the real-valued network.",
    published: NO_TABLES,
  },
];

/** What a run measured about {@link OVERLAP_CLAIMS}. */
export function overlapClaims(report: DigitsReport): MeasuredClaim[] {
  return [
    claimOf(report, "synchrony-over-random", "random", ["clean"], "set accuracy on clean images"),
    claimOf(report, "komplexnet-over-real", "real", ["clean"], "set accuracy on clean images"),
    claimOf(
      report,
      "komplexnet-over-real-noise",
      "real",
      ["noise", "saltAndPepper"],
      "set accuracy, mean over Gaussian noise and salt and pepper",
    ),
  ].flatMap((claim) => claim ?? []);
}

function claimOf(
  report: DigitsReport,
  id: string,
  other: string,
  conditions: readonly string[],
  measure: string,
): MeasuredClaim | undefined {
  return digitsClaim(report, { id, one: "kuramoto", other, conditions, measure });
}
