import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openEVNet } from "./evnet.js";

/*
 * Peak memory of EVNet's front end, ours and PyTorch's, each in a process of its own: `npx tsx bench/evnet-memory.ts`. The
 * first number of each is the whole process; the second leaves out what it had in use before the first graph or module.
 */

const CASES = [
  ["block", 8, 224, 7],
  ["front-end", 8, 224, 7],
  ["block", 32, 64, 2],
] as const;

function peak(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 2 ** 10;
}

const [part, batch, size, degrees] = process.argv.slice(2);
if (part === "block" || part === "front-end") {
  const before = peak();
  const opened = await openEVNet(part, Number(batch), {
    imageSize: Number(size),
    visualDegrees: Number(degrees),
  });
  for (let i = 0; i < 3; i++) await opened.run();
  console.log(JSON.stringify({ MiB: peak(), more: peak() - before }));
  process.exit();
}
const peerScript = `
import json, re, sys
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL(".", import.meta.url)))})
import torch
from peer_evnet import evnet
torch.set_num_threads(2)
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before = peak()
part, batch, size, degrees = sys.argv[1:]
run = evnet(part, int(batch), int(size), int(degrees))
for _ in range(3): run()
print(json.dumps({"MiB": peak(), "more": peak() - before}))
`;
const env = { ...process.env, OPENBLAS_CORETYPE: "SKYLAKEX", OMP_NUM_THREADS: "2" };
const python = process.env.STRIATE_PYTHON ?? "/usr/bin/python3";
for (const test of CASES) {
  const words = test.map(String);
  const read = (program: string, start: readonly string[]) =>
    JSON.parse(execFileSync(program, [...start, ...words], { encoding: "utf8", env })) as {
      MiB: number;
      more: number;
    };
  const ours = read("npx", ["tsx", fileURLToPath(import.meta.url)]);
  const torch = read(python, ["-c", peerScript]);
  console.log(JSON.stringify({ name: words.join(" "), ours, torch, ratio: ours.MiB / torch.MiB, bar: 0.5 }));
}
