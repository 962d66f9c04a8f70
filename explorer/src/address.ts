import { UNIFORM_CYCLE, TWO_HUE_CYCLE } from "striate/draw";

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

/** The complete state of the page. The address stores it, so that a link restores the same state. */
export interface ExplorerState {
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
  readonly language: "en" | "zh";
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

/** The settings with which the network was trained. */
export const START: ExplorerState = {
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

type Readers = { readonly [K in keyof ExplorerState]: (text: string) => ExplorerState[K] | undefined };

const within =
  (key: keyof typeof LIMITS, whole = false) =>
  (text: string): number | undefined => {
    const [low, high] = LIMITS[key];
    const value = Number(text);
    return text !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))
      ? value
      : undefined;
  };

const READERS: Readers = {
  digits: (text) => {
    const found = (text === "" ? [] : text.split(";")).map((part) => DIGIT.exec(part));
    const numbers = found.map((match) => match?.slice(1).map(Number));
    if (found.length > 3 || numbers.some((one) => one === undefined || one.some((n) => !Number.isFinite(n))))
      return undefined;
    return numbers.map((one) => {
      const [sample, x, y, angle] = one as [number, number, number, number];
      return { sample, x: Math.min(50, Math.max(0, x)), y: Math.min(50, Math.max(0, y)), angle };
    });
  },
  noise: within("noise"),
  rate: within("rate"),
  repulsion: within("repulsion"),
  timesteps: within("timesteps", true),
  seed: within("seed", true),
  palette: (text) => (text === "uniform" || text === "two-hue" ? text : undefined),
  speed: within("speed"),
  language: (text) => (text === "en" || text === "zh" ? text : undefined),
};

/** Reads the part of an address after "#". Unknown keys and values out of range are ignored, and returned in a list. */
export function readAddress(hash: string): {
  readonly state: ExplorerState;
  readonly ignored: readonly string[];
} {
  const ignored: string[] = [];
  const given: Record<string, unknown> = {};
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const value = Object.hasOwn(READERS, key) ? READERS[key as keyof ExplorerState](text) : undefined;
    if (value === undefined) ignored.push(key);
    else given[key] = value;
  }
  return { state: { ...START, ...given }, ignored };
}

/** Writes the part of an address after "#": all values that differ from the start. */
export function writeAddress(state: ExplorerState): string {
  const parts = (Object.keys(START) as (keyof ExplorerState)[]).flatMap((key) => {
    const text = textOf(state, key);
    return text === textOf(START, key) ? [] : [`${key}=${text}`];
  });
  return parts.join("&");
}

function textOf(state: ExplorerState, key: keyof ExplorerState): string {
  if (key !== "digits") return String(state[key]);
  return state.digits
    .map(({ sample, x, y, angle }) => `${sample}@${short(x)},${short(y)},${short(angle)}`)
    .join(";");
}

const short = (value: number): string => String(Math.round(value * 10) / 10);
