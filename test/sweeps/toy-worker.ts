import { queueAddress } from "../../src/sweeps/queue/address.js";
import { openBullQueue } from "../../src/sweeps/queue/bullmq.js";
import { softwareOf } from "../../src/sweeps/software.js";
import { runWorker } from "../../src/sweeps/worker.js";

// A worker for the cells of the toy: argument 1 is the address of the queue, argument 2 options as JSON.
const [address, given = "{}"] = process.argv.slice(2);
const controller = new AbortController();
process.on("SIGTERM", () => {
  controller.abort();
});
const queue = await openBullQueue(queueAddress(address), softwareOf());
console.log("ready");
try {
  await runWorker(queue, {
    jobs: 1,
    leaseSeconds: 2,
    waitSeconds: 1,
    untilEmpty: true,
    signal: controller.signal,
    onNote: console.log,
    entry: new URL("./toy-cells.mjs", import.meta.url),
    ...(JSON.parse(given) as object),
  });
  console.log("done");
} catch (error) {
  console.log(`error: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  await queue.close();
}
