import { ObjectNetwork } from "../systems/akorn/objects/network.js";
import { ObjectTask } from "../systems/akorn/objects/task.js";
import { KomplexNet } from "../systems/komplexnet/model.js";
import { RealBaseline } from "../systems/komplexnet/baselines/real-baseline.js";
import { KomplexNetTask, RealBaselineTask } from "../systems/komplexnet/training/tasks.js";

/**
 * Two digits, 12 timesteps, default Gabor filters and coupling: the scale "laptop" of the experiment overlapping-digits.
 */
const digits = (phaseMode: "kuramoto" | "random"): KomplexNetTask =>
  new KomplexNetTask(new KomplexNet({ timesteps: 12, kuramotoMode: "channels", phaseMode }), {
    phases: true,
  });

/** Half the published width, otherwise the published network: the scale "laptop" of the experiment object-discovery. */
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

/** Builds a network by its name. */
export const PRETRAINED_MODELS = {
  "komplexnet-digits2": () => digits("kuramoto"),
  "random-phases-digits2": () => digits("random"),
  "real-valued-digits2": () => new RealBaselineTask(new RealBaseline()),
  "akorn-tetrominoes": tetrominoes,
} as const;

/** The name of a trained network. */
export type PretrainedName = keyof typeof PRETRAINED_MODELS;

/** The task that contains the network with a given name. */
export type PretrainedModel<N extends PretrainedName> = ReturnType<(typeof PRETRAINED_MODELS)[N]>;

export const PRETRAINED_NAMES = Object.keys(PRETRAINED_MODELS) as readonly PretrainedName[];
