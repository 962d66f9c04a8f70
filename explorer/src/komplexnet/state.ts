import { UNIFORM_CYCLE, TWO_HUE_CYCLE } from "striate/draw";
import type { AddressFormat, ViewState } from "../address.js";
import { oneOf, readLanguage, short, within } from "../address.js";

/** A digit on the canvas of 50 x 50 pixels, which is reduced to the network's image. */
export interface PlacedDigit {
  /** Index of the digit among the 100 that come with the page. */
  readonly sample: number;
  /** Centre of the digit in pixels of the canvas. */
  readonly x: number;
  readonly y: number;
  /** Rotation in degrees, anticlockwise. */
  readonly angle: number;
}

/** The complete state of the view. The address stores it, so that a link restores the same state. */
export interface KomplexNetState extends ViewState {
  readonly digits: readonly PlacedDigit[];
  /** Standard deviation of Gaussian noise on the pixels. */
  readonly noise: number;
  /** Step size of the phases (eta). */
  readonly rate: number;
  /** Repulsion of all active units (epsilon). */
  readonly repulsion: number;
  readonly timesteps: number;
  readonly seed: number;
  readonly palette: "uniform" | "two-hue";
  /** Speed in timesteps per second. */
  readonly speed: number;
}

export const PALETTES = { uniform: UNIFORM_CYCLE, "two-hue": TWO_HUE_CYCLE } as const;

export const LIMITS = {
  noise: [0, 0.5],
  rate: [0, 0.02],
  repulsion: [0, 1],
  timesteps: [2, 40],
  seed: [1, 999],
  speed: [1, 20],
} as const;

/** The initial settings, which are those of the network's training. */
export const START: KomplexNetState = {
  digits: [
    { sample: 32, x: 15, y: 25, angle: 0 },
    { sample: 71, x: 35, y: 25, angle: 0 },
  ],
  noise: 0,
  rate: 0.006,
  repulsion: 0.202,
  timesteps: 12,
  seed: 1,
  palette: "uniform",
  speed: 4,
  language: "en",
};

const DIGIT = /^(\d{1,2})@(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)$/;

function readDigits(text: string): readonly PlacedDigit[] | undefined {
  const found = (text === "" ? [] : text.split(";")).map((part) => DIGIT.exec(part));
  const numbers = found.map((match) => match?.slice(1).map(Number));
  if (found.length > 3 || numbers.some((one) => one === undefined || one.some((n) => !Number.isFinite(n))))
    return undefined;
  return numbers.map((one) => {
    const [sample, x, y, angle] = one as [number, number, number, number];
    return { sample, x: Math.min(50, Math.max(0, x)), y: Math.min(50, Math.max(0, y)), angle };
  });
}

export const KOMPLEXNET_ADDRESS: AddressFormat<KomplexNetState> = {
  start: START,
  readers: {
    digits: readDigits,
    noise: within(LIMITS.noise),
    rate: within(LIMITS.rate),
    repulsion: within(LIMITS.repulsion),
    timesteps: within(LIMITS.timesteps, true),
    seed: within(LIMITS.seed, true),
    palette: oneOf(["uniform", "two-hue"]),
    speed: within(LIMITS.speed),
    language: readLanguage,
  },
  textOf: (state, key) =>
    key === "digits"
      ? state.digits
          .map(({ sample, x, y, angle }) => `${sample}@${short(x)},${short(y)},${short(angle)}`)
          .join(";")
      : String(state[key]),
};
