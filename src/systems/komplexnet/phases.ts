import type { Dim, Tensor } from "../../graph/index.js";
import { greater, input, mul, showShape, slice, squeeze, sub, where } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import type { KomplexNetConfig } from "./config.js";

/** Uniform random draws in [0, 1) by input name. */
export type PhaseNoise = Readonly<Record<string, Tensor>>;

const TURN = 2 * Math.PI;

/** Makes the graph inputs, by name, for the random draws that a model with this configuration needs. */
export function phaseNoiseInputs(config: KomplexNetConfig, batch: Dim): Record<string, Tensor> {
  const { phaseMode, timesteps, oscillators, imageSize } = config;
  const units = [batch, oscillators, imageSize, imageSize];
  const names: (readonly [string, readonly Dim[]])[] = [];
  if (phaseMode === "ideal") {
    for (let t = 0; t < timesteps; t++) names.push([backgroundNoise(t), units], [offsetNoise(t), [1]]);
  } else names.push([PHASE_NOISE, units]);
  return Object.fromEntries(names.map(([name, shape]) => [name, input(name, shape)]));
}

/**
 * Name of the input for the initial phases: uniform draws in [0, 1), of shape [batch, oscillators, height,
 * width].
 */
export const PHASE_NOISE = "noise.phases";
/** Name of the input for the phases outside all objects at timestep t. */
export const backgroundNoise = (t: number): string => `noise.background.${t}`;
/** Name of the input for the phase of the first object at timestep t. */
export const offsetNoise = (t: number): string => `noise.offset.${t}`;

/** Returns the random draw with a given name. Throws `StriateError` if it is missing. */
export function drawOf(noise: PhaseNoise, name: string): Tensor {
  const draw = noise[name];
  check(
    draw,
    () => `KomplexNet: the random draw "${name}" is missing; noiseInputs() returns all that are required`,
  );
  return draw;
}

/** Converts draws u in [0, 1) to phases in [-pi, pi): 2 pi u - pi. */
export function randomPhases(draw: Tensor): Tensor {
  return sub(mul(draw, TURN), Math.PI);
}

/**
 * Selects the masks of the groups, [batch, groups, height, width], from all masks, [batch, 1 + objects (+ 1),
 * 1, height, width]. Channel 0 is the background, which is a group only if `background` is true. If
 * `overlapChannel` is true, there is an additional last channel for the overlap, which is never a group.
 *
 * Throws `StriateError` if the masks have the wrong shape.
 */
export function groupMasks(masks: Tensor, options: MaskLayout): Tensor {
  const { background, overlapChannel } = options;
  const channels = masks.shape[1];
  const fits = masks.rank === 5 && masks.shape[2] === 1 && typeof channels === "number";
  const groups = fits ? channels - (background ? 0 : 1) - (overlapChannel ? 1 : 0) : 0;
  check(
    fits && groups >= 1,
    () =>
      `masks: expected [batch, 1 + objects${overlapChannel ? " + overlap" : ""}, 1, height, width], got ${showShape(masks.shape)}`,
  );
  const flat = squeeze(masks, [2]);
  const start = background ? 0 : 1;
  return groups === channels ? flat : slice(flat, [{ axis: 1, start, end: start + groups }]);
}

/** Describes the channels of masks in addition to those of the objects. */
export interface MaskLayout {
  /** Whether the background is a group of its own. */
  readonly background: boolean;
  /** Whether the last channel marks pixels that objects share. */
  readonly overlapChannel: boolean;
}

/** Options of {@link idealPhases}. */
export interface IdealPhaseOptions extends MaskLayout {
  /** Random draws [batch, oscillators, height, width] in [0, 1) for the phases of units outside all objects. */
  readonly draw: Tensor;
  /**
   * Random draw in [0, 1), of shape [1], for the phase of the first group, as a fraction of 2 pi / (number of
   * groups).
   */
  readonly offset: Tensor;
}

/**
 * Computes phases from masks. Group g of n groups, counted from 0, has the phase v - 2 pi g / n (wrapped into
 * [-pi, pi]). v is one random draw from [0, 2 pi / n) for the whole batch. If masks overlap, the later group
 * determines the phase. Pixels in the overlap channel have the phase midway between the first two objects.
 * All other pixels have random phases.
 */
export function idealPhases(masks: Tensor, options: IdealPhaseOptions): Tensor {
  const groups = groupMasks(masks, options);
  const count = groups.shape[1] as number;
  const first = mul(options.offset, TURN / count);
  const turnedBy = (fraction: number) => {
    const phase = sub(first, TURN * fraction);
    return where(greater(-Math.PI, phase), sub(phase, -TURN), phase);
  };
  const marked = (plane: Tensor) => greater(plane, 0.5);
  let phases = randomPhases(options.draw);
  for (let g = 0; g < count; g++) {
    const inGroup = marked(slice(groups, [{ axis: 1, start: g, end: g + 1 }]));
    phases = where(inGroup, turnedBy(g / count), phases);
  }
  if (!options.overlapChannel) return phases;
  const shared = slice(squeeze(masks, [2]), [{ axis: 1, start: -1 }]);
  const firstObject = options.background ? 1 : 0;
  return where(marked(shared), turnedBy((firstObject + 0.5) / count), phases);
}
