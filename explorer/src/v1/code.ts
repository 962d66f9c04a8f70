import { CELLS_PER_KIND, SIGHT } from "../compute/v1-frame.js";
import type { V1State } from "./state.js";

/** A program that computes what the page shows for a grating. */
export function codeOf(state: V1State): string {
  const { variant, seed, noise, orientation, frequency, phase, contrast, cell } = state;
  const { imageSize, visualDegrees, stride } = SIGHT;
  const isNoisy = noise === "on";
  return `import { ${isNoisy ? "Random, " : ""}createWebRuntime } from "striate";
import { input, lower, writeOnnx } from "striate/graph";
import { ${isNoisy ? "V1_NOISE, " : ""}VOneBlock, gratingPatch, sampleReceptiveFields, tuningCurve } from "striate/vonenet";

const fields = sampleReceptiveFields({ variant: "${variant}", simple: ${CELLS_PER_KIND}, complex: ${CELLS_PER_KIND}, seed: ${seed} });
const block = new VOneBlock({
  fields,
  imageSize: ${imageSize},
  visualDegrees: ${visualDegrees},
  stride: ${stride},${isNoisy ? '\n  noise: { kind: "neuronal" },' : ""}
});
const image = input("images", [1, 3, ${imageSize}, ${imageSize}]);
const graph = { responses: block.forward(image${isNoisy ? ", block.noiseInput(1)" : ""}) };

const runtime = await createWebRuntime({ device: "wasm" });
const session = await runtime.createSession(writeOnnx(lower(graph, "wasm")));

const grating = { orientation: ${orientation}, spatialFrequency: ${frequency}, phase: ${phase} };
const grey = gratingPatch(grating, ${imageSize}, block.pixelsPerDegree).map((value) => ${contrast} * value);
const data = new Float32Array(3 * grey.length);
for (const channel of [0, 1, 2]) data.set(grey, channel * grey.length);
const { responses } = await session.run({
  images: { dtype: "float32", shape: [1, 3, ${imageSize}, ${imageSize}], data },${
    isNoisy
      ? `
  [V1_NOISE]: {
    dtype: "float32",
    shape: [1, ${2 * CELLS_PER_KIND}, ${imageSize / stride}, ${imageSize / stride}],
    data: new Random(1).fillNormal(new Float32Array(${2 * CELLS_PER_KIND * (imageSize / stride) ** 2})),
  },`
      : ""
  }
});
// responses.data: [1, ${2 * CELLS_PER_KIND}, ${imageSize / stride}, ${imageSize / stride}], simple cells first

const tuning = tuningCurve(block, ${cell}, "orientation", [0, 45, 90, 135]);`;
}
