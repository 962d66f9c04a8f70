import { isTrainable } from "../../nn/module.js";
import { IterativeObjectNetwork, ObjectNetwork, ObjectTask } from "../../systems/akorn/index.js";
import type { CellConfig } from "./config.js";
import { MODEL_TEXTS } from "./models.js";

/** The network of a cell with its task; `states` adds the oscillators after every step to its answers. */
export function objectTask(
  { model, network, temperature }: Pick<CellConfig, "model" | "network" | "temperature">,
  { states = false }: { readonly states?: boolean } = {},
): ObjectTask {
  const { kind, mixing } = MODEL_TEXTS[model];
  const { channels, layers, timesteps, heads, rotatingDimensions, imageSize, patch, kernel } = network;
  const common = { channels, layers, timesteps, heads, imageSize, patch, rescale: false };
  const convolution = mixing === "convolution";
  const built =
    kind === "oscillators"
      ? new ObjectNetwork({
          ...common,
          rotatingDimensions,
          stimulusNorm: network.stimulusNorm,
          coupling: mixing,
          ...(convolution && { kernel }),
        })
      : new IterativeObjectNetwork({ ...common, ...(convolution && { kernel }) });
  return new ObjectTask(built, imageSize, { temperature, states });
}

/** Trainable parameters of a cell's network. */
export function parameterCount(cell: Pick<CellConfig, "model" | "network" | "temperature">): number {
  const trained = [...objectTask(cell).parameters.values()].filter(isTrainable);
  return trained.reduce((sum, { shape }) => sum + (shape as number[]).reduce((a, b) => a * b, 1), 0);
}
