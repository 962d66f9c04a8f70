import Table from "cli-table3";
import { availableParallelism, cpus } from "node:os";
import { akornCases, akornStepCases } from "./akorn.js";
import { corruptionCases } from "./corruptions.js";
import { evnetCases } from "./evnet.js";
import { ceilingCase, convolutionCases, weightGradientForms } from "./convolution.js";
import { feedbackCases, komplexnetCases } from "./komplexnet.js";
import type { BenchCase, BenchResult } from "./measure.js";
import { ROUNDS, measure } from "./measure.js";
import { ownImagesCases } from "./own-images.js";
import type { Peer, PeerName } from "./peer.js";
import { openPeer } from "./peer.js";
import { predifyCases } from "./predify.js";
import { robustnessCases } from "./robustness.js";
import { secondsToFirstStep } from "./start.js";
import { vonenetCases } from "./vonenet.js";

/** Case groups by the word that selects them: `npm run bench -- convolution`. */
const GROUPS: Record<string, () => BenchCase[]> = {
  convolution: convolutionCases,
  forms: weightGradientForms,
  komplexnet: komplexnetCases,
  feedback: feedbackCases,
  akorn: akornCases,
  "akorn-steps": akornStepCases,
  corruptions: corruptionCases,
  predify: predifyCases,
  robustness: robustnessCases,
  vonenet: vonenetCases,
  evnet: evnetCases,
  "own-images": ownImagesCases,
};

const START = "start";
const names = [START, ...Object.keys(GROUPS)];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`unknown bench ${unknown.join(", ")}: expected some of ${names.join(", ")}`);
  process.exit(1);
}
const peers = new Map<PeerName, Peer | undefined>();
const peerOf = (test: BenchCase): Peer | undefined => {
  const name = test.peer?.of ?? "torch";
  if (!peers.has(name)) peers.set(name, openPeer(name));
  return peers.get(name);
};
const machine = `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}`;
console.error(
  `${machine}; 2 threads for operators, corruptions on one core; medians of ${ROUNDS} rounds that alternate with the peer's`,
);

const ceilingTest = ceilingCase();
if (wanted.includes(START)) {
  const seconds = await secondsToFirstStep();
  console.log(
    JSON.stringify({
      name: "start of the main job to its first training step",
      unit: "s",
      ours: seconds,
      aim: 10,
    }),
  );
}
const ceiling = await measure(ceilingTest, peerOf(ceilingTest));
const results: BenchResult[] = [];
for (const result of [ceiling]) report(result);
for (const name of wanted) {
  for (const test of GROUPS[name]?.() ?? []) report(await measure(test, peerOf(test)));
}
for (const [, peer] of peers) {
  if (peer) console.error(`peer: ${peer.version}`);
  peer?.close();
}

function report(result: BenchResult): void {
  const full = result.unit === "GFLOP/s" ? { ...result, ceiling: result.ours / ceiling.ours } : result;
  results.push(full);
  console.log(JSON.stringify(full));
}

const table = new Table({ head: ["case", "ours", "peer", "ratio", "bar", "of ceiling"] });
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
