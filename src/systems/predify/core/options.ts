import type { NoiseKind } from "../../../train/task.js";
import { checkKeys, checkOneOf } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { DecoderOptions } from "../decoder/decoder-steps.js";
import type { Hyperparameters } from "./hyperparameters.js";

/**
 * How C, the scale of a PCoderN, comes about: "window" counts by structure what one cell reaches (default); "measured"
 * is the original's procedure with random draws on data (`measureWindows`), which has to run before the network does; a
 * number is taken as it is.
 */
export type WindowRule = "window" | "measured" | number;

/** Where a PCoder sits, and what its decoder is like. */
export interface PCoderOptions extends Partial<Hyperparameters> {
  /**
   * The value that the PCoder takes over: the name of a tensor or node of the file, a pattern with * and ? (one PCoder
   * for each match), or a PyTorch module such as `features[3]`.
   */
  readonly after: string;
  /** Default: resize to the target, then a transposed 3x3 convolution. A string is read as PyTorch writes modules. */
  readonly decoder?: string | DecoderOptions;
  /** Default: the network's. */
  readonly window?: WindowRule;
}

/** What `predify` needs to know. */
export interface PredifyOptions extends Partial<Hyperparameters> {
  /** One entry for each PCoder, lowest first; or how many are to be placed by the automatic rule. */
  readonly pcoders: number | readonly PCoderOptions[];
  /** Name of the network (default "network"). */
  readonly name?: string;
  /** PCoderN (error step independent of batch and size, default) or the original's plain PCoder. */
  readonly gradientScaling?: boolean;
  /** One set of hyper-parameters, the first PCoder's, for all (default false). */
  readonly sharedHyperparameters?: boolean;
  /** [channels, height, width] or [channels, depth, height, width]; needed where the file leaves them open. */
  readonly inputSize?: readonly number[];
  /** Output of the file that holds the answer (default: the first). */
  readonly output?: string;
  /** Inputs of the file that are noise, besides those that it says are: drawn once for all timesteps of an image. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Values of other inputs of the file, instead of those that it says they have. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /** Default "window". */
  readonly window?: WindowRule;
  /**
   * Of plain PCoders: whether the number of elements that the error is averaged over includes the batch ("batch", as in
   * the original: an image's answer then depends on how many are shown at once) or not ("image"). Default "batch".
   */
  readonly errorOver?: "batch" | "image";
  /** Every call begins with states drawn from a normal distribution, fed as inputs (default false). */
  readonly randomInit?: boolean;
  /** Whether the last PCoder gets a top-down prediction too, fed as the input "prior" (default false). */
  readonly topDownPrior?: boolean;
}

const NETWORK_KEYS = [
  "pcoders",
  "name",
  "gradientScaling",
  "sharedHyperparameters",
  "inputSize",
  "output",
  "noise",
  "inputs",
  "window",
  "errorOver",
  "randomInit",
  "topDownPrior",
  "feedforward",
  "feedback",
  "error",
];
const PCODER_KEYS = ["after", "decoder", "window", "feedforward", "feedback", "error"];

/** Throws `StriateError` for unknown keys and values of the wrong kind. */
export function checkOptions(options: PredifyOptions): void {
  checkKeys("predify", options, NETWORK_KEYS);
  const { pcoders, errorOver = "batch", window } = options;
  checkOneOf("predify: errorOver", errorOver, ["batch", "image"]);
  checkWindow("predify: window", window);
  if (typeof pcoders === "number") return;
  check(
    Array.isArray(pcoders) && pcoders.length > 0,
    () => "predify: pcoders: expected a number or a list with at least one PCoder",
  );
  pcoders.forEach((pcoder: PCoderOptions, i) => {
    const what = `predify: PCoder ${i + 1}`;
    checkKeys(what, pcoder, PCODER_KEYS);
    check(
      typeof pcoder.after === "string" && pcoder.after !== "",
      () => `${what}: after: expected the name of a tensor, node or module`,
    );
    checkWindow(`${what}: window`, pcoder.window);
  });
}

function checkWindow(what: string, window: WindowRule | undefined): void {
  if (window === undefined || window === "window" || window === "measured") return;
  check(
    typeof window === "number" && Number.isFinite(window) && window > 0,
    () => `${what}: expected "window", "measured" or a number above 0, got ${String(window)}`,
  );
}
