import { Evaluator, KomplexNet, KomplexNetTask, MultiMnist, metrics, sceneData } from "striate";
import { loadMnist, nodeRuntime, train } from "striate/node";

// How many scenes to train on: npm start -- 32000
const count = Number(process.argv[2] ?? 6400);
const scenes = sceneData(new MultiMnist(await loadMnist("train"), { count, seed: 1 }));
// Coupling and filters keep their initial values: phases synchronise without training of these.
const task = new KomplexNetTask(new KomplexNet({ timesteps: 8, kuramotoMode: "channels" }));

const run = await train(task, scenes, {
  ...{ epochs: 1, batchSize: 32, seed: 1, learningRate: 0.01, clipNorm: 2 },
  onProgress: ({ step, steps, loss, imagesPerSecond }) => {
    if (step % 25 === 0)
      console.log(`step ${step}/${steps}, loss ${loss?.toFixed(3)}, ${Math.round(imagesPerSecond)} images/s`);
  },
});

const batch = 256;
const test = sceneData(new MultiMnist(await loadMnist("test"), { count: batch, seed: 1, stream: "test" }));
const targets = new Float32Array(batch * 10);
const indices = Array.from({ length: batch }, (_, i) => i);
test.fill(indices, { targets });
const evaluator = await Evaluator.open(task, batch, run.values, nodeRuntime);
const { logits } = await evaluator.run(run.values, test, indices, ["test"]);
await evaluator.close();
const last = (logits!.data as Float32Array).slice(-batch * 10);
const right = metrics.topKSetAccuracy(last, targets, 10, 2);
console.log(`${(100 * right).toFixed(1)} % of ${batch} new pairs of digits right (chance: 2.2 %)`);
await run.export("komplexnet.onnx");
console.log("komplexnet.onnx: the network, for any ONNX Runtime");
