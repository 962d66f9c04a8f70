import {
  Evaluator,
  KomplexNet,
  KomplexNetTask,
  MultiMnist,
  createWorkerRuntime,
  sceneData,
  train,
} from "striate";
import { meanPhases, phaseMap } from "striate/draw";
import { drawDigits } from "./digits.js";

const element = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!;
const contextOf = (id: string) => element<HTMLCanvasElement>(id).getContext("2d")!;
const [curve, picture, line] = [contextOf("#loss"), contextOf("#phases"), element<HTMLElement>("#line")];
const ending = new AbortController();
element("button").addEventListener("click", () => ending.abort());

const data = sceneData(new MultiMnist(drawDigits(600, 1), { count: 1600, seed: 1 }));
// Coupling and filters keep their initial values: phases synchronise without training of these.
const model = new KomplexNet({ timesteps: 8, kuramotoMode: "channels" });
const task = new KomplexNetTask(model, { phases: true });

// One worker for everything that ONNX Runtime computes, so that the page stays alive.
const runtime = await createWorkerRuntime({ device: "wasm" });
const evaluator = await Evaluator.open(task, 1, new Map(), runtime);

const run = await train(task, data, {
  ...{ runtime, epochs: 1, batchSize: 8, seed: 1, learningRate: 0.01, clipNorm: 2, signal: ending.signal },
  evaluateEvery: 10,
  evaluate: async (values) => {
    const { phases, amplitude } = await evaluator.run(values, data, [0], ["picture"]);
    const [, channels, height, width] = amplitude!.shape as [number, number, number, number];
    const amplitudes = Array.from(amplitude!.data, Number);
    const last = Array.from(phases!.data, Number).slice(-amplitudes.length);
    const map = phaseMap(meanPhases({ channels, height, width, phases: last, amplitudes }), { scale: 5 });
    picture.putImageData(new ImageData(map.data, map.width, map.height), 0, 0);
    return {};
  },
  onProgress: ({ step, steps, loss = 0, imagesPerSecond }) => {
    curve.fillStyle = "#6cb6ec";
    curve.fillRect((320 * step) / steps, 160 - 200 * Math.min(0.8, loss), 2, 2);
    document.body.dataset.loss = String(loss);
    line.textContent = `Step ${step} of ${steps}: loss ${loss.toFixed(3)}, ${Math.round(imagesPerSecond)} images/s`;
  },
});

const link = element<HTMLAnchorElement>("a");
link.href = URL.createObjectURL(new Blob([run.export()]));
link.hidden = false;
await runtime.close();
