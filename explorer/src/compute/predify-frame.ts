/** Side of the network's picture in pixels. */
export const SIDE = 32;
export const CLASSES = 10;
/** Mean and standard deviation of MNIST's pixels, by which the network's picture is normalised. */
export const MEAN = 0.1307;
export const STD = 0.3081;

/** beta, lambda and alpha of all PCoders. */
export interface Weights {
  readonly feedforward: number;
  readonly feedback: number;
  readonly error: number;
}

/** What decides a run. */
export interface PredifyRequest {
  /** [SIDE, SIDE], normalised. */
  readonly pixels: Float32Array;
  /** The same weights for all PCoders; undefined for the tuned ones, which differ between PCoders. */
  readonly weights: Weights | undefined;
  /** Index of the last timestep. */
  readonly timesteps: number;
}

/** The network after one timestep. Timestep 0 is the classifier alone. */
export interface PredifyFrame {
  readonly timestep: number;
  /** Probability of each class. */
  readonly probabilities: readonly number[];
  /** For each PCoder, lowest first: the picture that the decoders make of its representation, [SIDE, SIDE], normalised. */
  readonly reconstructions: readonly Float32Array[];
  /** For each PCoder: the mean squared error of its prediction of the level below. */
  readonly errors: readonly number[];
}

/** What the lab knows once the network is loaded. */
export interface PredifyFacts {
  readonly figures: readonly { readonly name: string; readonly value: number }[];
  /** The tuned weights of each PCoder, lowest first. */
  readonly tuned: readonly Weights[];
}
