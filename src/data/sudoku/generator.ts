import { checkWhole } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { RandomLabel } from "../../util/random.js";
import { Random } from "../../util/random.js";
import type { Boards } from "./boards.js";
import { CELLS, givensOf, parseBoard } from "./boards.js";
import { canBlank, solutionsOf, solveIn } from "./solver.js";
import { drawSymmetry, transformBoard } from "./symmetry.js";

/** Options that say how many boards are made, how difficult they are, and from which random seed. */
export interface GenerateSudokuOptions {
  /** Number of boards. */
  readonly count: number;
  /** Number of given cells per puzzle, 17 to 81: one number, or a range from which it is drawn uniformly. */
  readonly givens: number | readonly [fewest: number, most: number];
  readonly seed: RandomLabel;
  /**
   * Name by which sets with the same random seed differ, such as `"train"` and `"test"`. Default `"train"`.
   */
  readonly stream?: string;
}

/**
 * Fewest and most given cells of a board: `id` for boards like those on which AKOrN is trained (SATNet's
 * set), `ood` for more difficult ones (RRN's set).
 */
export const SUDOKU_GIVENS = { id: [31, 42], ood: [17, 34] } as const;

/** Smallest number of given cells: no puzzle with fewer has exactly one solution (McGuire, Tugemann & Civario 2014). */
const FEWEST = 17;
/**
 * Smallest number of given cells for which random grids are used. Removing cells from a random grid usually ends with
 * 24 or 25 given cells, with 23 in one case out of ten, and with 21 in one out of 150. So puzzles with fewer than 23
 * are made from known ones.
 */
const FEWEST_DUG = 23;
const GRIDS_BEFORE_GIVING_UP = 10_000;

/** Puzzles with 17 given cells and one solution, from the collection of G. Royle (University of Western Australia). */
const SEVENTEEN = `
000000010400000000020000000000050407008000300001090000300400200050100000000806000
000000010400000000020000000000050604008000300001090000300400200050100000000807000
000000012000035000000600070700000300000400800100000000000120000080000040050000600
000000012003600000000007000410020000000500300700000600280000040000300500000000000
000000012008030000000000040120500000000004700060000000507000300000620000000100000
000000012040050000000009000070600400000100000000000050000087500601000300200000000
000000012050400000000000030700600400001000000000080000920000800000510700000003000
000000012300000060000040000900000500000001070020000000000350400001400800060000000
000000012400090000000000050070200000600000400000108000018000000000030700502000000
000000012500008000000700000600120000700000450000030000030000800000500700020000000
000000012700060000000000050080200000600000400000109000019000000000030800502000000
000000012800040000000000060090200000700000400000501000015000000000030900602000000
000000012980000000000600000100700080402000000000300600070000300050040000000010000
000000013000030080070000000000206000030000900000010000600500204000400700100000000
000000013000200000000000080000760200008000400010000000200000750600340000000008000
000000013000500070000802000000400900107000000000000200890000050040000600000010000
000000013000700060000508000000400800106000000000000200740000050020000400000010000
000000013000700060000509000000400900106000000000000200740000050080000400000010000
000000013000800070000502000000400900107000000000000200890000050040000600000010000
000000013020500000000000000103000070000802000004000000000340500670000200000010000
000000013040000080200060000609000400000800000000300000030100500000040706000000000
`;
let seventeen: readonly { readonly puzzle: Uint8Array; readonly solution: Uint8Array }[] | undefined;

/**
 * Makes Sudoku puzzles with exactly one solution. For 23 given cells or more, cells of a random full grid are blanked
 * in random order while the solution remains unique, until the wanted number is left. For fewer, which that method
 * rarely reaches, one of 21 known puzzles with 17 given cells is changed by a random symmetry of the game (there are
 * 1.2e12) and extended with digits of its solution. Board i depends only on the options, the random seed, the stream
 * and i, not on `count`.
 *
 * @throws StriateError for an invalid count or number of given cells.
 * @example
 * ```ts
 * import { generateSudoku } from "striate";
 *
 * const { count } = generateSudoku({ count: 2, givens: [40, 50], seed: 1 });
 * console.log(count); // 2
 * ```
 */
export function generateSudoku(options: GenerateSudokuOptions): Boards {
  const { count, givens, seed, stream = "train" } = options;
  const [fewest, most] = typeof givens === "number" ? [givens, givens] : givens;
  checkWhole("Sudoku: count", count);
  check(
    Number.isInteger(fewest) && Number.isInteger(most) && fewest >= FEWEST && fewest <= most && most <= CELLS,
    () =>
      `Sudoku: expected ${FEWEST} to ${CELLS} given cells (puzzles with fewer never have exactly one solution), got ${fewest} to ${most}`,
  );
  const puzzles = new Uint8Array(count * CELLS);
  const solutions = new Uint8Array(count * CELLS);
  for (let n = 0; n < count; n++) {
    const random = Random.derive(seed, "sudoku", stream, n);
    const wanted = random.integer(fewest, most + 1);
    const { puzzle, solution } = wanted < FEWEST_DUG ? fromKnown(wanted, random) : dig(wanted, random);
    puzzles.set(puzzle, n * CELLS);
    solutions.set(solution, n * CELLS);
  }
  const range = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  return { count, puzzles, solutions, source: `generated, ${range} givens, ${stream}` };
}

interface Puzzle {
  readonly puzzle: Uint8Array;
  readonly solution: Uint8Array;
}

function dig(wanted: number, random: Random): Puzzle {
  for (let grids = 0; grids < GRIDS_BEFORE_GIVING_UP; grids++) {
    const solution = solveIn(new Uint8Array(CELLS), (digits) => random.shuffle(digits))!;
    const puzzle = solution.slice();
    let left = CELLS;
    for (const cell of random.permutation(CELLS)) {
      if (left === wanted) break;
      if (!canBlank(puzzle, cell)) continue;
      puzzle[cell] = 0;
      left--;
    }
    if (left === wanted) return { puzzle, solution };
  }
  throw new StriateError(
    `Sudoku: found no puzzle with ${wanted} given cells in ${GRIDS_BEFORE_GIVING_UP} grids`,
  );
}

function fromKnown(wanted: number, random: Random): Puzzle {
  seventeen ??= SEVENTEEN.trim()
    .split("\n")
    .map((line) => {
      const puzzle = parseBoard(line);
      return { puzzle, solution: solutionsOf(puzzle, 1)[0]! };
    });
  const known = seventeen[random.integer(0, seventeen.length)]!;
  const symmetry = drawSymmetry(random);
  const puzzle = transformBoard(known.puzzle, symmetry);
  const solution = transformBoard(known.solution, symmetry);
  let missing = wanted - givensOf(puzzle);
  for (const cell of random.permutation(CELLS)) {
    if (missing === 0) break;
    if (puzzle[cell] !== 0) continue;
    puzzle[cell] = solution[cell]!;
    missing--;
  }
  return { puzzle, solution };
}
