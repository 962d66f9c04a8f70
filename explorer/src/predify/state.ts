import type { AddressFormat, ViewState } from "../address.js";
import { oneOf, readLanguage, short, within } from "../address.js";
import type { Weights } from "../compute/predify-frame.js";
import { SIDE } from "../compute/predify-frame.js";

/** Where beta, lambda and alpha come from: tuned for each PCoder, or one set for all, given by the sliders. */
export const CHOICES = ["tuned", "sliders"] as const;

/** What the network sees: a digit of the page, or the picture of the user, with black and white swapped or not. */
export const SOURCES = ["digit", "own", "swapped"] as const;

/** The complete state of the view. The address stores it, so that a link restores the same state. */
export interface PredifyState extends ViewState {
  /** The address says only that the picture was one's own; the picture itself is in no address. */
  readonly source: (typeof SOURCES)[number];
  /** Index of the digit among the 100 that come with the page. */
  readonly sample: number;
  /** Centre of the digit in pixels. */
  readonly x: number;
  readonly y: number;
  /** Rotation in degrees, anticlockwise. */
  readonly angle: number;
  /** Standard deviation of Gaussian noise on pixels from 0 to 1. */
  readonly noise: number;
  /** Share of the pixels that are set to black or white. */
  readonly salt: number;
  /** Random seed of the noise. */
  readonly seed: number;
  readonly choice: (typeof CHOICES)[number];
  readonly beta: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly timesteps: number;
  /** Speed in timesteps per second. */
  readonly speed: number;
}

export const LIMITS = {
  sample: [0, 99],
  x: [0, SIDE],
  y: [0, SIDE],
  angle: [-180, 180],
  noise: [0, 1.5],
  salt: [0, 0.5],
  seed: [1, 999],
  beta: [0, 1],
  lambda: [0, 1],
  alpha: [0, 1.5],
  timesteps: [1, 20],
  speed: [0.5, 10],
} as const;

/** The values with which the authors evaluated their networks. */
export const AUTHORS = { beta: 0.8, lambda: 0.1, alpha: 0.01 } as const;

/** A noisy digit that the classifier alone names wrongly, and that is named correctly after a few timesteps. */
export const START: PredifyState = {
  source: "digit",
  sample: 32,
  x: SIDE / 2,
  y: SIDE / 2,
  angle: 0,
  noise: 0.4,
  salt: 0,
  seed: 1,
  choice: "tuned",
  ...AUTHORS,
  timesteps: 8,
  speed: 2,
  language: "en",
};

/** The weights of all PCoders; undefined for the tuned ones. */
export const weightsOf = ({ choice, beta, lambda, alpha }: PredifyState): Weights | undefined =>
  choice === "tuned" ? undefined : { feedforward: beta, feedback: lambda, error: alpha };

export const PREDIFY_ADDRESS: AddressFormat<PredifyState> = {
  start: START,
  readers: {
    source: oneOf(SOURCES),
    sample: within(LIMITS.sample, true),
    x: within(LIMITS.x),
    y: within(LIMITS.y),
    angle: within(LIMITS.angle),
    noise: within(LIMITS.noise),
    salt: within(LIMITS.salt),
    seed: within(LIMITS.seed, true),
    choice: oneOf(CHOICES),
    beta: within(LIMITS.beta),
    lambda: within(LIMITS.lambda),
    alpha: within(LIMITS.alpha),
    timesteps: within(LIMITS.timesteps, true),
    speed: within(LIMITS.speed),
    language: readLanguage,
  },
  textOf: (state, key) =>
    key === "x" || key === "y" || key === "angle" ? short(state[key]) : String(state[key]),
};
