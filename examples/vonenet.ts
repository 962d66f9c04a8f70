// Draws two populations of V1 cells, measures one cell, and puts V1 before a network in an ONNX file that takes 32 x 32
// images. After `npm run build`: npx tsx examples/vonenet.ts model.onnx
import { writeFileSync } from "node:fs";
import { loadOnnx } from "striate/node";
import { VOneBlock, sampleReceptiveFields, tuningCurve, withV1, writeV1Network } from "striate/vonenet";

for (const variant of ["biol", "unif1"] as const) {
  const { spatialFrequency } = sampleReceptiveFields({ variant });
  const median = spatialFrequency.toSorted()[256]!;
  console.log(`${variant}: half of the cells prefer more than ${median.toFixed(1)} cycles per degree`);
}

// 64 pixels that span 2 degrees of visual angle; every second pixel gets a cell of each kind.
const block = new VOneBlock({
  fields: sampleReceptiveFields({ variant: "biol", seed: 0 }),
  imageSize: 64,
  visualDegrees: 2,
  noise: { kind: "neuronal" },
});

const cell = 300; // a complex one
const preferred = block.fields.orientation[cell]!;
const turns = [-90, -60, -30, 0, 30, 60];
const responses = tuningCurve(
  block,
  cell,
  "orientation",
  turns.map((turn) => preferred + turn),
);
for (const [i, turn] of turns.entries()) console.log(`${turn} degrees off: ${responses[i]!.toFixed(3)}`);

const [, , file] = process.argv;
if (file !== undefined) {
  const network = withV1(await loadOnnx(file), { block });
  writeFileSync("with-v1.onnx", writeV1Network(network).bytes);
  console.log("with-v1.onnx: V1 and a bottleneck to be learned, before the network");
}
