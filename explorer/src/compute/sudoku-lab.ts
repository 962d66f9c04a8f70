import { expose } from "comlink";
import type { Stepper } from "striate";
import { createWebRuntime, metrics, openModelStepper } from "striate";
import { loadPretrained } from "striate/pretrained";
import type { Computed } from "../parts/player.js";
import type { StartAnswer, SudokuFacts, SudokuFrame, SudokuRequest } from "./sudoku-frame.js";
import { runColours } from "./run-colours.js";
import { CELLS, CHANNELS, DIGITS, STARTS } from "./sudoku-frame.js";

type Seen = Omit<StartAnswer, "colours"> & { readonly oscillators: Float32Array };

/** AKOrN on Sudoku. It runs in a worker of its own, so that the page never waits for it. */
export class SudokuLab {
  #stepper: Stepper | undefined;

  /** Loads the network. Returns the figures of its card. */
  async open(): Promise<SudokuFacts> {
    const runtime = await createWebRuntime({ device: "wasm" });
    const { model, values, card } = await loadPretrained("akorn-sudoku");
    this.#stepper = await openModelStepper(runtime, { model, values }, { batch: STARTS });
    return card.figures;
  }

  /** Computes all timesteps of all starts. */
  async run({ puzzle, seed, timesteps }: SudokuRequest): Promise<Computed<SudokuFrame>> {
    const stepper = this.#stepper;
    if (stepper === undefined) throw new Error("the lab is not open");
    const boards = new Float32Array(STARTS * CELLS);
    for (let start = 0; start < STARTS; start++) boards.set(puzzle, start * CELLS);
    await stepper.reset({ seed });
    const seen: Seen[][] = [];
    const times: number[] = [];
    for (let t = 0; t < timesteps; t++) {
      const began = performance.now();
      const outputs = await stepper.step({ puzzle: boards });
      times.push(performance.now() - began);
      const state = await stepper.readState();
      const logits = outputs.logits!.data as Float32Array;
      const energies = outputs["energies.0"]!.data as Float32Array;
      const oscillators = state["oscillators.0"]!.data as Float32Array;
      seen.push(
        Array.from({ length: STARTS }, (_, start) => ({
          ...answerOf(logits.subarray(start * CELLS * DIGITS, (start + 1) * CELLS * DIGITS)),
          energy: energies[start]!,
          oscillators: vectors(
            oscillators.subarray(start * CELLS * CHANNELS, (start + 1) * CELLS * CHANNELS),
          ),
        })),
      );
    }
    const colours = runColours(
      seen.flat().map(({ oscillators }) => oscillators),
      CHANNELS,
    );
    const frames = seen.map((starts, t) => ({
      timestep: t + 1,
      starts: starts.map(({ oscillators: _, ...answer }, start) => ({
        ...answer,
        colours: colours[t * STARTS + start]!,
      })),
    }));
    return { frames, milliseconds: metrics.median(times) };
  }
}

/** The answers of one board from its logits [81, 9]. */
function answerOf(logits: Float32Array): Pick<StartAnswer, "digits" | "probabilities"> {
  const probabilities = new Float32Array(CELLS * DIGITS);
  const digits = new Uint8Array(CELLS);
  for (let cell = 0; cell < CELLS; cell++) {
    const scores = logits.subarray(cell * DIGITS, (cell + 1) * DIGITS);
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    probabilities.set(
      powers.map((power) => power / sum),
      cell * DIGITS,
    );
    digits[cell] = scores.indexOf(most) + 1;
  }
  return { digits, probabilities };
}

/** Oscillators [CHANNELS, 81] as one vector for each cell, [81, CHANNELS]. */
function vectors(maps: Float32Array): Float32Array {
  return Float32Array.from(maps, (_, i) => maps[(i % CHANNELS) * CELLS + Math.floor(i / CHANNELS)]!);
}

expose(new SudokuLab());
