import { ObjectNetwork } from "../systems/akorn/objects/network.js";
import { ObjectTask } from "../systems/akorn/objects/task.js";

/**
 * AKOrN as in the experiment object-discovery at the scale "laptop": the published network with half its number of
 * channels.
 */
export function tetrominoesNetwork(): ObjectTask {
  const network = new ObjectNetwork({
    channels: 64,
    timesteps: 8,
    imageSize: 32,
    stimulusNorm: "none",
    rescale: false,
  });
  return new ObjectTask(network, 32, { states: true });
}
