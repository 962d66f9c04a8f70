// Trains a small KomplexNet on pairs of MNIST digits, tests it and exports it. About two minutes on two cores.
// After `npm run build`: npx tsx examples/komplexnet.ts [scenes to train on]
import { Evaluator, KomplexNet, KomplexNetTask, MultiMnist, metrics, sceneData } from "striate";
import { loadMnist, nodeRuntime, train } from "striate/node";

const scenes = sceneData(
  new MultiMnist(await loadMnist("train"), { count: Number(process.argv[2] ?? 32_000), seed: 1 }),
);
// Coupling and Gabor filters keep their initial values: phases synchronise without training of these, and
// this saves time.
const task = new KomplexNetTask(new KomplexNet({ timesteps: 8, kuramotoMode: "channels" }));

const run = await train(task, scenes, {
  epochs: 1,
  batchSize: 32,
  seed: 1,
  learningRate: 0.01,
  clipNorm: 2,
  onProgress: ({ step, steps, loss, imagesPerSecond }) => {
    if (step % 50 === 0)
      console.log(`step ${step}/${steps}, loss ${loss?.toFixed(3)}, ${Math.round(imagesPerSecond)} images/s`);
  },
});

const batch = 256;
const test = sceneData(new MultiMnist(await loadMnist("test"), { count: batch, seed: 1, stream: "test" }));
const indices = Array.from({ length: batch }, (_, i) => i);
const targets = new Float32Array(batch * 10);
test.fill(indices, { targets });
const evaluator = await Evaluator.open(task, batch, run.values, nodeRuntime);
const { logits } = await evaluator.run(run.values, test, indices, ["example"]);
// Logits are [timesteps, batch, 10]: how often are the two likeliest digits the right two, timestep by timestep?
for (let t = 0; t < 8; t++) {
  const step = (logits?.data as Float32Array).subarray(t * batch * 10, (t + 1) * batch * 10);
  console.log(
    `timestep ${t + 1}: ${(100 * metrics.topKSetAccuracy(step, targets, 10, 2)).toFixed(1)} % of pairs right`,
  );
}
await run.export("komplexnet.onnx");
