// KomplexNet with feedback on three digits: trains briefly, then prints how well phases alone tell the digits
// apart. About two minutes on two cores. After `npm run build`: npx tsx examples/komplexnet-feedback.ts
// [scenes to train on]
import { Evaluator, KomplexNet, KomplexNetTask, MultiMnist, metrics, sceneData } from "striate";
import { loadMnist, nodeRuntime, train } from "striate/node";

const digits = 3;
const count = Number(process.argv[2] ?? 4_800);
const scenes = sceneData(new MultiMnist(await loadMnist("train"), { count, seed: 1, digits }));
const model = new KomplexNet({ timesteps: 8, kuramotoMode: "channels", objects: digits, feedback: {} });
const task = new KomplexNetTask(model, { phases: true });

const run = await train(task, scenes, {
  epochs: 1,
  batchSize: 32,
  seed: 1,
  learningRate: 0.01,
  clipNorm: 2,
  onProgress: ({ step, steps, loss }) => {
    if (step % 10 === 0) console.log(`step ${step}/${steps}, loss ${loss?.toFixed(3)}`);
  },
});

const [batch, pixels, maskChannels] = [64, 1024, 1 + digits];
const test = sceneData(
  new MultiMnist(await loadMnist("test"), { count: batch, seed: 1, stream: "test", digits }),
);
const indices = Array.from({ length: batch }, (_, i) => i);
const masks = new Float32Array(batch * maskChannels * pixels);
test.fill(indices, { masks });
const evaluator = await Evaluator.open(task, batch, run.values, nodeRuntime);
const { phases, amplitude } = await evaluator.run(run.values, test, indices, ["example"]);
const amplitudes = amplitude?.data as Float32Array;
for (let t = 0; t < 8; t++) {
  const step = (phases?.data as Float32Array).subarray(t * amplitudes.length, (t + 1) * amplitudes.length);
  const sizes = { phases: step, amplitudes, masks, batch, channels: 8, maskChannels, pixels };
  const ari = metrics.summarise(metrics.phaseClusterAri(sizes)).mean;
  console.log(`timestep ${t + 1}: phases against masks, ARI ${ari.toFixed(2)}`);
}
