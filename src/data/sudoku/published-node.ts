import { existsSync } from "node:fs";
import { join } from "node:path";
import { StriateError, check } from "../../util/errors.js";
import { readFileChecked } from "../../util/files-node.js";
import { readNpy } from "../formats/npy-node.js";
import { readTorchTensor } from "../formats/torch-tensor-node.js";
import type { Boards } from "./boards.js";
import { CELLS, checkSolution, parseBoard } from "./boards.js";

const TRAIN = 9000;
const LARGEST = 2 ** 30;

/**
 * Reads the boards of SATNet (Wang et al. 2019) from a folder with two one-hot tensors of shape [10000, 9, 9,
 * 9]: `features` (the puzzles) and `labels` (the solutions), as published (`.pt`) or as NumPy files (`.npy`).
 * The first 9,000 boards are "train", the rest are "test". Every board is checked.
 *
 * @throws StriateError for files that are missing or damaged, tensors of another shape, cells that are not
 * one-hot, and boards that break the rules.
 */
export async function loadSatnetSudoku(folder: string, part: "train" | "test"): Promise<Boards> {
  const [features, labels] = await Promise.all([oneHot(folder, "features"), oneHot(folder, "labels")]);
  check(
    features.length === labels.length,
    () =>
      `"${folder}": expected as many boards in features as in labels, got ${features.length / CELLS} and ${labels.length / CELLS}`,
  );
  const count = features.length / CELLS;
  check(
    count > TRAIN,
    () =>
      `"${folder}": expected more than ${TRAIN} boards (the first ${TRAIN} are for training), got ${count}`,
  );
  const [first, end] = part === "train" ? [0, TRAIN] : [TRAIN, count];
  return checkedBoards(
    features.subarray(first * CELLS, end * CELLS),
    labels.subarray(first * CELLS, end * CELLS),
    `SATNet ${part}`,
  );
}

async function oneHot(folder: string, name: string): Promise<Uint8Array> {
  const path = [".pt", ".npy"].map((ending) => join(folder, name + ending)).find((file) => existsSync(file));
  if (path === undefined)
    throw new StriateError(`"${folder}": expected ${name}.pt or ${name}.npy in it, found neither`);
  const { shape, data } = path.endsWith(".pt") ? await readTorchTensor(path) : await readNpy(path);
  check(
    shape.length === 4 && shape.slice(1).every((length) => length === 9),
    () => `"${path}": expected one-hot boards [N, 9, 9, 9], got [${shape.join(", ")}]`,
  );
  return Uint8Array.from({ length: shape[0]! * CELLS }, (_, cell) => {
    let digit = 0;
    for (let d = 0; d < 9; d++) {
      const value = data[9 * cell + d]!;
      if (value === 0) continue;
      check(
        value === 1 && digit === 0,
        () =>
          `"${path}": expected one-hot digits, got other values in board ${Math.floor(cell / CELLS)}, cell ${cell % CELLS}`,
      );
      digit = d + 1;
    }
    return digit;
  });
}

/**
 * Reads the boards of Recurrent Relational Networks (Palm et al. 2018) from a CSV file without a header. Each
 * line has the 81 digits of a puzzle (0 for a blank), a comma and the 81 digits of its solution. Every board
 * is checked.
 *
 * @throws StriateError for a file that is missing, lines in another format, and boards that break the rules.
 */
export async function loadRrnSudoku(path: string): Promise<Boards> {
  const bytes = await readFileChecked(path, { what: "CSV file of boards", maxBytes: LARGEST });
  const lines = new TextDecoder().decode(bytes).trimEnd().split(/\r?\n/);
  const puzzles = new Uint8Array(lines.length * CELLS);
  const solutions = new Uint8Array(lines.length * CELLS);
  for (const [n, line] of lines.entries()) {
    const [puzzle, solution, more] = line.split(",");
    check(
      puzzle !== undefined && solution !== undefined && more === undefined,
      () =>
        `"${path}", line ${n + 1}: expected a puzzle, a comma and its solution, got "${line.slice(0, 40)}"`,
    );
    puzzles.set(parseBoard(puzzle, `"${path}", line ${n + 1}, puzzle`), n * CELLS);
    solutions.set(parseBoard(solution, `"${path}", line ${n + 1}, solution`), n * CELLS);
  }
  return checkedBoards(puzzles, solutions, `"${path}"`);
}

function checkedBoards(puzzles: Uint8Array, solutions: Uint8Array, source: string): Boards {
  const count = puzzles.length / CELLS;
  for (let n = 0; n < count; n++) {
    const part = (boards: Uint8Array) => boards.subarray(n * CELLS, (n + 1) * CELLS);
    checkSolution(part(puzzles), part(solutions), `${source}, board ${n + 1}`);
  }
  return { count, puzzles, solutions, source };
}
