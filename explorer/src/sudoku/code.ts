import { STARTS } from "../compute/sudoku-frame.js";
import type { SudokuState } from "./state.js";

/** A program that computes the answers that the page shows. */
export function codeOf({ board, seed, timesteps }: SudokuState): string {
  return `import { createWebRuntime, openStepper, parseBoard } from "striate";
import { loadPretrained } from "striate/pretrained";

const board = parseBoard("${board}");
const puzzle = new Float32Array(${STARTS} * 81); // the same board for ${STARTS} random starts
for (let start = 0; start < ${STARTS}; start++) puzzle.set(board, 81 * start);

const runtime = await createWebRuntime({ device: "wasm" });
const { model, values } = await loadPretrained("akorn-sudoku");
const stepper = await openStepper(runtime, { model, values }, { batch: ${STARTS}, seed: ${seed} });
for (let t = 1; t <= ${timesteps}; t++) {
  const outputs = await stepper.step({ puzzle });
  console.log(t, outputs["energies.0"].data, outputs.logits.data); // logits [${STARTS}, 9, 9, 9]
}`;
}
