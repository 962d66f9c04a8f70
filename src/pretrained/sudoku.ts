import { SudokuNetwork } from "../systems/akorn/sudoku/network.js";
import { SudokuTask } from "../systems/akorn/sudoku/task.js";

/**
 * AKOrN for Sudoku as in the experiment sudoku at the scale "laptop": the published network with an eighth of its
 * channels.
 */
export function sudokuNetwork(): SudokuTask {
  const network = new SudokuNetwork({
    channels: 64,
    heads: 4,
    timesteps: 16,
    omega: { initial: 0.5, shared: true, trained: true },
  });
  return new SudokuTask(network);
}
