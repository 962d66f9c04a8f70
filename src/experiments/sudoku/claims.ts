import { average } from "../../metrics/statistics.js";
import { percent } from "../../report/html.js";
import type { Claim, MeasuredClaim } from "../claims.js";
import type { SudokuReport } from "./results.js";

/** The claims of AKOrN's paper on Sudoku. */
export const SUDOKU_CLAIMS: readonly Claim[] = [
  {
    id: "akorn-solves-more",
    paper: "akorn",
    claim: "AKOrN solves more of the harder boards than the same self-attention without oscillators (ItrSA).",
    published: "harder boards solved: AKOrN 51.7 ± 3.3 %, ItrSA 34.4 ± 5.4 %",
  },
  {
    id: "akorn-thinks-longer",
    paper: "akorn",
    claim: "AKOrN solves more of the harder boards if it runs for more timesteps than in training.",
    published: "harder boards solved with 128 timesteps: 51.7 ± 3.3 %; no figure for the 16 of training",
  },
  {
    id: "akorn-votes",
    paper: "akorn",
    claim:
      "The vote of 100 random starts by the lowest energy solves more of the harder boards than one start.",
    published: "harder boards solved: vote of 100 starts 81.6 ± 1.5 %, one start 51.7 ± 3.3 %",
  },
];

const HARDER = "ood";

/** What a run measured about {@link SUDOKU_CLAIMS}. */
export function sudokuClaims(report: SudokuReport): MeasuredClaim[] {
  return [moreClaim(report), longerClaim(report), voteClaim(report)].flatMap((claim) => claim ?? []);
}

/** The rows of a network on the harder boards, with the share of boards solved with T timesteps. */
function rowsAt({ accuracies }: SudokuReport, model: string, timesteps: number) {
  return accuracies
    .filter((row) => row.model === model && row.set === HARDER && row.timesteps.includes(timesteps))
    .map(({ seed, boards, gains, timesteps: all }) => {
      const at = all.indexOf(timesteps);
      return { seed, solved: average(boards.map((draw) => draw[at]!)), gain: gains[at]! };
    });
}

function moreClaim(report: SudokuReport): MeasuredClaim | undefined {
  const stepsOf = (model: string) => report.models.find(({ id }) => id === model);
  const [akorn, itrsa] = [stepsOf("akorn"), stepsOf("itrsa")];
  if (!akorn || !itrsa) return undefined;
  const own = rowsAt(report, akorn.id, akorn.reportedSteps);
  const others = rowsAt(report, itrsa.id, itrsa.trainedSteps);
  const pairs = own.flatMap(({ seed, solved }) => {
    const other = others.find((row) => row.seed === seed)?.solved;
    return other === undefined ? [] : [{ seed, solved, other }];
  });
  if (pairs.length === 0) return undefined;
  const boards = report.sets.find(({ id }) => id === HARDER)!.boards;
  const [mean, otherMean] = [
    average(pairs.map(({ solved }) => solved)),
    average(pairs.map(({ other }) => other)),
  ];
  return {
    id: "akorn-solves-more",
    measure: "harder boards solved",
    unit: "points",
    compared: [
      { label: `AKOrN, T ${akorn.reportedSteps}`, value: `${percent(mean)} %` },
      { label: `ItrSA, T ${itrsa.trainedSteps} as in training, its best`, value: `${percent(otherMean)} %` },
    ],
    differences: pairs.map(({ seed, solved, other }) => ({ seed, value: solved - other })),
    // The networks count as independent, which overstates the error.
    imageError: Math.sqrt((mean * (1 - mean) + otherMean * (1 - otherMean)) / boards),
  };
}

const errorOf = (gains: readonly { readonly standardError: number }[]): number =>
  Math.sqrt(average(gains.map(({ standardError }) => standardError ** 2)));

function longerClaim(report: SudokuReport): MeasuredClaim | undefined {
  const akorn = report.models.find(({ id }) => id === "akorn");
  if (!akorn) return undefined;
  const { trainedSteps, reportedSteps } = akorn;
  const [short, long] = [trainedSteps, reportedSteps].map((t) => rowsAt(report, akorn.id, t));
  if (!short || !long || long.length === 0 || trainedSteps === reportedSteps) return undefined;
  const valueOf = (rows: readonly { readonly solved: number }[]) =>
    `${percent(average(rows.map(({ solved }) => solved)))} %`;
  return {
    id: "akorn-thinks-longer",
    measure: "harder boards solved",
    unit: "points",
    compared: [
      { label: `T ${reportedSteps}`, value: valueOf(long) },
      { label: `T ${trainedSteps} as in training`, value: valueOf(short) },
    ],
    differences: long.map(({ seed, gain }) => ({ seed, value: gain.mean })),
    imageError: errorOf(long.map(({ gain }) => gain)),
  };
}

function voteClaim({ votings }: SudokuReport): MeasuredClaim | undefined {
  const own = votings.filter(({ set }) => set === HARDER);
  const [first] = own;
  if (first === undefined) return undefined;
  const vote = average(own.map(({ votes }) => average(votes.at(-1)!.sum)));
  const gain = average(own.map((one) => one.gain.mean));
  return {
    id: "akorn-votes",
    measure: "harder boards solved",
    unit: "points",
    compared: [
      { label: `vote of ${first.draws} starts`, value: `${percent(vote)} %` },
      { label: "one start", value: `${percent(vote - gain)} %` },
    ],
    differences: own.map(({ seed, gain: { mean } }) => ({ seed, value: mean })),
    imageError: errorOf(own.map((one) => one.gain)),
  };
}
