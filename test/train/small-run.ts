import { train } from "../../src/train/run/run-node.js";
import { smallData, smallTask } from "./small-task.js";

// A run in a process of its own, to be killed: prints a line for every step.
const [, , folder = "", delay = "0"] = process.argv;
const pause = new Int32Array(new SharedArrayBuffer(4));
await train(smallTask(), smallData(64), {
  folder,
  resume: true,
  steps: 60,
  batchSize: 8,
  seed: 7,
  checkpointEvery: 10,
  clipNorm: 1,
  onWarning: () => undefined,
  onProgress: ({ step }) => {
    console.log(step);
    // Slow enough to be killed between two steps, fast enough for a test.
    Atomics.wait(pause, 0, 0, Number(delay));
  },
});
