#!/bin/sh
# A person would expect heNormal to give weights with a standard deviation of sqrt(2 / inputs), as Keras in Python does, and
# the seed 0 to be a seed like others.
# Instead the normal initialisers cut the distribution at two standard deviations and do not make up for it: the weights have
# 0.88 of the stated deviation (Python divides by 0.8796). heUniform is right. And for all that draws normal numbers, gammas and
# samples of categories the seed 0 means no seed: the numbers differ each time, whereas randomUniform, glorotUniform and dropout
# repeat theirs.
# Seen with @tensorflow/tfjs 4.22.0 (the newest), CPU backend, Node 20.
# It matters in deep networks: twenty layers of Relu pass on 0.88 to the power of 20, a thirteenth of the signal; and an experiment
# with the seed 0 cannot be repeated. Use scale: 2 / 0.7737 with varianceScaling, and seeds from 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0 > npm.log
cat > run.mjs <<'END'
import { createRequire } from "node:module";

const tf = createRequire(import.meta.url)("@tensorflow/tfjs");
await tf.setBackend("cpu");
console.log(`@tensorflow/tfjs ${tf.version.tfjs}, Node ${process.versions.node}`);
const INPUTS = 400;
const stated = {
  heNormal: Math.sqrt(2 / INPUTS),
  glorotNormal: Math.sqrt(2 / (2 * INPUTS)),
  leCunNormal: Math.sqrt(1 / INPUTS),
  heUniform: Math.sqrt(2 / INPUTS),
};
const checks = [];
for (const [name, deviation] of Object.entries(stated)) {
  const weights = tf.initializers[name]({ seed: 3 }).apply([INPUTS, INPUTS]).dataSync();
  const found = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length);
  console.log(`${name}: ${(found / deviation).toFixed(3)} of the stated standard deviation`);
  checks.push(Math.abs(found / deviation - (name.endsWith("Normal") ? 0.88 : 1)) < 0.01);
}
const draws = {
  randomNormal: [(seed) => tf.randomNormal([8], 0, 1, "float32", seed), false],
  truncatedNormal: [(seed) => tf.truncatedNormal([8], 0, 1, "float32", seed), false],
  randomGamma: [(seed) => tf.randomGamma([8], 2, 2, "float32", seed), false],
  multinomial: [(seed) => tf.multinomial([0, 0], 64, seed), false],
  heNormal: [(seed) => tf.initializers.heNormal({ seed }).apply([4, 4]), false],
  orthogonal: [(seed) => tf.initializers.orthogonal({ seed }).apply([4, 4]), false],
  randomUniform: [(seed) => tf.randomUniform([8], 0, 1, "float32", seed), true],
  glorotUniform: [(seed) => tf.initializers.glorotUniform({ seed }).apply([4, 4]), true],
  dropout: [(seed) => tf.dropout(tf.ones([64]), 0.5, null, seed), true],
};
for (const [name, [draw, recorded]] of Object.entries(draws)) {
  const repeats = (seed) => draw(seed).dataSync().join() === draw(seed).dataSync().join();
  const [one, zero] = [repeats(1), repeats(0)];
  console.log(`${name}: seed 1 repeats its numbers: ${one}, seed 0: ${zero}`);
  checks.push(one && zero === recorded);
}
const same = checks.every(Boolean);
console.log(same ? "as recorded" : "CHANGED: recorded were 0.88 and 1; seed 0 repeated only for uniform numbers and dropout");
process.exitCode = same ? 0 : 1;
END
node run.mjs
