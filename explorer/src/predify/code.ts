import type { PredifyState } from "./state.js";
import { weightsOf } from "./state.js";

/** A program that computes the answers that the page shows. */
export function codeOf(state: PredifyState): string {
  const weights = weightsOf(state);
  const set = (value: number) => `new Float32Array(4).fill(${value})`;
  const more =
    weights === undefined
      ? ""
      : `, feedforward: ${set(weights.feedforward)}, feedback: ${set(weights.feedback)}, error: ${set(weights.error)}`;
  return `import { createWebRuntime, openStepper } from "striate";
import { loadPretrained } from "striate/pretrained";

const runtime = await createWebRuntime({ device: "wasm" });
const { model, values } = await loadPretrained("predify-digits");
const stepper = await openStepper(runtime, { model, values });
for (let t = 0; t <= ${state.timesteps}; t++) {
  // images: Float32Array of 32 x 32 numbers, (pixel - 0.1307) / 0.3081 for pixels from 0 to 1
  const outputs = await stepper.step({ images${more} });
  console.log(t, outputs.logits.data, outputs["reconstruction.pcoder1"].data);
}`;
}
