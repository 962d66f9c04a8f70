import { SEGMENTS } from "../compute/akorn-frame.js";
import type { ObjectState } from "./state.js";

/** A program that computes the segments that the page shows, without up-tiling. */
export function codeOf({ source, pieces, seed, rate, timesteps }: ObjectState): string {
  const isOwn = source === "own";
  const picture = isOwn
    ? "declare const images: Float32Array; // your picture, [1, 3, 32, 32], 0 to 1"
    : `const { image } = tetrominoScene(${JSON.stringify(pieces)});
const images = Float32Array.from(image, (value) => value / 255); // [1, 3, 32, 32]`;
  return `import { createWebRuntime, openStepper${isOwn ? "" : ", tetrominoScene"} } from "striate";
import { segmentImages } from "striate/akorn";
import { loadPretrained } from "striate/pretrained";

${picture}

const runtime = await createWebRuntime({ device: "wasm" });
const { model, values } = await loadPretrained("akorn-tetrominoes");
const stepper = await openStepper(runtime, { model, values }, { seed: ${seed} });
for (let t = 1; t < ${timesteps}; t++) await stepper.step({ images, stepSize: ${rate} });
const { features } = await stepper.step({ images, stepSize: ${rate} });

const segments = await segmentImages(
  images,
  async () => ({ data: features.data as Float32Array, shape: features.shape }),
  { tiling: { size: 32, patch: 4, factor: 1 }, clusters: ${SEGMENTS} },
);`;
}
