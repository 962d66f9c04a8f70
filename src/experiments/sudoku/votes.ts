import { average, summarise } from "../../metrics/statistics.js";
import { lowestEnergy } from "../../systems/akorn/index.js";

/** The results of votes among K draws, over all disjoint groups of K draws. */
export interface SudokuVote {
  readonly k: number;
  /** Board accuracy of each group if the lowest sum of energies wins. */
  readonly sum: readonly number[];
  /** Board accuracy of each group if the lowest last energy wins. */
  readonly last: readonly number[];
  /** Share of boards that any draw of the group solves, which is the upper bound of every vote. */
  readonly any: readonly number[];
}

/** A mean difference over boards, with its standard error. */
export interface PairedDifference {
  readonly mean: number;
  readonly standardError: number;
}

/** The results of all draws of the noise on one board. */
export interface BoardDraws {
  /** 1 if the draw's answer solves the board. */
  readonly solved: Uint8Array;
  /** The scores by which answers can be ranked; lower is better. */
  readonly scores: Readonly<Record<ScoreId, Float32Array>>;
}

/** The scores by which the experiment ranks answers, with their names on the page; lower is better. */
export const SCORES = {
  sum: "sum of all energies (the paper)",
  after16: "sum of the energies after step 16",
  after64: "sum of the energies after step 64",
  last: "last energy",
  confidence: "mean confidence of the blank cells, negative",
  rules: "digits that rows, columns and boxes miss",
} as const;

export type ScoreId = keyof typeof SCORES;

/** How well one score tells right from wrong answers. */
export interface ScoreResult {
  readonly score: ScoreId;
  /**
   * Pair each right answer with each wrong answer to the same board: the share of pairs in which the right answer has
   * the lower score. Undefined if there is no such pair.
   */
  readonly ranking: number | undefined;
  /** Share of boards that are solved if the lowest score of all draws wins. */
  readonly solved: number;
  /** That share minus the share that single draws solve, paired by board. */
  readonly gain: PairedDifference;
}

/** Ranks the answers of all draws by every score. */
export function scoreResults(boards: readonly BoardDraws[]): ScoreResult[] {
  return (Object.keys(SCORES) as ScoreId[]).map((score) => {
    const scoresOf = ({ scores }: BoardDraws) => scores[score];
    return {
      score,
      ranking: energyRanking(boards, scoresOf),
      solved: average(boards.map((board) => board.solved[lowestEnergy(scoresOf(board))]!)),
      gain: votingGain(boards, scoresOf),
    };
  });
}

/** Board accuracy of votes among K draws. Draws 0 to K-1 are one group, K to 2K-1 the next, and so on. */
export function votesAmong(boards: readonly BoardDraws[], k: number): SudokuVote {
  const draws = boards[0]?.solved.length ?? 0;
  const groups = Array.from({ length: Math.floor(draws / k) }, (_, group) => group * k);
  const accuracy = (wins: (board: BoardDraws, from: number) => boolean) =>
    groups.map((from) => boards.filter((board) => wins(board, from)).length / boards.length);
  const winner = (scores: Float32Array, from: number) => from + lowestEnergy(scores.subarray(from, from + k));
  return {
    k,
    sum: accuracy(({ solved, scores }, from) => solved[winner(scores.sum, from)] === 1),
    last: accuracy(({ solved, scores }, from) => solved[winner(scores.last, from)] === 1),
    any: accuracy(({ solved }, from) => solved.subarray(from, from + k).includes(1)),
  };
}

/** The gain of the vote of all draws over a single draw, mean over boards. Default: the sum of energies votes. */
export function votingGain(
  boards: readonly BoardDraws[],
  scoresOf: (board: BoardDraws) => Float32Array = ({ scores }) => scores.sum,
): PairedDifference {
  return pairedDifference(
    boards.map((board) => {
      const { solved } = board;
      const single = solved.reduce((sum, one) => sum + one, 0) / solved.length;
      return solved[lowestEnergy(scoresOf(board))]! - single;
    }),
  );
}

/** Mean and standard error of the differences, of which there must be at least two. */
export function pairedDifference(differences: readonly number[]): PairedDifference {
  const { mean, standardError } = summarise(differences);
  return { mean, standardError };
}

/**
 * Pair each right answer with each wrong answer to the same board: the share of pairs in which the right
 * answer has the lower score, by default the sum of energies. Ties count half. Undefined if no board has both kinds of
 * answer.
 */
export function energyRanking(
  boards: readonly BoardDraws[],
  scoresOf: (board: BoardDraws) => Float32Array = ({ scores }) => scores.sum,
): number | undefined {
  let [lower, pairs] = [0, 0];
  for (const board of boards) {
    const { solved } = board;
    const sums = scoresOf(board);
    for (let right = 0; right < solved.length; right++) {
      if (solved[right] === 0) continue;
      for (let wrong = 0; wrong < solved.length; wrong++) {
        if (solved[wrong] === 1) continue;
        pairs++;
        const difference = sums[right]! - sums[wrong]!;
        lower += difference < 0 ? 1 : difference === 0 ? 0.5 : 0;
      }
    }
  }
  return pairs === 0 ? undefined : lower / pairs;
}
