import type { CellConfig } from "./config.js";
import { viewsSeen } from "./config.js";
import { MODEL_TEXTS } from "./models.js";

/** Multiply-adds of one view, forward: patches, T steps of mixing in each layer, read-out or MLP. */
export function multiplyAdds({ model, network }: Pick<CellConfig, "model" | "network">): number {
  const { channels, layers, timesteps, imageSize, patch, kernel, rotatingDimensions } = network;
  const { kind, mixing } = MODEL_TEXTS[model];
  const positions = (imageSize / patch) ** 2;
  const square = positions * channels ** 2;
  const mix = mixing === "attention" ? 4 * square + 2 * positions ** 2 * channels : kernel ** 2 * square;
  const out = (kind === "oscillators" ? rotatingDimensions : 4) * square;
  return 3 * patch ** 2 * channels * positions + layers * (timesteps * mix + out);
}

/** Multiply-adds a second of one core in training, measured on Tetrominoes with 128 channels. */
const RATE = 2.4e10;

/** A rough number for one core; a training step costs about three times a forward pass. */
export function estimatedHours(config: CellConfig): string {
  const hours = (3 * multiplyAdds(config) * viewsSeen(config)) / RATE / 3600;
  return hours >= 1 ? String(Math.round(hours)) : hours.toPrecision(1);
}
