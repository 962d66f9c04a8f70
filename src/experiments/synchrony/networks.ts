import type { TensorData } from "../../graph/index.js";
import type { KomplexNetOptions } from "../../systems/komplexnet/config.js";
import { CouplingTask } from "../../systems/komplexnet/training/coupling-task.js";
import { KomplexNet } from "../../systems/komplexnet/model.js";
import { RealBaseline } from "../../systems/komplexnet/baselines/real-baseline.js";
import type { KomplexNetTaskOptions } from "../../systems/komplexnet/training/tasks.js";
import {
  KomplexNetTask,
  RealBaselineTask,
  TransformerBaselineTask,
} from "../../systems/komplexnet/training/tasks.js";
import { TransformerBaseline } from "../../systems/komplexnet/baselines/transformer-baseline.js";
import type { Task } from "../../train/task.js";
import type { DigitsModelDescription } from "../digits/results.js";
import { BASELINE_TEXTS } from "../digits/results.js";
import { imageChannels } from "../digits/scenes.js";
import type { Dynamics, KernelCell, SynchronyModelName, SynchronyNetworkCell } from "./plan.js";
import { SYNCHRONY_SETS } from "./plan.js";

export interface NetworkOptions extends KomplexNetTaskOptions {
  /** Number of objects in the test scenes. Default: as in training. */
  readonly objects?: number;
  readonly overlapChannel?: boolean;
  /** Dynamics for the test, if they differ from those of training. */
  readonly dynamics?: Dynamics;
  /** The pretrained coupling kernel for model "pretrained". */
  readonly coupling?: TensorData | undefined;
}

/** The task of a cell, with its network. */
export function networkTask(
  {
    set,
    model,
    mode,
    dynamics: trained,
    start,
  }: Pick<SynchronyNetworkCell, "set" | "model" | "mode" | "dynamics" | "start">,
  { objects, overlapChannel = false, dynamics = trained, coupling, ...task }: NetworkOptions = {},
): Task {
  const inChannels = imageChannels(SYNCHRONY_SETS[set]);
  const trainFrontEnd = mode === "endtoend";
  if (model === "real") return new RealBaselineTask(new RealBaseline({ inChannels, trainFrontEnd: true }));
  if (model === "transformer") return new TransformerBaselineTask(new TransformerBaseline({ inChannels }));
  const options: KomplexNetOptions = {
    inChannels,
    timesteps: dynamics.timesteps,
    desynchrony: dynamics.desynchrony,
    kuramotoMode: trainFrontEnd ? "endtoend" : "channels",
    phaseMode: model === "ideal" || model === "random" ? model : "kuramoto",
    objects: objects ?? SYNCHRONY_SETS[set].digits,
    overlapChannel,
    coupling: coupling
      ? { kernel: "learnt", values: coupling }
      : { kernel: model === "randomKernel" ? "random" : "gaussian", size: dynamics.couplingSize },
    ...(model === "feedback" && { feedback: {} }),
  };
  // The control is trained with the same loss as the network with feedback.
  const loss = start?.kind === "network" ? ({ loss: "endToEnd" } as const) : {};
  return new KomplexNetTask(new KomplexNet(options), { ...loss, ...task });
}

export function kernelTask({ set, dynamics }: KernelCell): CouplingTask {
  const { timesteps, desynchrony, couplingSize } = dynamics;
  return new CouplingTask({
    inChannels: imageChannels(SYNCHRONY_SETS[set]),
    objects: SYNCHRONY_SETS[set].digits,
    timesteps,
    desynchrony,
    coupling: { size: couplingSize },
  });
}

export const hasPhases = (model: SynchronyModelName): boolean => model !== "real" && model !== "transformer";

export const SYNCHRONY_MODEL_TEXTS: Readonly<
  Record<SynchronyModelName, Omit<DigitsModelDescription, "parameters">>
> = {
  kuramoto: {
    id: "kuramoto",
    label: "KomplexNet",
    role: "kuramoto",
    description: "A feed-forward network whose phases start at random and synchronise by Kuramoto dynamics.",
  },
  feedback: {
    id: "feedback",
    label: "with feedback",
    role: "feedback",
    description: "KomplexNet in which deeper layers also influence the phases.",
  },
  continued: {
    id: "continued",
    label: "trained longer",
    role: "continued",
    description: "Control for feedback: KomplexNet trained for as many further steps, but without feedback.",
  },
  pretrained: {
    id: "pretrained",
    label: "pretrained kernel",
    role: "other",
    description: "KomplexNet whose coupling was first trained on the synchrony loss alone, and then frozen.",
  },
  randomKernel: {
    id: "randomKernel",
    label: "random kernel",
    role: "other",
    description:
      "KomplexNet whose coupling starts with random values, uniform in [0, 1), instead of a Gaussian.",
  },
  ...BASELINE_TEXTS,
  transformer: {
    id: "transformer",
    label: "transformer",
    role: "transformer",
    description: "A small vision transformer with attention between the patches of an image.",
  },
};
