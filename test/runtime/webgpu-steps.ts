import { initialState } from "../../src/nn/module.js";
import { KomplexNet } from "../../src/systems/komplexnet/model.js";
import { KomplexNetTask } from "../../src/systems/komplexnet/training/tasks.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { Task, TrainingData } from "../../src/train/task.js";
import { Trainer } from "../../src/train/trainer.js";
import { Random } from "../../src/util/random.js";
import { smallTask, smallData } from "../train/small-task.js";

// A process of its own, because the Vulkan driver is chosen by the environment: the same training steps on WebGPU and on
// the CPU; prints the losses and the largest difference of the state.
const komplexnet = (): Task =>
  new KomplexNetTask(new KomplexNet({ timesteps: 2, channels: 2, hidden: 6, coupling: { size: 5 } }));

const scenes: TrainingData = {
  count: 8,
  fill: (indices, fields) => {
    for (const [name, values] of Object.entries(fields)) {
      const random = Random.derive("scenes", name, indices[0]!);
      for (let i = 0; i < values.length; i++) values[i] = random.uniform() < 0.2 ? 1 : 0;
    }
  },
};

async function compare(name: string, task: () => Task, data: TrainingData, batchSize: number): Promise<void> {
  const run = async (device: "cpu" | "webgpu") => {
    const recipe = {
      batchSize,
      seed: 3,
      clipNorm: 2,
      values: initialState(task().parameters, (p) => Random.derive(3, p)),
    };
    const trainer = await Trainer.open(task(), data, recipe, nodeRuntime, { device });
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) losses.push((await trainer.advance()).loss);
    const state = await trainer.state();
    await trainer.close();
    return { losses, state };
  };
  const [gpu, cpu] = [await run("webgpu"), await run("cpu")];
  let difference = 0;
  for (const [key, { data: values }] of cpu.state) {
    const other = gpu.state.get(key)!.data;
    for (let i = 0; i < values.length; i++)
      difference = Math.max(difference, Math.abs(Number(values[i]) - Number(other[i])));
  }
  console.log(JSON.stringify({ name, gpu: gpu.losses, cpu: cpu.losses, difference }));
}

await compare("small network", smallTask, smallData(16), 8);
await compare("KomplexNet", komplexnet, scenes, 2);
process.exit(0);
