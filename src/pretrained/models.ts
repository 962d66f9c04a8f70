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

/** For each name, a function that builds the network. */
export const PRETRAINED_MODELS = {
  "komplexnet-digits2": () => digits("kuramoto"),
  "random-phases-digits2": () => digits("random"),
  "real-valued-digits2": () => new RealBaselineTask(new RealBaseline()),
} as const;

/** The name of a trained network. */
export type PretrainedName = keyof typeof PRETRAINED_MODELS;

/** The type of the task that contains the network with a given name. */
export type PretrainedModel<N extends PretrainedName> = ReturnType<(typeof PRETRAINED_MODELS)[N]>;

export const PRETRAINED_NAMES = Object.keys(PRETRAINED_MODELS) as readonly PretrainedName[];
