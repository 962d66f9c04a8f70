import { percent } from "../../report/html.js";
import type { Claim, MeasuredClaim } from "../claims.js";
import type { ObjectDiscoveryReport } from "./results.js";

/** The claim of AKOrN's paper on the discovery of objects. */
export const DISCOVERY_CLAIMS: readonly Claim[] = [
  {
    id: "akorn-finds-objects",
    paper: "akorn",
    claim: "AKOrN finds objects better than the same self-attention without oscillators (ItrSA).",
    published: "FG-ARI on Tetrominoes: AKOrN 88.6 ± 1.7 %, ItrSA 85.8 ± 0.8 %",
  },
];

/** What a run measured about {@link DISCOVERY_CLAIMS}. */
export function discoveryClaims({ sets, models }: ObjectDiscoveryReport): MeasuredClaim[] {
  const set = sets.find(({ id }) => id === "tetrominoes");
  const compared = set?.comparisons.find(({ model, upTiling }) => model === "akorn-attn" && upTiling === 1);
  if (set === undefined || compared === undefined) return [];
  const { model, control, differences, imageError } = compared;
  return [
    {
      id: "akorn-finds-objects",
      measure: "FG-ARI on Tetrominoes",
      unit: "points",
      compared: [model, control].map((id) => ({
        label: models.find((one) => one.id === id)!.label,
        value: `${percent(set.rows.find((row) => row.model === id && row.upTiling === 1)!.foregroundAri.mean)} %`,
      })),
      differences,
      imageError,
    },
  ];
}
