import { percent } from "../../report/html.js";
import type { Claim, MeasuredClaim } from "../claims.js";
import type { V1SamplingReport } from "./results.js";

/** The claim of the study of V1 sampling. */
export const V1_CLAIMS: readonly Claim[] = [
  {
    id: "biological-over-uniform",
    paper: "vonenet",
    claim:
      "Receptive fields as measured in animals make VOneNet more robust to corruptions than uniform ones.",
    published: "+8.72 % of mean corruption accuracy, relative (abstract)",
  },
];

/** What a run measured about {@link V1_CLAIMS}. */
export function v1Claims({ networks, pairs }: V1SamplingReport): MeasuredClaim[] {
  const pair = pairs.find(({ other }) => other === "UNIF1");
  if (pair === undefined) return [];
  const { relative } = pair;
  const seeds = relative.values.map(({ seed }) => seed);
  return [
    {
      id: "biological-over-uniform",
      measure: "mean corruption accuracy, relative to UNIF1",
      unit: "percent",
      compared: [pair.one, pair.other].map((label) => {
        const { values } = networks.find((network) => network.label === label)!.scores.mean;
        const own = values.filter(({ seed }) => seeds.includes(seed));
        return { label, value: `${percent(own.reduce((sum, { value }) => sum + value, 0) / own.length)} %` };
      }),
      differences: relative.values,
      imageError: relative.imageError,
    },
  ];
}
