import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  CELLS,
  checkBoard,
  checkSolution,
  formatBoard,
  givensOf,
  parseBoard,
  sliceBoards,
} from "../../src/data/sudoku/boards.js";
import { SUDOKU_GIVENS, generateSudoku } from "../../src/data/sudoku/generator.js";
import { loadRrnSudoku, loadSatnetSudoku } from "../../src/data/sudoku/published-node.js";
import { canBlank, solutionsOf } from "../../src/data/sudoku/solver.js";
import { drawSymmetry, transformBoard } from "../../src/data/sudoku/symmetry.js";
import { readTorchTensor } from "../../src/data/formats/torch-tensor-node.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { npyBytes } from "../support/npy.js";

const PUZZLE = "53..7.... 6..195... .98....6. 8...6...3 4..8.3..1 7...2...6 .6....28. ...419..5 ....8..79";
const SOLUTION = "534678912 672195348 198342567 859761423 426853791 713924856 961537284 287419635 345286179";

describe("boards", () => {
  it("are read from text and written again", () => {
    const board = parseBoard(PUZZLE);
    expect(givensOf(board)).toBe(30);
    expect(formatBoard(board).replaceAll("\n", " ")).toBe(PUZZLE);
    expect(parseBoard(PUZZLE.replaceAll(".", "0"))).toEqual(board);
    checkSolution(board, parseBoard(SOLUTION));
  });

  it.each([
    ["80 cells", PUZZLE.slice(1), "expected 9 x 9 cells, got 80"],
    ["a letter", PUZZLE.replace("5", "x"), 'expected digits and "." for a blank, got "x"'],
    ["a digit twice in a row", PUZZLE.replace("53..7", "53..5"), "row 1 has 5 twice"],
    ["a digit twice in a column", PUZZLE.replace("6..195", ".3.195"), "column 2 has 3 twice"],
    [
      "a digit twice in a box",
      PUZZLE.replace("6..195", "6.5195".replace("5195", "5.9.")),
      "box 1 has 5 twice",
    ],
  ])("with %s are refused", (_what, text, message) => {
    expect(() => parseBoard(text, "mine")).toThrow(message);
  });

  it("are refused with digits that do not exist, or a solution that is not theirs", () => {
    const board = parseBoard(PUZZLE);
    const solution = parseBoard(SOLUTION);
    expect(() => {
      checkBoard(Int8Array.from(board, (digit, i) => (i === 80 ? 10 : digit)));
    }).toThrow("row 9, column 9: expected a digit from 1 to 9 or 0 for a blank, got 10");
    expect(() => {
      checkSolution(board, board);
    }).toThrow("the solution is blank at row 1, column 3");
    const other = Uint8Array.from(solution, (digit) => (digit % 9) + 1);
    expect(() => {
      checkSolution(board, other, "board 7");
    }).toThrow("board 7: row 1, column 1: expected the puzzle's digit 5 in the solution, got 6");
  });
});

describe("the solver", () => {
  it("finds the one solution, several, or none", () => {
    expect(solutionsOf(parseBoard(PUZZLE))).toEqual([parseBoard(SOLUTION)]);
    expect(solutionsOf(new Uint8Array(CELLS), 5)).toHaveLength(5);
    // No digit is left for the first cell.
    const none = parseBoard(`.23456789 1${".".repeat(71)}`);
    expect(solutionsOf(none)).toEqual([]);
    expect(() => solutionsOf(new Uint8Array(80))).toThrow("expected 9 x 9 cells, got 80");
    expect(() => solutionsOf(Uint8Array.from({ length: 81 }, (_, i) => (i < 2 ? 4 : 0)))).toThrow(
      "row 1 has 4 twice",
    );
  });

  it("counts what a slow search counts", () => {
    const open = parseBoard(SOLUTION);
    const random = new Random(3);
    for (let n = 0; n < 10; n++) {
      const puzzle = open.slice();
      for (const cell of random.permutation(CELLS).subarray(0, 32)) puzzle[cell] = 0;
      expect(solutionsOf(puzzle, 9)).toHaveLength(slowCount(puzzle, 9));
    }
  });

  it("tells which givens are needed", () => {
    const puzzle = parseBoard(PUZZLE);
    let needed = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      if (puzzle[cell] === 0) continue;
      const blanked = puzzle.slice();
      blanked[cell] = 0;
      expect(canBlank(puzzle, cell)).toBe(solutionsOf(blanked).length === 1);
      if (!canBlank(puzzle, cell)) needed++;
    }
    expect(needed).toBeGreaterThan(5);
  });
});

/** Tries every digit in every cell from the first on. */
function slowCount(puzzle: Uint8Array, most: number): number {
  const cell = puzzle.indexOf(0);
  if (cell < 0) return 1;
  let count = 0;
  for (let digit = 1; digit <= 9 && count < most; digit++) {
    const board = puzzle.slice();
    board[cell] = digit;
    try {
      checkBoard(board);
    } catch {
      continue;
    }
    count += slowCount(board, most - count);
  }
  return count;
}

describe("generated puzzles", () => {
  it.each([
    ["like SATNet's", SUDOKU_GIVENS.id],
    ["like RRN's", SUDOKU_GIVENS.ood],
    ["with the fewest givens there can be", [17, 17]],
  ] as const)("%s have exactly one solution and the wanted number of givens", (_what, givens) => {
    const boards = generateSudoku({ count: 60, givens, seed: 1 });
    const seen = new Set<number>();
    for (let n = 0; n < boards.count; n++) {
      const { puzzles, solutions } = sliceBoards(boards, n, n + 1);
      checkSolution(puzzles, solutions);
      expect(solutionsOf(puzzles)).toEqual([solutions]);
      seen.add(givensOf(puzzles));
    }
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(givens[0]);
    expect(Math.max(...seen)).toBeLessThanOrEqual(givens[1]);
    expect(seen.size).toBeGreaterThanOrEqual(Math.min(9, givens[1] - givens[0] + 1));
  });

  it("depend on seed, stream and number alone, and differ", () => {
    const make = (count: number, seed: number, stream?: string) =>
      generateSudoku({ count, givens: [20, 40], seed, ...(stream !== undefined && { stream }) });
    const boards = make(6, 1);
    expect(boards).toEqual(make(6, 1));
    expect(sliceBoards(boards, 0, 3).puzzles).toEqual(make(3, 1).puzzles);
    expect(make(6, 2).puzzles).not.toEqual(boards.puzzles);
    expect(make(6, 1, "test").puzzles).not.toEqual(boards.puzzles);
    const each = Array.from({ length: 6 }, (_, n) => sliceBoards(boards, n, n + 1).puzzles.join(""));
    expect(new Set(each).size).toBe(6);
  });

  it("are refused in impossible numbers", () => {
    expect(() => generateSudoku({ count: 1, givens: 16, seed: 1 })).toThrow("expected 17 to 81 given cells");
    expect(() => generateSudoku({ count: 1, givens: [40, 30], seed: 1 })).toThrow("got 40 to 30");
    expect(() => generateSudoku({ count: 0, givens: 30, seed: 1 })).toThrow(
      "Sudoku: count: expected a whole number of at least 1, got 0",
    );
  });

  it("keep their one solution under every symmetry", () => {
    const [puzzle, solution] = [parseBoard(PUZZLE), parseBoard(SOLUTION)];
    for (let seed = 0; seed < 20; seed++) {
      const symmetry = drawSymmetry(new Random(seed));
      expect(solutionsOf(transformBoard(puzzle, symmetry))).toEqual([transformBoard(solution, symmetry)]);
    }
  });
});

describe("published boards", () => {
  const digits = (text: string): string => text.replaceAll(" ", "").replaceAll(".", "0");
  const line = `${digits(PUZZLE)},${digits(SOLUTION)}`;

  async function csv(content: string): Promise<string> {
    const path = join(await temporaryFolder(), "test.csv");
    await writeFile(path, content);
    return path;
  }

  it("of RRN come from CSV files", async () => {
    const boards = await loadRrnSudoku(await csv(`${line}\n${line}\n`));
    expect(boards.count).toBe(2);
    expect(boards.puzzles.subarray(81)).toEqual(parseBoard(PUZZLE));
    expect(boards.solutions.subarray(81)).toEqual(parseBoard(SOLUTION));
  });

  it.each([
    ["without solution", digits(PUZZLE), "line 1: expected a puzzle, a comma and its solution"],
    ["of 80 cells", line.slice(1), "line 1, puzzle: expected 9 x 9 cells, got 80"],
    ["that break the rules", `${line}\n${line.replace("5", "3")}`, "line 2, puzzle: row 1 has 3 twice"],
    [
      "with the solution of another",
      line.replace(
        digits(SOLUTION),
        digits(SOLUTION).replace(/\d/g, (d) => String((Number(d) % 9) + 1)),
      ),
      "board 1: row 1, column 1: expected the puzzle's digit 5",
    ],
    [
      "with a blank in the solution",
      line.replace(digits(SOLUTION), digits(SOLUTION).replace(/^(..)./, "$10")),
      "the solution is blank at row 1, column 3",
    ],
  ])("of RRN %s are refused", async (_what, content, message) => {
    await expect(loadRrnSudoku(await csv(content))).rejects.toThrow(message);
  });

  const oneHot = (board: ArrayLike<number>): Uint8Array =>
    Uint8Array.from({ length: 729 }, (_, i) => (board[Math.floor(i / 9)] === (i % 9) + 1 ? 1 : 0));

  async function satnet(
    count: number,
    change: (features: Uint8Array) => void = () => undefined,
  ): Promise<string> {
    const folder = await temporaryFolder();
    for (const [name, board] of [
      ["features", parseBoard(PUZZLE)],
      ["labels", parseBoard(SOLUTION)],
    ] as const) {
      const data = new Uint8Array(729 * count);
      for (let n = 0; n < count; n++) data.set(oneHot(board), 729 * n);
      if (name === "features") change(data);
      await writeFile(join(folder, `${name}.npy`), npyBytes({ shape: `(${count}, 9, 9, 9)` }, data));
    }
    return folder;
  }

  it("of SATNet come from one-hot tensors, the first 9,000 for training", async () => {
    const folder = await satnet(9002);
    const [train, test] = [await loadSatnetSudoku(folder, "train"), await loadSatnetSudoku(folder, "test")];
    expect([train.count, test.count]).toEqual([9000, 2]);
    expect(test.puzzles.subarray(81)).toEqual(parseBoard(PUZZLE));
    expect(test.solutions.subarray(81)).toEqual(parseBoard(SOLUTION));
  });

  it("of SATNet are refused where they are no boards", async () => {
    await expect(loadSatnetSudoku(await satnet(20), "test")).rejects.toThrow(
      "expected more than 9000 boards",
    );
    await expect(loadSatnetSudoku(await temporaryFolder(), "test")).rejects.toThrow(
      "expected features.pt or features.npy in it, found neither",
    );
    const twice = await satnet(2, (features) => features.fill(1, 0, 2));
    await expect(loadSatnetSudoku(twice, "train")).rejects.toThrow(
      "expected one-hot digits, got other values in board 0, cell 0",
    );
    await writeFile(join(twice, "features.npy"), npyBytes({ shape: "(9, 9, 9)" }, new Uint8Array(729)));
    await expect(loadSatnetSudoku(twice, "train")).rejects.toThrow(
      "expected one-hot boards [N, 9, 9, 9], got [9, 9, 9]",
    );
  });
});

/** Files that PyTorch 1.13 wrote, compressed. */
const TORCH = {
  /** torch.arange(24.).reshape(2, 3, 4).div(4).permute(2, 0, 1)[1:] */
  strided:
    "eNqFkr9Lw0AUxy+5No1R2tLJSUVBKmgb6ihoKBKHG4wVIbikMQk1GEwvuXbOVt0cnUpHx246ujr6H7gL/g2+NKU0qT8efPKSy/u+d9/jNIJzCIkiWogyqiAzsK7dvlO3TWbWujee2iyiy1REvMV8qKoZPeZ6oWQEzlXP9WyDObehHxj9hkRRtaoXoGMIlWbHoVwikVTPN9l5sihRXuegRqZYx5Ctbo/myCqj+TPCEUx4ggdUgNcVkhvQwr1l+Z7nWMz1b0PpNLCdwLGPXYtJVNxp0SVGpRZdrmmkIFY+TxpD6Bij/eq2iLZTbuuy2tzMeP0pEnV0CI8jhBQgAkbAK/ABIAXOEtgAZEABNKANdIEIuAMegEdgBDwBY+BFiR1EB1hvQ6P2nw5KaGvmoO8EIZyM2lz/z8K+FE94H3YueOjBTyZwcZrNmD+/8sLU7A3Jquf3XkwpvzLqupzVzu+qlNKOOZT1qhFB2J3+XsN7s1Kcyc/TXOGTDLr4bqK36Tc3WcsLiQZP6pPabwLPmpQ=",
  /** Old format: torch.tensor([[1, 0, 255], [7, 8, 9]], dtype=torch.uint8) */
  bytes:
    "eNpdj8tKQzEQhnMu7Wkjglt3Lo+b0ha8rEXcBG91k42EmhPaSDjpJHMKFQpdFfUZfABfzUcQBJ22O2cxMP/M/PPNKn3n7ufj6vvo+fPusLdKr78yyktgpTxgjM2CR6+9U3MTovU1JDQg96njLKIzytSVHdeQvkpOIi5mRkX7YiJkS8hL2SIxTn1AaIlUZlTZGqEtcplvPHw9gULkTUM3Nfqgpz3VoHWRq2CeGusqhaaOPqj5kBNTKYuNIU2OJwaS3Qq/WKB52Gkc0i3IoD8Ynp/1T077kG3P6lkDuWjfEMi9YCIV2ZowMpGsoXjT9KEzGunByG9DZYKpLq1GDp3jEXQR+Aj2CPER2H/3ZNxrs10k7LfodP8AP2FfmQ==",
  /** Old format: torch.tensor([-1, 2 ** 31 - 1, 5]) */
  integers:
    "eNpdj81KAzEQx/fT1Yjg1ZvH9bJsC348gHhZrVovuUhYs6GNhGQnyRYUir0U1GfwAXw1H0EQdLYVBOcwMP+Z+c1/FtErUV9vZ5/79+9Xe8UiuviIMc8hyOluEAStNd5wo9hMWCeNhhAH6A52lPReCSZ0I2sN0TMlKPqHVjAnH4WDeA5JTlMU3dRYD2kV0RgrqT1sVAlNeobRE8iqpOvwJvfG8mnBOi+VI8yKu06qhnmhnbFsNiToKadZD8TJeiIgXK+Qc8TcrDUC0crIoBwMT47Lw6MS4tVZ3naQVPEIjVxXQRUv0US4hOyF43dKcI/POXJpG2FFcyq5J7B5MIYtD2QM22jvFoL/5LAuenQf33/x1Nfpr/4DSr1pUw==",
  /** {"a": torch.zeros(1)} */
  dictionary:
    "eNoL8GZmYWDg4GDAAAIMQgyJRckZmWWp+imJJYl6Bdk5bk58DFEooIGptpAhghGoPrGQMbkkH6hBL760JDOnmCu+KDWpNDMnJb4kNa84vyi+zIirkElDI4IdqLgYqDIxPbWQGaKFyy0nP7EkGCLIVcgCNtCgkDWCGUgnF5QWsnkzlhSyB3ozeDO2FnKACM7O5OT8nJzU5JLM/LxiLv+ilNSi1BSXzOQSrkIuzaBC7pJCnqBC3mK9AG92jltWSW2LgEaBcABOH/MxKKH4WN/AzUkOzb/ogAFsIjuHzH0XRaCxDCx4beBnsIfbUJZaVAx0upuTNQEr8AJjLpDtF+elhzIBzWcC284IouD2I/tdAMNF6DGMrhvZX3woOj+h6dY3QNeL7Cp+FL0hjAzo4RDgzcamA5WWY9aFK2VGo7dD6UuMEBqoD5SgGDqZIHxGsBgrG0QPM1g9RC0AKqWVyA==",
};

describe("PyTorch files", () => {
  const file = async (content: Uint8Array): Promise<string> => {
    const path = join(await temporaryFolder(), "tensor.pt");
    await writeFile(path, content);
    return path;
  };
  const bytesOf = (name: keyof typeof TORCH): Buffer => inflateSync(Buffer.from(TORCH[name], "base64"));

  it("hold a tensor, whatever its strides and their format", async () => {
    const { shape, data } = await readTorchTensor(await file(bytesOf("strided")));
    expect(shape).toEqual([3, 2, 3]);
    const expected = [1, 2, 3].flatMap((k) =>
      [0, 1].flatMap((i) => [0, 1, 2].map((j) => (12 * i + 4 * j + k) / 4)),
    );
    expect([...data]).toEqual(expected);
    expect(await readTorchTensor(await file(bytesOf("bytes")))).toEqual({
      shape: [2, 3],
      data: Uint8Array.of(1, 0, 255, 7, 8, 9),
    });
    expect((await readTorchTensor(await file(bytesOf("integers")))).data).toEqual(
      Int32Array.of(-1, 2 ** 31 - 1, 5),
    );
  });

  it("are refused when they hold something else, are damaged or cut off", async () => {
    const refused = async (content: Uint8Array) =>
      readTorchTensor(await file(content)).catch((error: unknown) => String(error));
    expect(await refused(bytesOf("dictionary"))).toContain("expected one tensor, got something else");
    expect(await refused(bytesOf("bytes").subarray(0, -2))).toContain(
      "is cut off: a storage of 6 numbers needs 6 bytes, got 4",
    );
    expect(await refused(bytesOf("bytes").subarray(0, 100))).toContain("it is cut off");
    expect(await refused(bytesOf("strided").subarray(0, -30))).toContain("not an intact ZIP archive");
    expect(await refused(new TextEncoder().encode("something else"))).toContain("cannot be read as a pickle");
    // cos\nsystem\n(X...tR. would run a command in Python.
    const hostile = Buffer.concat([
      bytesOf("bytes").subarray(0, bytesOf("bytes").indexOf("ctorch._utils")),
      Buffer.from("cos\nsystem\n(U\x02lstR.].", "latin1"),
    ]);
    expect(await refused(hostile)).toContain('expected one tensor, got a "os.system"');
  });
});
