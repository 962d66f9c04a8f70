import { Evaluator } from "striate";
import { nodeRuntime, train } from "striate/node";
import { gratings } from "./gratings.js";
import { StuartLandau, StuartLandauTask } from "./stuart-landau.js";

const size = 16;
const task = new StuartLandauTask(new StuartLandau({ channels: 8, timesteps: 6, classes: 4, dt: 0.2 }), size);
const run = await train(task, gratings(1600, size, 1), {
  ...{ epochs: 2, batchSize: 32, seed: 1, learningRate: 0.01, clipNorm: 1 },
  onProgress: ({ step, steps, loss }) => {
    if (step % 20 === 0) console.log(`step ${step}/${steps}, loss ${loss?.toFixed(3)}`);
  },
});

const count = 200;
const test = gratings(count, size, 2);
const labels = new Float32Array(count);
const indices = Array.from({ length: count }, (_, i) => i);
test.fill(indices, { labels });
const evaluator = await Evaluator.open(task, count, new Map(), nodeRuntime);
const { logits } = await evaluator.run(run.values, test, indices, ["test"]);
await evaluator.close();
const right = indices.filter((i) => {
  const own = Array.from(logits!.data.slice(4 * i, 4 * i + 4), Number);
  return own.indexOf(Math.max(...own)) === labels[i];
});
console.log(`${((100 * right.length) / count).toFixed(1)} % of ${count} new gratings right (chance: 25 %)`);
await run.export("stuart-landau.onnx");
