import type { TensorData } from "../graph/index.js";

/**
 * For each name, a function that builds the network; some networks depend on the stored tensors. The code of a system is loaded only with a network of this system, so
 * that a page need not load all systems.
 */
export const PRETRAINED_MODELS = {
  "komplexnet-digits2": async () => (await import("./digits.js")).digitsNetwork("kuramoto"),
  "random-phases-digits2": async () => (await import("./digits.js")).digitsNetwork("random"),
  "real-valued-digits2": async () => (await import("./digits.js")).realDigitsNetwork(),
  "akorn-tetrominoes": async () => (await import("./objects.js")).tetrominoesNetwork(),
  "akorn-sudoku": async () => (await import("./sudoku.js")).sudokuNetwork(),
  "predify-digits": async (stored: ReadonlyMap<string, TensorData>) =>
    (await import("./predify-digits.js")).storedDigitsPredify(stored),
} as const;

/** The name of a trained network. */
export type PretrainedName = keyof typeof PRETRAINED_MODELS;

/** The task that contains the network with a given name. */
export type PretrainedModel<N extends PretrainedName> = Awaited<ReturnType<(typeof PRETRAINED_MODELS)[N]>>;

export const PRETRAINED_NAMES = Object.keys(PRETRAINED_MODELS) as readonly PretrainedName[];
