import type { ModelDescription } from "../../report/digits-data.js";
import { KomplexNet } from "../../systems/komplexnet/model.js";
import { RealBaseline } from "../../systems/komplexnet/baselines/real-baseline.js";
import { KomplexNetTask, RealBaselineTask } from "../../systems/komplexnet/training/tasks.js";
import type { KomplexNetTaskOptions } from "../../systems/komplexnet/training/tasks.js";
import type { Task } from "../../train/task.js";
import type { CellConfig, ModelName } from "./config.js";

/** The network of a cell with its task. */
export function taskOf(
  { model, mode, timesteps }: Pick<CellConfig, "model" | "mode" | "timesteps">,
  options: KomplexNetTaskOptions = {},
): Task {
  if (model === "real") return new RealBaselineTask(new RealBaseline());
  return new KomplexNetTask(new KomplexNet({ timesteps, kuramotoMode: mode, phaseMode: model }), options);
}

export function parameterCount(task: Task): number {
  let count = 0;
  for (const { shape } of task.parameters.values())
    count += shape.reduce<number>((a, b) => a * (b as number), 1);
  return count;
}

export const MODEL_TEXTS: Readonly<Record<ModelName, Omit<ModelDescription, "parameters">>> = {
  kuramoto: {
    id: "kuramoto",
    label: "KomplexNet",
    role: "kuramoto",
    description: "Complex-valued; phases start at random and synchronise by Kuramoto dynamics.",
  },
  ideal: {
    id: "ideal",
    label: "ideal phases",
    role: "ideal",
    description: "The same network with phases painted from the true masks: the upper bound.",
  },
  random: {
    id: "random",
    label: "random phases",
    role: "random",
    description: "The same network without synchrony: phases are drawn once and never change.",
  },
  real: {
    id: "real",
    label: "real-valued",
    role: "real",
    description: "No phases; slightly wider, for about as many parameters.",
  },
};
