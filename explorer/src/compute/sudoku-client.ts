import type { Remote } from "comlink";
import { wrap } from "comlink";
import type { SudokuLab } from "./sudoku-lab.js";

/** Starts the worker that runs AKOrN on Sudoku. */
export function startSudokuLab(): Remote<SudokuLab> {
  return wrap<SudokuLab>(new Worker(new URL("./sudoku-lab.ts", import.meta.url), { type: "module" }));
}
