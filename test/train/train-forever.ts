// A stand-in for a training process, to be killed: rows and checkpoints as fast as they can be written.
import { openRunFolder } from "../../src/train/run/run-folder-node.js";

const [path = "", mode = "hold"] = process.argv.slice(2);
const run = await openRunFolder(path, { config: { lr: 0.1 }, resume: true, keepLast: 2 });
let step = run.checkpoint?.step ?? 0;
console.log(`open ${step}`);
// A timer holds the process open, so that only a signal ends it.
setInterval(() => undefined, 1000);
while (mode === "train") {
  step++;
  run.appendMetrics({ step, loss: 1 / step });
  if (step % 5 === 0) {
    const data = new Float32Array(100_000).fill(step);
    const tensors = new Map([["param.w", { dtype: "F32" as const, shape: [data.length], data }]]);
    await run.saveCheckpoint({ step, epoch: 1, seed: 1, tensors, score: step % 20 });
    console.log(`saved ${step}`);
  }
}
