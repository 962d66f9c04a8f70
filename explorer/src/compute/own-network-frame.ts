import type { Weights } from "./predify-frame.js";

/** Largest file of a network that the tab takes, in bytes. */
export const LARGEST_FILE = 100e6;
/** Largest number of elements of one picture: 3 channels of 512 x 512 pixels. */
export const LARGEST_PICTURE = 3 * 512 * 512;
/** Largest number of classes, which tells classifiers from networks that answer with a map. */
export const MOST_CLASSES = 50_000;

/** Why a file cannot be used. */
export type OwnProblem = "notOnnx" | "operators" | "inputs" | "places" | "answer" | "tooLarge";

/** A network that cannot be used: the kind of problem, which the page says in its language, and the library's words. */
export interface Refused {
  readonly problem: OwnProblem;
  readonly detail: string;
}

/** What is known about a network once it has PCoders. */
export interface OwnFacts {
  /** Channels, height and width of its pictures. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Number of classes. */
  readonly count: number;
  /** Names of the classes, if the file has them. */
  readonly classes: readonly string[] | undefined;
  /** The preprocessing that the file states, in words. */
  readonly preprocessing: string | undefined;
  /** Number of places that PCoders could have. */
  readonly places: number;
  /** Names of the library's preprocessings, of which one is chosen if the file states none. */
  readonly choices: readonly string[];
  /** Each PCoder, lowest first: the value that it takes over, and its shape. */
  readonly pcoders: readonly { readonly after: string; readonly shape: readonly number[] }[];
}

/** What decides a run. */
export interface OwnRequest {
  /** [channels, height, width], pixels from 0 to 1. */
  readonly pixels: Float32Array;
  /** Name of one of the library's preprocessings; ignored if the file states its own. */
  readonly preprocessing: string;
  readonly weights: Weights;
  readonly timesteps: number;
}

/** The network after one timestep. Timestep 0 is the network alone. */
export interface OwnFrame {
  readonly timestep: number;
  /** Probability of each class. */
  readonly probabilities: Float32Array;
  /** For each PCoder, lowest first: the picture that the decoders make of it, [channels, height, width], 0 to 1. */
  readonly reconstructions: readonly Float32Array[];
  readonly errors: readonly number[];
}

/** What decides an exported file: the weights are the defaults of its inputs. */
export type ExportRequest = Pick<OwnRequest, "preprocessing" | "timesteps" | "weights">;

/** What decides a training. */
export interface TrainingRequest {
  /** [count, channels, height, width]. */
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly preprocessing: string;
  readonly steps: number;
}

export interface TrainingProgress {
  readonly step: number;
  readonly loss: number;
  readonly secondsLeft: number | undefined;
}

/** The end of a training. */
export interface TrainingEnd {
  /** Steps done; fewer than asked for if the training was cancelled. */
  readonly step: number;
  readonly cancelled: boolean;
  /** Number of pictures that it learnt from, and of those that it never saw. */
  readonly seen: number;
  readonly unseen: number;
  /**
   * Share of the variance that the decoders leave unexplained, the mean over PCoders: on pictures of the training before and after it,
   * and on unseen ones after it.
   */
  readonly before: number;
  readonly after: number;
  readonly afterUnseen: number | undefined;
}
