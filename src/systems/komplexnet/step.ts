import type { Dim, Tensor } from "../../graph/index.js";
import { add, concat, equal, input, reshape, split, where } from "../../graph/index.js";
import type { StepGraph, StepState } from "../../train/step-graph.js";
import { TIMESTEP } from "../../train/step-graph.js";
import { stackBatch, unstackBatch } from "./batch-stack.js";
import type { Activity, Feedback } from "./feedback.js";
import { activityOf } from "./feedback.js";
import type { Phases } from "./kuramoto.js";
import { advance, kuramoto, phasesOf } from "./kuramoto.js";
import type { KomplexNet } from "./model.js";
import { idealPhases } from "./phases.js";
import type { StageOutputs } from "./stages.js";

/**
 * Name of the state that holds the oscillators' phases in radians. They start uniformly distributed in [-pi,
 * pi).
 */
export const OSCILLATORS = "oscillators";

/** The graph of one timestep of KomplexNet. */
export interface KomplexNetStep extends Pick<StepGraph, "state" | "noise" | "defaults"> {
  /** Phases after this timestep's update, [batch, oscillators, imageSize, imageSize]. */
  readonly phases: Tensor;
  readonly amplitude: Tensor;
  readonly stages: StageOutputs;
}

/** The phases and the state after one timestep. */
type Update = Pick<KomplexNetStep, "state" | "noise" | "defaults"> & {
  readonly now: Phases;
  /** Computes further state from the outputs of the complex layers. */
  readonly furtherState?: (stages: StageOutputs) => Readonly<Record<string, StepState>>;
};

/**
 * Writes the graph of one timestep. The state "oscillators" holds the phases. With feedback, the states
 * "activity.convolution", "activity.hidden" and "activity.readout", [batch, 2 x channels, ...], hold the
 * activity with which these layers pull at the next timestep: first the cosine parts, then the sine parts.
 * The scalars "rate" and "desynchrony" are graph inputs, and with feedback also "feedback.rates", of shape
 * [3], and the scalar "feedback.desynchrony". If phases are determined by masks, there is no state, and every
 * timestep takes new noise.
 *
 * @throws StriateError if images or masks have the wrong shape
 */
export function komplexNetStep(model: KomplexNet, images: Tensor, masks: Tensor): KomplexNetStep {
  const amplitude = model.amplitude(images);
  const { now, furtherState, state, ...rest } = updated(model, amplitude, masks);
  const stages = model.reader(amplitude)(now);
  return { ...rest, state: { ...state, ...furtherState?.(stages) }, phases: now.radians, amplitude, stages };
}

function updated(model: KomplexNet, amplitude: Tensor, masks: Tensor): Update {
  const { config, coupling, feedback } = model;
  const { phaseMode, oscillators, imageSize, rate, desynchrony } = config;
  const batch = amplitude.shape[0]!;
  const units = [batch, oscillators, imageSize, imageSize];
  if (phaseMode === "ideal") {
    const [draw, offset] = [input("noise.background", units), input("noise.offset", [1])];
    const now = phasesOf(idealPhases(masks, { ...config, draw, offset }));
    return { now, state: {}, noise: { "noise.background": "uniform", "noise.offset": "uniform" } };
  }
  const before = phasesOf(input(OSCILLATORS, units));
  const phases = (next: Tensor): Readonly<Record<string, StepState>> => ({
    [OSCILLATORS]: { next, start: { distribution: "uniform", range: [-Math.PI, Math.PI] } },
  });
  if (coupling === undefined) return { now: before, state: phases(before.radians) };

  const scalars = { rate: input("rate", []), desynchrony: input("desynchrony", []) };
  const synchrony = kuramoto(amplitude, coupling, scalars)(before);
  const defaults = { rate: [rate], desynchrony: [desynchrony] };
  if (feedback === undefined) {
    const now = advance(before, [synchrony]);
    return { now, state: phases(now.radians), defaults };
  }
  if (feedback.options.frozenAfterFirstStep) {
    const timestep = input(TIMESTEP, []);
    const now = phasesOf(where(equal(timestep, 0), add(before.radians, synchrony), before.radians));
    const state = { ...phases(now.radians), [TIMESTEP]: { next: add(timestep, 1), start: { value: 0 } } };
    return { now, state, defaults };
  }
  const rates = input("feedback.rates", [3]);
  const repulsion = input("feedback.desynchrony", []);
  const strength = {
    rates: split(rates, [1, 1, 1], 0).map((one) => reshape(one, [])),
    desynchrony: repulsion,
  };
  const now = advance(before, [
    synchrony,
    ...feedback.pulls(before, activityInputs(model, feedback, batch), strength),
  ]);
  return {
    now,
    state: phases(now.radians),
    defaults: {
      ...defaults,
      "feedback.rates": feedback.options.rates,
      "feedback.desynchrony": [feedback.options.desynchrony],
    },
    furtherState: (stages) => activityState(activityOf(stages)),
  };
}

const LAYERS = ["convolution", "hidden", "readout"] as const;

function activityInputs({ config }: KomplexNet, feedback: Feedback, batch: Dim): Activity {
  const side = Math.ceil(config.imageSize / 2);
  const shapes = {
    convolution: [feedback.fromConvolution.shape[0] as number, side, side],
    hidden: [config.hidden],
    readout: [config.classes],
  };
  const parts = LAYERS.map((layer) => {
    const [channels, ...space] = shapes[layer] as [number, ...number[]];
    const both = input(`activity.${layer}`, [batch, 2 * channels, ...space]);
    return stackBatch(split(both, [channels, channels], 1));
  });
  const [convolution, hidden, readout] = parts as [Tensor, Tensor, Tensor];
  return { convolution, hidden, readout };
}

/**
 * Makes the state that holds the layers' activity. It starts at 0, so nothing pulls at the first timestep.
 */
function activityState(active: Activity): Record<string, StepState> {
  return Object.fromEntries(
    LAYERS.map((layer) => [
      `activity.${layer}`,
      { next: concat(unstackBatch(active[layer], 2), 1), start: { value: 0 } },
    ]),
  );
}
