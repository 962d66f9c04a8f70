// Gives a network in an ONNX file predictive feedback, trains its decoders on MNIST without labels, prints the answer at
// each timestep and exports the network. After `npm run build`: npx tsx examples/predify.ts model.onnx [steps]
import { loadOnnx, nodeRuntime, openImages, trainFeedback } from "striate/node";
import {
  PREPROCESSINGS,
  imageBatch,
  imageData,
  openPredictive,
  predify,
  prepareImages,
} from "striate/predify";

const [, , file = "model.onnx", steps = "100"] = process.argv;
const network = predify(await loadOnnx(file), { pcoders: 3 });
for (const { shape } of network.pcoders) console.log(`PCoder on [${shape.join(", ")}]`);

const images = await prepareImages(await openImages("mnist"), network.backbone.imageShape, {
  most: 2000,
  seed: 1,
});
const run = await trainFeedback(network, imageData(images, PREPROCESSINGS.unit), {
  steps: Number(steps),
  batchSize: 32,
  seed: 1,
  onProgress: ({ step, steps, loss }) => {
    if (step % 20 === 0) console.log(`step ${step}/${steps}, reconstruction error ${loss?.toFixed(4)}`);
  },
});

const runner = await openPredictive(network, run.values, nodeRuntime, { timesteps: 4 });
const { logits } = await runner.run(imageBatch(images, PREPROCESSINGS.unit, [0]));
const classes = logits!.shape[2]!;
for (let t = 0; t <= 4; t++) {
  const answer = Array.from(logits!.data.subarray(t * classes, (t + 1) * classes) as Float32Array);
  console.log(`timestep ${t}: class ${answer.indexOf(Math.max(...answer))}`);
}
await runner.close();
await run.export("predified.onnx", { timesteps: 4 });
