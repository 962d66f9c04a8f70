#!/bin/sh
# A person would expect two seeds to give two streams of random numbers, by each of the generators that the page offers.
# Instead xorshift7 skips the first seven characters of a seed: all texts up to that length, and fractions such as 0.5, give one
# and the same stream. The other five generators of the package tell them apart. It is reported as davidbau/seedrandom#84 (February
# 2025, open).
# Seen with seedrandom 3.0.5 (the newest), Node 20.
# It matters for experiments named "run-1" to "run-9": all shuffle their data alike, and their spread is nothing. Take another of
# the generators, or put eight characters in front of the seed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts seedrandom@3.0.5 > npm.log
cat > run.mjs <<'END'
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const seedrandom = require("seedrandom");
console.log(`seedrandom ${require("seedrandom/package.json").version}, Node ${process.versions.node}`);
const seeds = ["a", "b", "run-1", "run-2", "seven77", 0, 0.5, 1.5];
const streams = (generator, list) =>
  new Set(
    list.map((seed) => {
      const next = generator(seed);
      return Array.from({ length: 5 }, () => next()).join();
    }),
  ).size;
const recorded = { xorshift7: 1, alea: 8, xor128: 8, tychei: 8, xorwow: 8, xor4096: 8 };
let same = true;
for (const [name, expected] of Object.entries(recorded)) {
  const found = streams(seedrandom[name], seeds);
  console.log(`${name}: the seeds ${seeds.map((seed) => JSON.stringify(seed)).join(", ")} give ${found} streams`);
  same &&= found === expected;
}
const long = seeds.map((seed) => `12345678${seed}`);
const found = streams(seedrandom.xorshift7, long);
console.log(`xorshift7: with eight characters in front they give ${found} streams`);
same &&= found === seeds.length;
console.log(same ? "as recorded" : "CHANGED: recorded were 1 stream for xorshift7, 8 for the others and for longer seeds");
process.exitCode = same ? 0 : 1;
END
node run.mjs
