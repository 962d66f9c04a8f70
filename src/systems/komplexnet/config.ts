import type { TensorData } from "../../graph/index.js";
import {
  checkFinite,
  checkKeys,
  checkLength,
  checkOdd,
  checkOneOf,
  checkPositive,
  checkTensor,
  checkWhole,
} from "../../util/check.js";
import { check } from "../../util/errors.js";

/**
 * Which units are oscillators, and which parts of the first layer are trained:
 * - `"endtoend"`: one oscillator for each Gabor response; Gabor filters and coupling are trained.
 * - `"channels"`: the same oscillators; Gabor filters and coupling are frozen.
 * - `"input"`: one oscillator for each pixel; the coupling is frozen, and a trained complex convolution replaces the
 *   Gabor filters.
 */
export type KuramotoMode = "endtoend" | "channels" | "input";

/**
 * What determines the phases: synchronisation from a random start ("kuramoto"), one random draw that never
 * changes ("random"), or the masks of the objects ("ideal").
 */
export type PhaseMode = "kuramoto" | "random" | "ideal";

/**
 * The initial coupling kernel: a wide Gaussian of the distance between oscillators ("gaussian"), uniform
 * random draws in [0, 1) ("random"), or given values ("learnt").
 */
export type CouplingKernel = "gaussian" | "random" | "learnt";

/** Options of the kernel K, which couples the phases of nearby oscillators. */
export interface CouplingOptions {
  /** Default `"gaussian"`. A `"learnt"` kernel needs `values` and is frozen. */
  readonly kernel?: CouplingKernel;
  /** Side of the square kernel, an odd number. Default 13, or the side of `values`. */
  readonly size?: number;
  /**
   * For `"gaussian"`: distance from the centre at which the kernel is largest, in units of half its side.
   * Default 0.
   */
  readonly mean?: number;
  /** For `"gaussian"`: standard deviation, in units of half the kernel's side. Default 3. */
  readonly deviation?: number;
  /** For `"learnt"`: the kernel, of shape `[oscillators, oscillators, size, size]`. */
  readonly values?: TensorData;
}

/** Options of the pull that deeper layers exert on the phases. */
export interface FeedbackOptions {
  /**
   * Side of the kernel through which the complex convolution pulls on the oscillators, an odd number.
   * Default 11.
   */
  readonly size?: number;
  /** Step sizes of the pulls from the convolution, the hidden layer and the read-out. Default 0.006 each. */
  readonly rates?: readonly [convolution: number, hidden: number, readout: number];
  /**
   * Global repulsion in the pull from the convolution (epsilon2 in the equation in `feedback.ts`). Default 0.
   */
  readonly desynchrony?: number;
  /** Whether phases are frozen after the first timestep (the authors' flag `random`). Default false. */
  readonly frozenAfterFirstStep?: boolean;
}

/** Options of KomplexNet. All defaults are the authors'. */
export interface KomplexNetOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Default 15. */
  readonly timesteps?: number;
  /** Side of the square images in pixels. Default 32. */
  readonly imageSize?: number;
  /** Channels of the images: 1 for grey (default), 3 for colour. */
  readonly inChannels?: number;
  /** Channels of the complex convolution. Default 8. */
  readonly channels?: number;
  /** Units of the complex hidden layer. Default 50. */
  readonly hidden?: number;
  /** Whether complex layers have biases. Default true. */
  readonly biases?: boolean;
  /**
   * The first layer: `"gabor"` (default) has 5 x 5 filters that start as Gabor functions; `"conv"` has 3 x 3
   * filters that start at random.
   */
  readonly frontEnd?: "gabor" | "conv";
  /** Default `"endtoend"`. */
  readonly kuramotoMode?: KuramotoMode;
  /** Default `"kuramoto"`. */
  readonly phaseMode?: PhaseMode;
  readonly coupling?: CouplingOptions;
  /** Global repulsion between all active units of an image (the authors' epsilon). Default 0.202. */
  readonly desynchrony?: number;
  /** Step size of the phase dynamics (the authors' lr_kuramoto). Default 0.006. */
  readonly rate?: number;
  /** Largest number of objects in an image. Default 2. */
  readonly objects?: number;
  /**
   * Whether the background, which is mask channel 0, counts as a group of its own, as each object does.
   * Default false.
   */
  readonly background?: boolean;
  /** Whether masks have a last channel for pixels that objects share. Default false. */
  readonly overlapChannel?: boolean;
  /**
   * Options of the pull that deeper layers exert on the phases of the first layer (the paper's recurrent
   * model). Default: there is none.
   */
  readonly feedback?: FeedbackOptions;
  /**
   * What happens to the gradient of a complex layer's direction if psi (see `complex-layers.ts`) is 0, which
   * is possible only without biases. If true, the gradient is multiplied by 1e8, as in the authors' code. If
   * false (default), no gradient passes.
   */
  readonly singularGradients?: boolean;
}

/** The options of a KomplexNet with all defaults filled in. */
export type KomplexNetConfig = Omit<Required<KomplexNetOptions>, "coupling" | "feedback"> & {
  readonly coupling: Required<Omit<CouplingOptions, "values">> & Pick<CouplingOptions, "values">;
  readonly feedback: Required<FeedbackOptions> | undefined;
  /** Number of oscillators at each pixel. */
  readonly oscillators: number;
};

const DEFAULTS = {
  classes: 10,
  timesteps: 15,
  imageSize: 32,
  inChannels: 1,
  channels: 8,
  hidden: 50,
  biases: true,
  frontEnd: "gabor",
  kuramotoMode: "endtoend",
  phaseMode: "kuramoto",
  desynchrony: 0.202,
  rate: 0.006,
  objects: 2,
  background: false,
  overlapChannel: false,
  singularGradients: false,
} as const;
const COUPLING = { kernel: "gaussian", size: 13, mean: 0, deviation: 3 } as const;
const FEEDBACK = {
  size: 11,
  rates: [0.006, 0.006, 0.006],
  desynchrony: 0,
  frozenAfterFirstStep: false,
} as const;

/** Number of Gabor filters. */
export const FILTERS = 8;

const CHOICES = {
  kuramotoMode: ["endtoend", "channels", "input"],
  phaseMode: ["kuramoto", "random", "ideal"],
  frontEnd: ["gabor", "conv"],
} as const;

/**
 * Fills in the defaults of all options. Throws `StriateError` if an option is invalid or contradicts another.
 */
export function komplexNetConfig(options: KomplexNetOptions = {}): KomplexNetConfig {
  const { coupling: couplingOptions = {}, feedback: feedbackOptions, ...rest } = options;
  checkKeys("KomplexNet", options, [...Object.keys(DEFAULTS), "coupling", "feedback"]);
  checkKeys("coupling", couplingOptions, [...Object.keys(COUPLING), "values"]);
  const all = { ...DEFAULTS, ...rest };
  for (const [name, values] of Object.entries(CHOICES)) {
    checkOneOf(name, all[name as keyof typeof CHOICES], values);
  }
  for (const name of [
    "classes",
    "timesteps",
    "imageSize",
    "inChannels",
    "channels",
    "hidden",
    "objects",
  ] as const) {
    checkWhole(name, all[name]);
  }
  checkFinite("desynchrony", all.desynchrony);
  checkFinite("rate", all.rate);
  const oscillators = all.kuramotoMode === "input" ? all.inChannels : FILTERS;
  const coupling = couplingConfig(couplingOptions, all.kuramotoMode, all.phaseMode, oscillators);
  const feedback = feedbackOptions && feedbackConfig(feedbackOptions, all.phaseMode, all.kuramotoMode);
  return { ...all, coupling, feedback, oscillators };
}

function couplingConfig(
  options: CouplingOptions,
  mode: KuramotoMode,
  phaseMode: PhaseMode,
  oscillators: number,
): KomplexNetConfig["coupling"] {
  const { values } = options;
  const all = { ...COUPLING, ...(values && { size: values.shape[2] ?? 0 }), ...options };
  checkOneOf("coupling.kernel", all.kernel, ["gaussian", "random", "learnt"]);
  checkWhole("coupling.size", all.size);
  check(
    all.size % 2 === 1,
    () => `coupling.size: expected an odd number, so that the kernel has a centre, got ${all.size}`,
  );
  checkFinite("coupling.mean", all.mean);
  checkPositive("coupling.deviation", all.deviation);
  // Without phase dynamics, the coupling is not used and need not be checked.
  if (phaseMode !== "kuramoto") return all;
  check(
    mode !== "endtoend" || all.kernel !== "learnt",
    () =>
      'coupling.kernel: "learnt" is frozen, but kuramotoMode "endtoend" trains the kernel: use kuramotoMode "channels", or load the values as the model\'s state',
  );
  check(
    mode !== "input" || all.kernel === "learnt",
    () => `kuramotoMode "input" needs coupling.kernel "learnt", got "${all.kernel}"`,
  );
  check(
    (all.kernel === "learnt") === (values !== undefined),
    () =>
      `coupling: expected values if and only if the kernel is "learnt", got kernel "${all.kernel}" ${values ? "with" : "without"} values`,
  );
  if (values) {
    const expected = [oscillators, oscillators, all.size, all.size];
    checkTensor("coupling.values", values, "float32", expected);
    checkCouplingValues(values, "coupling.values");
  }
  return all;
}

/**
 * Throws `StriateError` unless a coupling kernel is square with an odd side, has as many inputs as outputs,
 * and contains only finite numbers.
 */
export function checkCouplingValues({ shape, data }: TensorData, what: string): void {
  const [to, from, height, width] = shape;
  check(
    shape.length === 4 && to === from && height === width,
    () => `${what}: expected [oscillators, oscillators, size, size], got [${shape.join(", ")}]`,
  );
  check(
    height! % 2 === 1,
    () => `${what}: expected an odd size, so that the kernel has a centre, got ${height!}`,
  );
  const bad = data.findIndex((value: number | bigint) => !Number.isFinite(Number(value)));
  check(bad < 0, () => `${what}: expected finite numbers, got ${String(data[bad])} at position ${bad}`);
}

function feedbackConfig(
  options: FeedbackOptions,
  phaseMode: PhaseMode,
  mode: KuramotoMode,
): Required<FeedbackOptions> {
  checkKeys("feedback", options, Object.keys(FEEDBACK));
  check(phaseMode === "kuramoto", () => `phaseMode: expected "kuramoto" with feedback, got "${phaseMode}"`);
  check(mode !== "input", () => 'kuramotoMode: expected "endtoend" or "channels" with feedback, got "input"');
  const all = { ...FEEDBACK, ...options };
  checkOdd("feedback.size", all.size);
  const rates: readonly number[] = all.rates;
  checkLength("feedback.rates", rates, 3);
  for (const rate of rates) checkFinite("feedback.rates", rate);
  checkFinite("feedback.desynchrony", all.desynchrony);
  return all;
}
