import { ObjectNetwork } from "../systems/akorn/objects/network.js";
import { ObjectTask } from "../systems/akorn/objects/task.js";
import { KomplexNet } from "../systems/komplexnet/model.js";
import { RealBaseline } from "../systems/komplexnet/baselines/real-baseline.js";
import { KomplexNetTask, RealBaselineTask } from "../systems/komplexnet/training/tasks.js";

/**
 * KomplexNet as in the experiment overlapping-digits at the scale "laptop": two digits, 12 timesteps, and the
 * default Gabor filters and coupling.
 */
const digits = (phaseMode: "kuramoto" | "random"): KomplexNetTask =>
  new KomplexNetTask(new KomplexNet({ timesteps: 12, kuramotoMode: "channels", phaseMode }), {
    phases: true,
  });

/**
 * AKOrN as in the experiment object-discovery at the scale "laptop": the published network with half its number of
 * channels.
 */
const tetrominoes = (): ObjectTask => {
  const network = new ObjectNetwork({
    channels: 64,
    timesteps: 8,
    imageSize: 32,
    stimulusNorm: "none",
    rescale: false,
  });
  return new ObjectTask(network, 32, { states: true });
};

/** For each name, a function that builds the network. */
export const PRETRAINED_MODELS = {
  "komplexnet-digits2": () => digits("kuramoto"),
  "random-phases-digits2": () => digits("random"),
  "real-valued-digits2": () => new RealBaselineTask(new RealBaseline()),
  "akorn-tetrominoes": tetrominoes,
} as const;

/** The name of a trained network. */
export type PretrainedName = keyof typeof PRETRAINED_MODELS;

/** The type of the task that contains the network with a given name. */
export type PretrainedModel<N extends PretrainedName> = ReturnType<(typeof PRETRAINED_MODELS)[N]>;

export const PRETRAINED_NAMES = Object.keys(PRETRAINED_MODELS) as readonly PretrainedName[];
