import type { Claim, MeasuredClaim } from "../claims.js";
import { CLEAN_IMAGES, digitsClaim, NO_TABLES, NOISY_IMAGES } from "../digits/claim.js";
import type { DigitsReport } from "../digits/results.js";

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
  const against = (other: string) => ({ one: "kuramoto", other });
  return [
    digitsClaim(report, { id: "synchrony-over-random", ...against("random"), ...CLEAN_IMAGES }),
    digitsClaim(report, { id: "komplexnet-over-real", ...against("real"), ...CLEAN_IMAGES }),
    digitsClaim(report, { id: "komplexnet-over-real-noise", ...against("real"), ...NOISY_IMAGES }),
  ].flatMap((claim) => claim ?? []);
}
