import type { NoiseKind } from "../../../train/task.js";
import { checkKeys, checkOneOf } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { DecoderOptions } from "../decoder/decoder-steps.js";
import type { Hyperparameters } from "./hyperparameters.js";

/**
 * How C, the scale of a PCoderN, is determined. C is the number of elements of the prediction that one
 * element of the representation can affect. "window" (default) derives it from the structure of the decoder.
 * "measured" changes the element at random, on real images, and counts, as the authors' code does;
 * `measureWindows` must then be called before the network is used. A number is C itself.
 */
export type WindowRule = "window" | "measured" | number;

/** Options of one PCoder: its cut point, its decoder and its hyper-parameters. */
export interface PCoderOptions extends Partial<Hyperparameters> {
  /**
   * The value that the PCoder replaces. It is the name of a tensor or node in the file, a pattern with * and
   * ? (which makes one PCoder for each match), or a PyTorch module such as `features[3]`.
   */
  readonly after: string;
  /**
   * The decoder. A string is a PyTorch expression such as "Conv2d(8, 3, 3)". Default: resizing to the size of
   * the predicted value, then a transposed 3 x 3 convolution.
   */
  readonly decoder?: string | DecoderOptions;
  /** How C is determined for this PCoder. Default: as `PredifyOptions.window` specifies. */
  readonly window?: WindowRule;
}

/** Options of `predify`. */
export interface PredifyOptions extends Partial<Hyperparameters> {
  /** The PCoders, lowest first, or the number of PCoders for the automatic rule to place. */
  readonly pcoders: number | readonly PCoderOptions[];
  /** The network's name (default "network"). */
  readonly name?: string;
  /**
   * Whether PCoders are PCoderNs, whose error step does not depend on batch size and image size (true,
   * default), or the plain PCoders of the authors' code (false).
   */
  readonly gradientScaling?: boolean;
  /** Whether all PCoders use the first PCoder's hyper-parameters (default false). */
  readonly sharedHyperparameters?: boolean;
  /**
   * Shape of one image, [channels, height, width] or [channels, depth, height, width]. It is required if the
   * file does not fix it.
   */
  readonly inputSize?: readonly number[];
  /** Name of the file's output that is the network's answer (default: the first output). */
  readonly output?: string;
  /**
   * Inputs that are noise, in addition to those that the file declares: the kind of noise by input name. For
   * each image, noise is drawn once and used at all timesteps.
   */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Values of the file's other inputs, by name. They override the values in the file. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /** How C is determined for PCoders that have no `window` of their own. Default "window". */
  readonly window?: WindowRule;
  /**
   * How the units of images and feature maps enter. With "measured" (default), `trainFeedback` measures the standard
   * deviations of the image and of every representation. Decoders then map values divided by one to values divided by
   * the other, and the error step has a factor that makes the dynamics independent of units: a network fed with pixels
   * from 0 to 255 does what the same network fed with 0 to 1 does. "authors" leaves all of this out, as the authors'
   * code does, whose hyper-parameters suit images and feature maps of standard deviation near 1. Weights without these
   * deviations, such as the authors', have deviations of 1, which change nothing.
   */
  readonly units?: "measured" | "authors";
  /**
   * For plain PCoders: whether the error is averaged over all elements of the batch ("batch", default) or of
   * one image ("image"). With "batch", as in the authors' code, the output for an image depends on the batch
   * size.
   */
  readonly errorOver?: "batch" | "image";
  /**
   * Whether representations start from standard-normal random draws, which are graph inputs (default false).
   */
  readonly randomInit?: boolean;
  /**
   * Whether the last PCoder also gets a top-down prediction, from the graph input "prior" (default false).
   */
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
  "units",
  "randomInit",
  "topDownPrior",
  "feedforward",
  "feedback",
  "error",
];
const PCODER_KEYS = ["after", "decoder", "window", "feedforward", "feedback", "error"];

/** Throws `StriateError` for unknown keys and for values of the wrong type. */
export function checkOptions(options: PredifyOptions): void {
  checkKeys("predify", options, NETWORK_KEYS);
  const { pcoders, errorOver = "batch", units = "measured", window } = options;
  checkOneOf("predify: errorOver", errorOver, ["batch", "image"]);
  checkOneOf("predify: units", units, ["measured", "authors"]);
  checkWindow("predify: window", window);
  if (typeof pcoders === "number") return;
  check(
    Array.isArray(pcoders) && pcoders.length > 0,
    () =>
      `predify: pcoders: expected a number or a list with at least one PCoder, got ${JSON.stringify(pcoders)}`,
  );
  pcoders.forEach((pcoder: PCoderOptions, i) => {
    const what = `predify: PCoder ${i + 1}`;
    checkKeys(what, pcoder, PCODER_KEYS);
    check(
      typeof pcoder.after === "string" && pcoder.after !== "",
      () => `${what}: after: expected the name of a tensor, node or module, got "${pcoder.after}"`,
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

/** Options that select which outputs of a network to return, and for which timesteps. */
export interface AnswerOptions {
  /** Index of the last timestep. Outputs are for timesteps 0..`timesteps`. */
  readonly timesteps: number;
  /**
   * Whether to also return "representation.pcoderI.tN", the representation of PCoder I at timestep N. Default
   * false.
   */
  readonly representations?: boolean;
  /**
   * Whether to also return "prediction.pcoderI.tN", each PCoder's prediction of the value below. Default
   * false.
   */
  readonly predictions?: boolean;
  /**
   * Whether to also return "reconstruction.pcoderI.tN", the image that the decoders reconstruct from one
   * representation. Default false.
   */
  readonly reconstructions?: boolean;
  /**
   * Whether to also return "error.pcoderI" [timesteps + 1], each PCoder's mean squared prediction error.
   * Default false.
   */
  readonly errors?: boolean;
}
