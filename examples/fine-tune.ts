// Replaces the last layer of a classifier, trains only the new one on your own images, and writes the network.
// After `npm run build`: npx tsx examples/fine-tune.ts model.onnx photos/ [preprocessing]
import { FineTuningTask, Evaluator, adamW, cosineRate, preprocessingPreset, withHead } from "striate";
import { loadOnnx, openImageLoader, train, trainingParts, workerRuntime } from "striate/node";

const [file = "model.onnx", folder = "photos", preset = "imagenet"] = process.argv.slice(2);
const { train: photos, test } = await trainingParts(folder);
const { classes } = photos;
const model = withHead(await loadOnnx(file), { classes });

const [images] = Object.values(model.inputs);
const [, channels, height, width] = images!.shape as [string, 1 | 3, number, number];
const size = { width, height, shortSide: Math.round(height / 0.875) };
const preprocessing = preprocessingPreset(preset);
const augmented = { ...size, crop: { scale: [0.5, 1] as const } };
const data = openImageLoader(photos, { transform: augmented, preprocessing, channels });
const parameters = new Map([...model.parameters].map(([name, { tensor }]) => [name, tensor]));
const task = new FineTuningTask({ images: images!, logits: model.outputs.logits!, parameters });
const values = new Map([...model.parameters].map(([name, { data: stored }]) => [name, stored]));
const head = new Set([...values.keys()].slice(-2));
const [epochs, batchSize] = [5, 8];
const learningRate = cosineRate({ rate: 0.01, steps: epochs * Math.floor(data.count / batchSize) });
const recipe = { epochs, batchSize, seed: 1, optimizer: adamW(), learningRate, values };
const run = await train(task, data, { ...recipe, trainable: (name) => head.has(name) });
await data.close();
await run.export("fine-tuned.onnx", { preprocessing, classes });

const evaluator = await Evaluator.open(task, test.count, new Map(), workerRuntime);
const shown = openImageLoader(test, { transform: size, preprocessing, channels });
const indices = Array.from({ length: test.count }, (_, i) => i);
const { logits } = await evaluator.run(run.values, shown, indices, ["test"]);
const best = indices.map((i) => {
  const scores = Array.from(logits!.data.slice(i * classes.length, (i + 1) * classes.length), Number);
  return scores.indexOf(Math.max(...scores));
});
console.log(
  `${best.filter((label, i) => label === test.labels[i]).length} of ${test.count} test images right`,
);
await Promise.all([evaluator.close(), shown.close()]);
