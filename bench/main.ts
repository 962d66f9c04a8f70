import Table from "cli-table3";
import { availableParallelism, cpus } from "node:os";
import { ceilingCase, convolutionCases, weightGradientForms } from "./convolution.js";
import { komplexnetCases } from "./komplexnet.js";
import type { BenchCase, BenchResult } from "./measure.js";
import { measure } from "./measure.js";
import { openPeer } from "./peer.js";

/** Case groups by the word that selects them: `npm run bench -- convolution`. */
const GROUPS: Record<string, () => BenchCase[]> = {
  convolution: convolutionCases,
  forms: weightGradientForms,
  komplexnet: komplexnetCases,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => GROUPS[name] === undefined);
if (unknown.length > 0) {
  console.error(`unknown bench ${unknown.join(", ")}: expected some of ${Object.keys(GROUPS).join(", ")}`);
  process.exit(1);
}
const peer = openPeer();
const machine = `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}`;
console.error(
  `${machine}${peer ? `, PyTorch ${peer.version}` : ""}; 2 threads each, medians of 5 rounds taken in turn`,
);

const ceiling = await measure(ceilingCase(), peer);
const results: BenchResult[] = [];
for (const result of [ceiling]) report(result);
for (const name of wanted.length > 0 ? wanted : Object.keys(GROUPS)) {
  for (const test of GROUPS[name]!()) report(await measure(test, peer));
}
peer?.close();

function report(result: BenchResult): void {
  const full = result.unit === "GFLOP/s" ? { ...result, ceiling: result.ours / ceiling.ours } : result;
  results.push(full);
  console.log(JSON.stringify(full));
}

const table = new Table({ head: ["case", "ours", "PyTorch", "ratio", "bar", "of ceiling"] });
for (const { name, unit, ours, peer: theirs, ratio, bar, ceiling: share } of results) {
  table.push([
    name,
    `${ours.toPrecision(3)} ${unit}`,
    theirs === undefined ? "-" : theirs.toPrecision(3),
    ratio === undefined ? "-" : `${ratio.toFixed(2)}x`,
    bar === undefined ? "-" : `${bar}x${ratio === undefined ? "" : ratio >= bar ? " met" : " MISSED"}`,
    share === undefined ? "-" : `${Math.round(share * 100)} %`,
  ]);
}
console.log(table.toString());
