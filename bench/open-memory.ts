import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openOnnx } from "../src/graph/onnx/read/open-node.js";
import { Classifier } from "../src/robustness/classifier.js";
import { onnxNetwork } from "../src/robustness/onnx-network.js";
import { modelBytes } from "../src/runtime/runtime.js";
import type { Runtime } from "../src/runtime/runtime.js";
import { workerRuntime } from "../src/runtime/worker-node.js";

/*
 * Peak memory of opening a classifier's file for attack, and of ONNX Runtime alone with the same graphs, each session in a
 * thread of its own: `npx tsx bench/open-memory.ts FILE.onnx`.
 */

const BATCH = 8;

/**
 * Opens the file, runs it forward (if `sessions` is "2") and backward, and hands every graph to `runtime`.
 */
async function attack(file: string, sessions: string, runtime: Runtime): Promise<void> {
  const network = onnxNetwork(await openOnnx(file), { preprocessing: {} });
  const classifier = new Classifier(network, runtime, { threads: 2 });
  const images = { count: BATCH, data: new Float32Array(BATCH * classifier.imageSize) };
  if (sessions === "2") await classifier.logits(images);
  await classifier.lossAndGradient("ce", images, new Int32Array(BATCH));
}

/** A runtime that also writes the graphs of an attack to files beside `file`, named file.0, file.1. */
function writer(file: string): Runtime {
  let count = 0;
  return {
    ...workerRuntime,
    createSession: (model, options) => {
      writeFileSync(`${file}.${count++}`, modelBytes(model).bytes);
      return workerRuntime.createSession(model, options);
    },
  };
}

async function openAlone(file: string, sessions: string): Promise<void> {
  for (let i = 0; i < Number(sessions); i++) {
    const model = { isTooLarge: false, bytes: new Uint8Array(readFileSync(`${file}.${i}`).buffer) };
    await workerRuntime.createSession(model, { threads: 2 });
  }
}

function peak(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 2 ** 10;
}

const [file = "", mode, sessions = "1"] = process.argv.slice(2);
if (mode === "attack" || mode === "alone") {
  const started = performance.now();
  await (mode === "attack" ? attack(file, sessions, workerRuntime) : openAlone(file, sessions));
  console.log(JSON.stringify({ mebibytes: peak(), seconds: (performance.now() - started) / 1000 }));
  process.exit();
}
const folder = mkdtempSync(join(tmpdir(), "striate-bench-"));
const copy = join(folder, "model.onnx");
writeFileSync(copy, readFileSync(file));
const size = readFileSync(file).length / 2 ** 20;
const run = (how: string, count: string) =>
  JSON.parse(
    execFileSync("npx", ["tsx", fileURLToPath(import.meta.url), copy, how, count], { encoding: "utf8" }),
  ) as { mebibytes: number; seconds: number };
for (const count of ["1", "2"]) {
  await attack(copy, count, writer(copy));
  const [ours, alone] = [run("attack", count), run("alone", count)];
  console.log(
    JSON.stringify({
      name: `${count} sessions`,
      fileMiB: size,
      ours,
      alone,
      beyond: (ours.mebibytes - alone.mebibytes) / size,
    }),
  );
}
rmSync(folder, { recursive: true });
process.exit();
