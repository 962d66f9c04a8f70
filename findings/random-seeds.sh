#!/bin/sh
# A person would expect seeds 0, 1, 2 of RandomNormal, RandomUniform, Bernoulli, Multinomial and Dropout to give three unrelated
# streams, and one seed to give one stream wherever the model runs.
# Instead seeds 0 and 1 are one stream. The first number of RandomUniform is the seed times 7.8e-6, so the first 1000 seeds all
# begin below 0.008, and Dropout with half of its units drops the first unit for every one of them. Node and the browser have
# different streams. The generator is C++'s default_random_engine, which is a linear congruence and not the same everywhere.
# Seen with onnxruntime-node and onnxruntime-web 1.30.0, Linux x64, both in Node.
# It matters for noise that is averaged over seeds (a stochastic front end, Monte Carlo dropout): two of the repetitions are one,
# and the first unit never answers. Draw the numbers outside and feed them, or use large seeds far apart.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 onnxruntime-web@1.30.0 \
  onnx-proto@8.0.1 > npm.log
cat > run.mjs <<'END'
import proto from "onnx-proto";
import node from "onnxruntime-node";
import * as web from "onnxruntime-web";

/** A model without inputs: one node that draws numbers, and what it reads. */
function model(node, initializer = []) {
  return proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 15 }],
    graph: {
      name: "noise",
      node: [node],
      initializer,
      output: [{ name: "y", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 4 }] } } } }],
    },
  }).finish();
}
const draw = (opType) => (seed) =>
  model({
    opType,
    output: ["y"],
    attribute: [
      { name: "shape", type: 7, ints: [4] },
      { name: "seed", type: 1, f: seed },
    ],
  });
const dropout = (seed) =>
  model(
    {
      opType: "Dropout",
      input: ["ones", "ratio", "training"],
      output: ["y"],
      attribute: [{ name: "seed", type: 2, i: seed }],
    },
    [
      { name: "ones", dims: [4], dataType: 1, floatData: [1, 1, 1, 1] },
      { name: "ratio", dims: [], dataType: 1, floatData: [0.5] },
      { name: "training", dims: [], dataType: 9, int32Data: [1] },
    ],
  );
async function run(ort, bytes) {
  const provider = ort === web ? "wasm" : "cpu";
  const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  return [...(await session.run({})).y.data];
}

web.env.wasm.numThreads = 1;
console.log(`onnxruntime-node ${node.env.versions.node}, onnxruntime-web ${web.env.versions.web}, ${process.platform}`);
const checks = [];
for (const [name, ort, step] of [
  ["onnxruntime-node", node, 16807 / 2 ** 31],
  ["onnxruntime-web", web, 48271 / 2 ** 31],
]) {
  const normal = [];
  for (const seed of [0, 1, 2]) normal.push((await run(ort, draw("RandomNormal")(seed))).join(" "));
  console.log(`${name}: RandomNormal of seed 0: ${normal[0]}; of seed 1: ${normal[1]}; of seed 2: ${normal[2]}`);
  checks.push(normal[0] === normal[1], normal[1] !== normal[2]);
  for (const seed of [1, 2, 3, 1000]) {
    const [first] = await run(ort, draw("RandomUniform")(seed));
    console.log(`${name}: RandomUniform of seed ${seed} begins with ${first}`);
    checks.push(Math.abs(first / (seed * step) - 1) < 1e-3);
  }
  let dropped = 0;
  for (let seed = 1; seed <= 100; seed++) if ((await run(ort, dropout(seed)))[0] === 0) dropped++;
  console.log(`${name}: Dropout of a half drops the first unit for ${dropped} of the seeds 1 to 100`);
  checks.push(dropped === 100);
}
const here = (await run(node, draw("RandomNormal")(7))).join();
const there = (await run(web, draw("RandomNormal")(7))).join();
console.log(`Node and wasm draw the same numbers for seed 7: ${here === there}`);
checks.push(here !== there);
const same = checks.every(Boolean);
const recorded = "one stream for 0 and 1, first numbers in step with the seed, 100 of 100, and false";
console.log(same ? "as recorded" : `CHANGED: recorded were ${recorded}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
