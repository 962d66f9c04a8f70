import type { Dim, Tensor } from "../../graph/index.js";
import { greater, input, mul, showShape, slice, squeeze, sub, where } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import type { KomplexNetConfig } from "./config.js";

/** Uniform draws in [0, 1) by input name. */
export type PhaseNoise = Readonly<Record<string, Tensor>>;

const TURN = 2 * Math.PI;

/** Names of the draws a model needs, and the inputs that take them. */
export function phaseNoiseInputs(config: KomplexNetConfig, batch: Dim): Record<string, Tensor> {
  const { phaseMode, timesteps, oscillators, imageSize } = config;
  const units = [batch, oscillators, imageSize, imageSize];
  const names: (readonly [string, readonly Dim[]])[] = [];
  if (phaseMode === "ideal") {
    for (let t = 0; t < timesteps; t++) names.push([backgroundNoise(t), units], [offsetNoise(t), [1]]);
  } else names.push([PHASE_NOISE, units]);
  return Object.fromEntries(names.map(([name, shape]) => [name, input(name, shape)]));
}

/** Name of the input that phases start from, [batch, oscillators, height, width] in [0, 1). */
export const PHASE_NOISE = "noise.phases";
/** Name of the input that phases outside of all objects are drawn from at timestep t. */
export const backgroundNoise = (t: number): string => `noise.background.${t}`;
/** Name of the input that the phase of the first object is drawn from at timestep t. */
export const offsetNoise = (t: number): string => `noise.offset.${t}`;

/** One of the draws that `noiseInputs` names. */
export function drawOf(noise: PhaseNoise, name: string): Tensor {
  const draw = noise[name];
  check(draw, () => `KomplexNet: the draw "${name}" is missing; noiseInputs() names all that are needed`);
  return draw;
}

/** Uniform in [-pi, pi): 2 pi u - pi. */
export function randomPhases(draw: Tensor): Tensor {
  return sub(mul(draw, TURN), Math.PI);
}

/**
 * Masks without what is no object group: [batch, groups, height, width]. Channel 0 of
 * [batch, 1 + objects (+ 1), 1, height, width] is the background, the last one the overlap where there is one.
 *
 * Throws `StriateError` for masks of another shape.
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

/** What the channels of masks stand for. */
export interface MaskLayout {
  /** Whether the background is a group of its own. */
  readonly background: boolean;
  /** Whether the last channel marks pixels that objects share. */
  readonly overlapChannel: boolean;
}

/** What phases are painted with that follow from masks. */
export interface IdealPhaseOptions extends MaskLayout {
  /** [batch, oscillators, height, width] in [0, 1): phases of units outside all objects. */
  readonly draw: Tensor;
  /** [1] in [0, 1): phase of the first object, as a fraction of 2 pi / groups. */
  readonly offset: Tensor;
}

/**
 * Phases painted from the masks: group g = 0..n-1 gets v - 2 pi g / n (wrapped into [-pi, pi]), v uniform in [0, 2 pi / n), one
 * draw for the whole batch; later groups overwrite earlier ones. Pixels that objects share get the phase midway between the first
 * two objects. Everything else keeps random phases.
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
    const here = marked(slice(groups, [{ axis: 1, start: g, end: g + 1 }]));
    phases = where(here, turnedBy(g / count), phases);
  }
  if (!options.overlapChannel) return phases;
  const shared = slice(squeeze(masks, [2]), [{ axis: 1, start: -1 }]);
  const firstObject = options.background ? 1 : 0;
  return where(marked(shared), turnedBy((firstObject + 0.5) / count), phases);
}
