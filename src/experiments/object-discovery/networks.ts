import { IterativeObjectNetwork, ObjectNetwork, ObjectTask } from "../../systems/akorn/index.js";
import type { DiscoveryCell } from "./plan.js";
import { DISCOVERY_MODEL_TEXTS, viewsSeen } from "./plan.js";

/** The network of a cell with its task. `states` adds the oscillators after every timestep to the outputs. */
export function objectTask(
  { model, network, temperature }: Pick<DiscoveryCell, "model" | "network" | "temperature">,
  { states = false }: { readonly states?: boolean } = {},
): ObjectTask {
  const { kind, mixing } = DISCOVERY_MODEL_TEXTS[model];
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

/**
 * Number of multiply-adds in the forward pass of one view: patches, T timesteps of mixing in each layer, and the
 * read-out or MLP.
 */
export function discoveryMultiplyAdds({ model, network }: Pick<DiscoveryCell, "model" | "network">): number {
  const { channels, layers, timesteps, imageSize, patch, kernel, rotatingDimensions } = network;
  const { kind, mixing } = DISCOVERY_MODEL_TEXTS[model];
  const positions = (imageSize / patch) ** 2;
  const square = positions * channels ** 2;
  const mix = mixing === "attention" ? 4 * square + 2 * positions ** 2 * channels : kernel ** 2 * square;
  const out = (kind === "oscillators" ? rotatingDimensions : 4) * square;
  return 3 * patch ** 2 * channels * positions + layers * (timesteps * mix + out);
}

/** Multiply-adds that one core does per second in training, measured on Tetrominoes with 128 channels. */
const RATE = 2.4e10;

/** Estimate of the hours that a cell takes on one core; a training step costs about three forward passes. */
export function estimatedHours(config: DiscoveryCell): string {
  const hours = (3 * discoveryMultiplyAdds(config) * viewsSeen(config)) / RATE / 3600;
  return hours >= 1 ? String(Math.round(hours)) : hours.toPrecision(1);
}
